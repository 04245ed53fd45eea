"""What of an answer is out already, from before a crash: by the bot's own record, else by what stands in Slack."""

from enum import Enum

import structlog
from slack_sdk.errors import SlackApiError

from auth.database import Database
from bot.slack.delivery import Outbox
from bot.slack.listening import Part
from bot.slack.questions import Question, forget_unsent, kept_parts, mark_begun, mark_sent
from bot.slack.team import Team

log = structlog.get_logger(__name__)


class Out(Enum):
    """Whether a part got out before a crash; begun: as far as a stream had come."""

    NO = "no"
    YES = "yes"
    BEGUN = "begun"
    UNSURE = "unsure"


class Traces:
    """Finds what an earlier attempt at a question left."""

    def __init__(self, database: Database, team: Team, outbox: Outbox) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._bot_user_id = team.bot_user_id
        self._outbox = outbox

    async def is_out(self, question: Question, part: Part) -> Out:
        """Look up whether an earlier attempt got a part out."""
        if question.state != "sending":
            return Out.NO
        async with self._database.writing_in(self._workspace_id) as connection:
            kept = (await kept_parts(connection, question.id)).get(part.value)
        if kept is None:
            return Out.NO
        if kept.message_ts is not None:
            return Out.YES
        if kept.streamed_ts is not None:
            return Out.BEGUN
        if part is Part.ASKER and not question.place.is_direct:
            return Out.UNSURE  # Slack keeps no copy of what one person alone is shown
        return await self._look_for(question, part)

    async def _look_for(self, question: Question, part: Part) -> Out:
        try:
            found = await self._outbox.find_answer(
                question.place, question.message_ts, question.id, self._bot_user_id
            )
        except SlackApiError as error:
            # Slack does not say whether an answer is out: rather tell the asker than send it twice.
            log.warning("cannot tell whether an answer is out", error=str(error))
            return Out.UNSURE
        async with self._database.writing_in(self._workspace_id) as connection:
            if found is None:
                await forget_unsent(connection, question.id, part.value)
                return Out.NO
            if not found.whole:
                await mark_begun(connection, question.id, part.value, found.ts)
                return Out.BEGUN
            await mark_sent(connection, question.id, part.value, found.ts)
            return Out.YES

    async def begun(self, question: Question) -> str | None:
        """The ts of an answer to everybody that was begun and never ended."""
        async with self._database.writing_in(self._workspace_id) as connection:
            kept = (await kept_parts(connection, question.id)).get(Part.EVERYBODY.value)
        return kept.streamed_ts if kept is not None and kept.message_ts is None else None
