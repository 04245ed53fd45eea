"""From a stored question to what is sent: who may see what, the answer, the check before sending, the sending."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import structlog
from slack_sdk.errors import SlackApiError

from auth.clearance import Clearance
from auth.database import Database
from auth.rights import Audience, audience_clearance, nothing, rights_of
from bot.assistant import NOTHING_FOUND, Assistant, Parts, Reply
from bot.queue import JobQueue
from bot.slack.delivery import Outbox
from bot.slack.people import Roster
from bot.slack.places import read_audience
from bot.slack.questions import (
    ENDED,
    PreparedAnswer,
    Question,
    forget_unsent,
    keep_answer,
    kept_parts,
    mark_sent,
    move,
    read_question,
    sole_sender,
)
from bot.slack.refusals import was_refused
from bot.slack.small_talk import small_talk
from bot.slack.views import Block, answer_blocks, answer_text, plain_blocks

log = structlog.get_logger(__name__)

ANSWER_JOB = "answer"
STATUS = "is reading the documents ..."
ONLY_YOU = "Not everybody here may read all of the sources of this answer."
WENT_WRONG = "Something went wrong while I was answering, and I have stopped trying. Please ask again later."
INTERRUPTED = "I was interrupted while answering. If no answer stands here, please ask again."
RIGHTS_MOVED = "Who may read what changed while I was answering. Please ask again."
ANSWERING_TRIES = 3
NO_PARTS = Parts(None, None)


@dataclass(frozen=True)
class Clearances:
    """What the asker, and what everybody in the place, may read at one moment."""

    asker: Clearance
    audience: Clearance


@dataclass(frozen=True)
class Delivered:
    """What is out from before a crash: everybody's part, the asker's; `asker_unsure` where nobody can tell."""

    everybody: bool = False
    asker: bool = False
    asker_unsure: bool = False


class Replier:
    """Answers stored questions, each once, whatever is killed in between."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        assistant: Assistant,
        roster: Roster,
        outbox: Outbox,
        bot_user_id: str,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._assistant = assistant
        self._roster = roster
        self._outbox = outbox
        self._bot_user_id = bot_user_id

    def register(self, queue: JobQueue) -> None:
        queue.on(ANSWER_JOB, self.reply, given_up=self.give_up)

    async def reply(self, question_id: int) -> None:
        """Answer a question that waits."""
        question = await self._read(question_id)
        if question.state in ENDED:
            return
        if said := small_talk(question.text):
            await self._say(question, said)
            return
        await self._outbox.show_status(question.place, question.message_ts, STATUS)
        try:
            await self._answer(question)
        finally:  # Slack takes it away itself only where an answer is posted in the same thread
            await self._outbox.show_status(question.place, question.message_ts, "")

    async def give_up(self, question_id: int) -> None:
        """Tell the asker, alone, that there will be no answer: nobody is left in silence."""
        await self._say(await self._read(question_id), WENT_WRONG, state="failed")

    async def _answer(self, question: Question) -> None:
        """Answer under the rights of now; if they shrink meanwhile, answer again rather than send."""
        for _ in range(ANSWERING_TRIES):
            before = await self._clearances(question)
            parts = await self._assistant.answer_in_place(question.text, before.asker, before.audience)
            async with self._sole_sender(question) as current:
                now = await self._clearances(question)
                if await self._still_allowed(parts, now):
                    await self._send(current, parts, NOTHING_FOUND)
                    return
        await self._say(question, RIGHTS_MOVED)

    async def _still_allowed(self, parts: Parts, now: Clearances) -> bool:
        """Whether what was answered may go out: neither readers nor documents changed for the worse meanwhile."""
        for reply, clearance in ((parts.everybody, now.audience), (parts.asker, now.asker)):
            if reply and not await self._assistant.may_still_be_told(reply, clearance):
                return False
        return True

    async def _clearances(self, question: Question) -> Clearances:
        audience = await self._audience(question)
        await self._roster.know(audience.slack_user_ids)
        rights = await rights_of(self._database, self._workspace_id, question.asker_slack_id)
        asker = rights.clearance if rights else nothing(self._workspace_id)
        if question.place.is_direct:
            return Clearances(asker, asker)
        return Clearances(asker, await audience_clearance(self._database, self._workspace_id, audience))

    async def _audience(self, question: Question) -> Audience:
        client = self._outbox.client
        return await read_audience(client, question.place, question.asker_slack_id, self._bot_user_id)

    async def _say(self, question: Question, text: str, state: str = "answered") -> None:
        """Tell the asker, alone, something that is no answer."""
        async with self._sole_sender(question) as current:
            await self._send(current, NO_PARTS, text, state)

    async def _send(self, question: Question, parts: Parts, otherwise: str, state: str = "answered") -> None:
        """Send the parts, or `otherwise` where there are none; what is out from before a crash stays single."""
        if question.state in ENDED:
            return
        try:
            out = await self._delivered(question)
        except SlackApiError as error:
            # Slack does not say whether an answer is out: rather tell the asker than send it twice.
            log.warning("cannot tell whether an answer is out", error=str(error))
            out = Delivered(everybody=True, asker_unsure=True)
        await self._move(question, "sending")
        if parts.everybody and not (out.everybody or out.asker or out.asker_unsure):
            await self._send_to_everybody(question, parts.everybody)
            out = replace(out, everybody=True)
        if out.asker_unsure:
            await self._tell_alone(question, INTERRUPTED, plain_blocks(INTERRUPTED), in_thread=False)
        elif parts.asker and not out.asker:
            await self._send_to_asker(question, parts.asker, in_thread=out.everybody)
        elif not (out.everybody or out.asker):
            await self._tell_alone(question, otherwise, plain_blocks(otherwise), in_thread=False)
        await self._move(question, "answered" if out.everybody or out.asker else state)

    async def _delivered(self, question: Question) -> Delivered:
        """Look up what an earlier attempt got out. Raises SlackApiError where Slack does not say."""
        if question.state != "sending":
            return Delivered()
        found = await self._outbox.find_answer(
            question.place, question.message_ts, question.id, self._bot_user_id
        )
        async with self._database.writing_in(self._workspace_id) as connection:
            if found:
                await mark_sent(connection, question.id, "channel", found)
            else:
                await forget_unsent(connection, question.id, "channel")
            kept = await kept_parts(connection, question.id)
        # Slack keeps no copy of what one person alone is shown: it got there if Slack said so at the time.
        told = kept.get("asker")
        return Delivered(found is not None, told is not None, "asker" in kept and told is None)

    async def _send_to_everybody(self, question: Question, reply: Reply) -> None:
        await self._keep(question, reply, "channel")
        ts = await self._outbox.post(
            question.place, answer_text(reply.answer), answer_blocks(reply.answer), question_id=question.id
        )
        await self._mark_sent(question, "channel", ts)

    async def _send_to_asker(self, question: Question, reply: Reply, in_thread: bool) -> None:
        blocks = answer_blocks(reply.answer, note=ONLY_YOU)
        await self._keep(question, reply, "asker")
        try:
            ts = await self._tell_alone(question, answer_text(reply.answer), blocks, in_thread)
        except SlackApiError as error:
            if was_refused(error):
                async with self._database.writing_in(self._workspace_id) as connection:
                    await forget_unsent(connection, question.id, "asker")
            raise
        await self._mark_sent(question, "asker", ts)

    async def _tell_alone(
        self, question: Question, text: str, blocks: Sequence[Block], in_thread: bool
    ) -> str:
        """A private message in a thread shows only where the thread exists already."""
        place = question.place
        where = place if in_thread or question.thread_ts else replace(place, thread_ts=None)
        return await self._outbox.tell_alone(
            where, question.asker_slack_id, text, blocks, question_id=question.id
        )

    def _sole_sender(self, question: Question) -> AbstractAsyncContextManager[Question]:
        return sole_sender(self._database, self._workspace_id, question.id)

    async def _read(self, question_id: int) -> Question:
        async with self._database.writing_in(self._workspace_id) as connection:
            return await read_question(connection, question_id)

    async def _move(self, question: Question, state: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await move(connection, question.id, state)

    async def _mark_sent(self, question: Question, part: str, ts: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await mark_sent(connection, question.id, part, ts)

    async def _keep(self, question: Question, reply: Reply, part: str) -> None:
        prepared = PreparedAnswer(
            part=part,
            text=" ".join(sentence.text for sentence in reply.answer.sentences),
            label_ids=reply.label_ids,
            chunk_ids=reply.chunk_ids,
            clearance=reply.clearance,
            model=reply.answer.model,
        )
        async with self._database.writing_in(self._workspace_id) as connection:
            await keep_answer(connection, question.id, prepared)
