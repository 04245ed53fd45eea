"""The home tab: what somebody may ask about, what they asked, their roles; for administrators, how it goes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.slack.admin.elements import actions, button, context, divider, section
from bot.slack.views import Block

ASK = "home_ask"
ABOUT = (
    "Mention me in a channel, or write to me here. What I say in a channel is made only from what everybody there"
    " may read; what only you may read, I show to you alone."
)
NOTHING = "There is nothing yet that you may read here. Ask whoever runs Ostiary in your company for a role."
_STATES = {"answered": "answered", "failed": "not answered: something went wrong"}


@dataclass(frozen=True)
class AskedBefore:
    """One of somebody's own questions."""

    text: str
    state: str
    at: datetime


@dataclass(frozen=True)
class Health:
    """Counts for administrators: of questions now and in a day, of thumbs down and failures in a week."""

    waiting: int
    answered: int
    failed: int
    bad: int
    not_taken_in: int

    def in_words(self) -> str:
        return (
            f"{self.waiting} questions wait, {self.answered} were answered and {self.failed} failed in a day."
            f" In the last week {self.bad} answers were called bad, and {self.not_taken_in} things that were handed"
            " in could not be taken in."
        )


def home_view(
    titles: Sequence[str], asked: Sequence[AskedBefore], roles: Collection[str], health: Health | None
) -> Block:
    blocks = [
        section(ABOUT, heading="Ask your company's documents"),
        actions({**button(ASK, "Ask a question"), "style": "primary"}),
        divider(),
        *_titles(titles),
        divider(),
        *_asked(asked),
        section(_roles(roles), heading="Your roles"),
    ]
    if health is not None:
        more = "`/docs` shows what could not be taken in, `/roles` and `/access` who may read what."
        blocks += [divider(), section(health.in_words(), heading="How it goes"), _marked(more)]
    return {"type": "home", "blocks": blocks}


def _titles(titles: Sequence[str]) -> list[Block]:
    """A few, the latest: enough to know what to ask about."""
    heading = "What you may ask about"
    if not titles:
        return [section(NOTHING, heading=heading)]
    return [section("\n".join(f"• {title}" for title in titles), heading=heading)]


def _asked(asked: Sequence[AskedBefore]) -> list[Block]:
    if not asked:
        return []
    blocks = [section("", heading="What you asked lately")]
    for one in asked:
        state = _STATES.get(one.state, "on its way")
        blocks += [section(one.text or "…"), context(f"{one.at:%-d %B %Y, %H:%M} UTC · {state}")]
    return [*blocks, divider()]


def _roles(roles: Collection[str]) -> str:
    if not roles:
        return "You hold no role."
    return f"You hold {', '.join(sorted(roles))}. What you may read follows from them."


def _marked(mrkdwn: str) -> Block:
    """The bot's own words, with its own marks."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn, "verbatim": True}]}
