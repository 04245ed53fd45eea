"""`/gaps`: what found nothing, for those who own documents, as far as they see it; and what became of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from auth.errors import OstiaryError
from bot.gaps import DAYS, Gap, Gaps, Mark
from bot.slack.admin.counter import AWAY
from bot.slack.admin.entered import storable
from bot.slack.asking import DATABASE_AWAY
from bot.slack.views import Block, escape, plain_blocks, sections

log = structlog.get_logger(__name__)

SHOWN, WORDINGS, LONGEST_QUESTION = 15, 5, 300
HELP = (
    "`/gaps` shows what people asked and found nothing on, or a bad answer, where you could read it: put together"
    " by what it asks, what most people asked first. It is for those who own documents, and for administrators.\n"
    "`/gaps answered 17` takes number 17 off the list once something answers it, `/gaps dismiss 17` where nothing"
    " will; `/gaps reopen 17` puts it back."
)
NONE = f"Nobody asked anything where you could read it, in {DAYS} days, and found nothing or a bad answer."
_MARK = re.compile(r"(?P<verb>answered|dismiss|dismissed|reopen)\s+#?(?P<id>\d{1,18})", re.IGNORECASE)


class GapsDesk:
    """Takes in `/gaps`. What is shown, and what may be marked, is looked up each time for whoever typed it."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps

    def register(self, app: AsyncApp) -> None:
        app.command("/gaps")(self.on_command)

    async def on_command(self, ack: AsyncAck, command: Mapping[str, Any], respond: AsyncRespond) -> None:
        """Slack hears "ok" first: who is in which channel may have to be read."""
        await ack()
        words = storable(command.get("text") or "").strip()
        blocks = await self._answer(command["user_id"], words)
        await respond(text=blocks[0]["text"]["text"], blocks=list(blocks), response_type="ephemeral")

    async def _answer(self, user_id: str, words: str) -> Sequence[Block]:
        try:
            if not words:
                return gap_blocks(await self._gaps.open_to(user_id))
            found = _MARK.fullmatch(words)
            return plain_blocks(await self._marked(user_id, found) if found else HELP)
        except OstiaryError as error:
            return plain_blocks(str(error))
        except DATABASE_AWAY:
            log.exception("gaps were asked for with the database away")
            return plain_blocks(AWAY)

    async def _marked(self, user_id: str, found: re.Match[str]) -> str:
        number, verb = int(found["id"]), found["verb"].lower()
        if verb == "reopen":
            return f"{_counted(await self._gaps.reopen(user_id, number))} on the list again."
        mark = Mark.ANSWERED if verb == "answered" else Mark.DISMISSED
        gap = await self._gaps.mark(user_id, number, mark)
        return (
            f"{_counted(len(gap.questions))} marked as {mark.value}. `/gaps reopen {number}` takes it back."
        )


def gap_blocks(gaps: Sequence[Gap]) -> list[Block]:
    """The list, for one person."""
    if not gaps:
        return plain_blocks(NONE)
    lines = [_line(gap) for gap in gaps[:SHOWN]]
    more = [f"And {len(gaps) - SHOWN} more."] if len(gaps) > SHOWN else []
    return sections(
        "*What found nothing, or a bad answer*", *lines, *more, "`/gaps help` says what to do about it."
    )


def _line(gap: Gap) -> str:
    where = ", ".join(f"<#{channel_id}>" for channel_id in gap.channel_ids if channel_id.isalnum())
    others = "; ".join(f"“{_short(words)}”" for words in gap.other_words[:WORDINGS])
    others += f"; and {len(gap.other_words) - WORDINGS} more" if len(gap.other_words) > WORDINGS else ""
    return (
        f"*{gap.id}*  {_short(gap.text)}\n{asked_in_words(gap)}{f', in {where}' if where else ''}"
        f"{f'. Also: {others}' if others else ''}"
    )


def asked_in_words(gap: Gap) -> str:
    """`asked 3 times, by 2 people, last on 20 November 2026; 1 thumb down`."""
    times = f"asked {len(gap.questions)} times" if len(gap.questions) > 1 else "asked once"
    people = f", by {gap.people} people" if gap.people > 1 else ""
    thumbs = f"; {gap.disliked} thumb{'s' if gap.disliked > 1 else ''} down" if gap.disliked else ""
    return f"{times}{people}, last on {gap.last_asked:%-d %B %Y}{thumbs}"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return escape(words if len(words) <= LONGEST_QUESTION else f"{words[:LONGEST_QUESTION]} …")


def _counted(number: int) -> str:
    return f"{number} questions are" if number > 1 else "One question is"
