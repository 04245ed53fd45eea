"""What `/docs` shows of what could not be taken in: values in, screens out."""

from collections.abc import Mapping, Sequence

from auth.database import ITSELF
from bot.administering.administration import COMMAND_LINE
from bot.administering.describing import FailureEntry
from bot.administering.wording import policy_in_words
from bot.slack.admin.elements import actions, button, context, section
from bot.slack.admin.screens import Screen
from bot.slack.views import Block

DOCUMENTS, FAILURES, DISMISS = "admin_docs", "admin_docs_failures", "admin_docs_dismiss"
PAGE = 15
NOBODYS = {COMMAND_LINE: "on the command line", ITSELF: "read again by itself"}
"""How it was handed in, where no person did."""


def failures(found: Sequence[FailureEntry], names: Mapping[str, str], start: int) -> Screen:
    """A page of what could not be taken in; one more than a page says that there is more.

    `names`: Slack user id -> what to call whoever handed it in.
    """
    shown, more = found[:PAGE], len(found) > PAGE
    turn = [
        button(f"{FAILURES}:earlier", "Earlier", max(0, start - PAGE)) if start else None,
        button(f"{FAILURES}:later", "More", start + PAGE) if more else None,
    ]
    return Screen(
        "What failed",
        [
            context("What could not be taken in. It goes from this list by itself once it is in."),
            *([_failure(failure, names) for failure in shown] or [section("Nothing failed.")]),
            *([actions(*turn)] if any(turn) else []),
        ],
        back=(DOCUMENTS, "0"),
    )


def _failure(failure: FailureEntry, names: Mapping[str, str]) -> Block:
    tries = f", tried {failure.tries} times" if failure.tries > 1 else ""
    by = NOBODYS.get(failure.actor) or names.get(failure.actor, failure.actor)
    about = f"{failure.failed_at:%-d %B %Y, %H:%M} UTC · {by} · for {policy_in_words(failure.policy)}{tries}"
    reason = (
        failure.reason or "A document for others than you: what it was and why it failed is told to them."
    )
    return section(f"{reason}\n{about}", accessory=button(DISMISS, "Dismiss", failure.id))
