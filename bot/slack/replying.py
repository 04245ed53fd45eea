"""From a stored question to what is sent: who may see what, the answer, the check before sending, the sending."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from slack_sdk.errors import SlackApiError

from auth.clearance import Clearance
from auth.database import Database
from auth.rights import audience_clearance, nothing, rights_of, seconds_since_change
from bot import metrics
from bot.assistant import NOTHING_FOUND, Assistant, Opening, opened
from bot.digests import span_of
from bot.generation.asking import asking
from bot.queue import JobQueue
from bot.slack.answer_views import answer_controls
from bot.slack.audiences import Audiences
from bot.slack.conversation import Conversation
from bot.slack.delivery import Outbox, Unreachable
from bot.slack.hearing import Heard
from bot.slack.lending import Lending
from bot.slack.listening import Listening, Part
from bot.slack.people import Roster
from bot.slack.presence import Presence, at_work
from bot.slack.questions import (
    DIGEST,
    ENDED,
    Question,
    forget_unsent,
    keep_answer,
    kept_parts,
    mark_sent,
    move,
    read_question,
    record_refusal,
    sole_sender,
)
from bot.slack.refusals import retry_after_s, was_refused
from bot.slack.small_talk import small_talk
from bot.slack.speaking import (
    PATIENT_TRIES,
    STOPPED,
    Look,
    NeedsWhole,
    Revised,
    RightsMoved,
    Speaker,
    closing_blocks,
    count_sent,
    prepared,
)
from bot.slack.stopping import Stops
from bot.slack.team import Team
from bot.slack.traces import Out, Traces
from bot.slack.views import (
    Block,
    answer_blocks,
    answer_text,
    fitting,
    note_block,
    plain_blocks,
    refusal_blocks,
    said_blocks,
    share_block,
)

log = structlog.get_logger(__name__)

ANSWER_JOB = "answer"
SHARE = "share"
ONLY_YOU = "Not everybody here may read all of the sources of this answer."
WENT_WRONG = "Something went wrong while I was answering, and I have stopped trying. Please ask again later."
INTERRUPTED = "I was interrupted while answering. If no answer stands here, please ask again."
RIGHTS_MOVED = "Who may read what changed while I was answering. Please ask again."
CHANGED = "Your question changed each time that I was about to answer it. Please ask again."
NOTHING_TO_SHARE = "I found nothing on that that everybody here may read."
ANSWERING_TRIES = 3


class Replier:
    """Answers stored questions, each once, whatever is killed in between."""

    def __init__(
        self,
        database: Database,
        team: Team,
        assistant: Assistant,
        roster: Roster,
        audiences: Audiences,
        outbox: Outbox,
        lending: Lending,
        stops: Stops | None = None,
    ) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id
        self._assistant = assistant
        self._roster = roster
        self._audiences = audiences
        self._outbox = outbox
        self._lending = lending
        self._conversation = Conversation(database, team.workspace_id, assistant.library)
        self._stops = stops or Stops()
        self._traces = Traces(database, team, outbox)
        self._speaker = Speaker(database, team, assistant, audiences, outbox)

    def register(self, queue: JobQueue) -> None:
        queue.on(ANSWER_JOB, self.reply, given_up=self.give_up)

    async def reply(self, question_id: int) -> None:
        """Answer a question that waits."""
        question = await self._read(question_id)
        if question.state in ENDED or question.stopped:
            await self._leave(question)
            return
        if said := small_talk(question.text):
            await self._say(question, said, plain_blocks(said))
            return
        try:
            async with at_work(self._outbox, question) as presence:
                with asking(question.asker_slack_id, presence.stands):
                    await self._answer(question, presence)
        except Unreachable:  # whoever asked left the company: nobody is waiting
            await self._move(question, "answered")

    async def give_up(self, question_id: int) -> None:
        """Tell the asker, alone, that there will be no answer: nobody is left in silence."""
        question = await self._read(question_id)
        try:
            await self._say(question, WENT_WRONG, plain_blocks(WENT_WRONG), state="failed")
        except Unreachable:
            await self._move(question, "failed")

    async def _answer(self, question: Question, presence: Presence) -> None:
        """Everybody's part first: when it comes must not depend on what the asker alone may read.

        An edited question is answered as it was edited. Whoever edits it again and again is answered at last.
        """
        for _ in range(ANSWERING_TRIES):
            try:
                await self._answer_parts(question, presence)
            except Revised:
                question = await self._read(question.id)
                if question.state in ENDED or question.stopped:
                    break
            except RightsMoved:
                await self._say(question, RIGHTS_MOVED, plain_blocks(RIGHTS_MOVED))
                return
            else:
                return
        await self._leave(question)

    async def _answer_parts(self, question: Question, presence: Presence) -> None:
        told = False
        for part in _parts_of(question):
            told = await self._answer_part(question, part, all_were_told=told) or told
            await presence.hide()  # how long the rest takes depends on what the asker alone may read
        if told:
            await self._end(question)
        else:
            await self._refuse(question)

    async def _leave(self, question: Question) -> None:
        """A question that was taken back is answered with silence, one that was stopped with a word."""
        if question.state in ENDED:
            async with self._sole_sender(question) as current:
                await self._clear(current)
        else:
            said = STOPPED if question.stopped else CHANGED
            await self._say(question, said, plain_blocks(said))

    async def _answer_part(self, question: Question, part: Part, *, all_were_told: bool) -> bool:
        """Answer under the rights of now; if they shrink meanwhile, answer again rather than send.

        Returns whether somebody was told something. Raises RightsMoved, or Revised.
        """
        for _ in range(ANSWERING_TRIES):
            before = await self._listening(question, again=False)
            opening = await self._make(question, part, before, all_were_told=all_were_told)
            if opening is None:
                return False
            async with Heard(opening.telling) as heard:
                with self._stops.reach(question.id, heard):
                    sent = await self._send_if_allowed(question, part, opening, heard)
            if sent:
                return True
            metrics.WITHHELD.inc()
        raise RightsMoved

    async def _send_if_allowed(self, question: Question, part: Part, opening: Opening, heard: Heard) -> bool:
        """Look once more who listens and what they may read, and send; or say that rights shrank.

        Where Slack has no time now, the look is repeated once it has: what was allowed before the wait may not be
        allowed after it. What is sent whole is looked at once it is whole.
        """
        streams = part is Part.EVERYBODY and self._outbox.may_stream(question.place)
        refused: SlackApiError | None = None
        for _ in range(PATIENT_TRIES):
            await (heard.after(0) if streams else heard.whole())
            try:
                async with self._sole_sender(question) as current:
                    now = await self._listening(question, again=True)
                    if not await self._assistant.may_still_be_told(opening, now.clearance(part)):
                        return False
                    if current.state not in ENDED and (current.text != question.text or current.stopped):
                        raise Revised
                    await self._send_once(current, part, opening, heard if streams else None, now)
                    return True
            except NeedsWhole:
                streams, wait_s = False, 0.0
            except SlackApiError as error:
                waits = retry_after_s(error)
                if waits is None:
                    raise
                refused, wait_s = error, waits
            await asyncio.sleep(wait_s)
        raise refused or RightsMoved

    async def _make(
        self, question: Question, part: Part, listening: Listening, *, all_were_told: bool
    ) -> Opening | None:
        if question.purpose == DIGEST:
            return await self._make_digest(question, listening.everybody)
        before = await self._conversation.before(question, part.value, listening.clearance(part))
        if part is Part.EVERYBODY:
            opening = await self._assistant.begin(question.text, listening.everybody, before)
            return opening if opening.found else None
        reply = await self._assistant.answer_beyond(
            question.text, listening.asker, listening.everybody, before, all_were_told=all_were_told
        )
        return opened(reply) if reply is not None else None

    async def _make_digest(self, question: Question, everybody: Clearance) -> Opening | None:
        """None as well where it was stopped since."""
        async with self._database.writing_in(self._workspace_id) as connection:
            span = await span_of(connection, question.id)
        reply = await self._assistant.digest(span.topic, span.came, everybody) if span else None
        return opened(reply) if reply is not None else None

    async def _listening(self, question: Question, *, again: bool) -> Listening:
        """Who listens: as Slack said it lately, or, once more before sending, as Slack says it now."""
        nobody_asked = question.purpose == DIGEST  # the bot did, and does not listen
        read = self._audiences.now if again or nobody_asked else self._audiences.lately
        changes = self._audiences.changes(question.place.channel_id)
        audience = await read(question.place, question.asker_slack_id)
        await self._roster.know(audience.slack_user_ids)
        at = datetime.now(UTC)
        nobody = nothing(self._workspace_id)
        if not self._is_of_our_team(question):
            # An id says who somebody is in their own team only.
            return Listening(at, nobody, audience, nobody, changes)
        rights = await rights_of(self._database, self._workspace_id, question.asker_slack_id)
        asker = rights.clearance if rights else nobody
        if question.place.is_direct:
            return Listening(at, asker, audience, asker, changes)
        everybody = await audience_clearance(self._database, self._workspace_id, audience)
        return Listening(at, asker, audience, everybody, changes)

    def _is_of_our_team(self, question: Question) -> bool:
        return question.asker_team_id in {None, self._team_id}

    async def _refuse(self, question: Question) -> None:
        """Say that there is nothing: alike whether it does not exist or may not be read, and to the asker alone."""
        if question.purpose == DIGEST:
            await self._end(question)
            return
        if question.purpose == SHARE:
            await self._say(question, NOTHING_TO_SHARE, plain_blocks(NOTHING_TO_SHARE))
            return
        metrics.REFUSALS.inc()
        lends = self._is_of_our_team(question) and await self._lending.is_offered()
        blocks = refusal_blocks(NOTHING_FOUND, question.id if lends else None)
        listening = await self._listening(question, again=False)
        await self._say(question, NOTHING_FOUND, blocks, refused_under=listening.asker)

    async def _say(
        self,
        question: Question,
        text: str,
        blocks: Sequence[Block],
        state: str = "answered",
        refused_under: Clearance | None = None,
    ) -> None:
        """Tell the asker, alone, something that is no answer; nothing more where an answer is out already."""
        if question.purpose == DIGEST:
            await self._end(question, "failed")  # the next one tells it
            return
        async with self._sole_sender(question) as current:
            if current.state in ENDED:
                return
            outs = [await self._traces.is_out(current, part) for part in _parts_of(current)]
            if Out.UNSURE in outs:
                text, blocks = INTERRUPTED, plain_blocks(INTERRUPTED)
            await self._clear(current)
            if Out.YES not in outs:
                await self._move(current, "sending")
                await self._tell_alone(current, text, blocks, in_thread=False)
            async with self._database.writing_in(self._workspace_id) as connection:
                await move(connection, question.id, state)
                if refused_under is not None:
                    await record_refusal(connection, question, refused_under)

    async def _send_once(
        self, question: Question, part: Part, opening: Opening, heard: Heard | None, now: Listening
    ) -> None:
        """Send a part unless it is out from before a crash, or the question was ended by somebody else.

        `heard`: where it is to be streamed.
        """
        if question.state in ENDED:
            return
        out = await self._traces.is_out(question, part)
        if out is Out.NO and heard is not None:
            await self._speaker.tell(question, opening, heard, now, self._look_at(question))
        elif out is Out.NO:
            await self._send(question, part, opening, now)
        elif out is Out.BEGUN and heard is not None:
            raise NeedsWhole
        elif out is Out.BEGUN:
            ts = await self._traces.begun(question)
            await self._speaker.tell_again(question, opening, now, self._look_at(question), str(ts))
        elif out is Out.UNSURE and question.purpose != DIGEST:
            await self._tell_alone(question, INTERRUPTED, plain_blocks(INTERRUPTED), in_thread=False)

    def _look_at(self, question: Question) -> Look:
        return lambda: self._listening(question, again=True)

    async def _clear(self, question: Question) -> None:
        """Where it comes to nothing more, nothing half said stays there."""
        if (ts := await self._traces.begun(question)) is not None:
            await self._speaker.take_back(question, self._outbox.stream_again(question.place, ts))

    async def _send(self, question: Question, part: Part, opening: Opening, now: Listening) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await move(connection, question.id, "sending")
            answer_id = await keep_answer(connection, question, prepared(question, part, opening, now))
        try:
            ts = await self._put_out(question, part, opening, answer_id)
        except (SlackApiError, Unreachable) as error:
            if isinstance(error, Unreachable) or was_refused(error):
                async with self._database.writing_in(self._workspace_id) as connection:
                    await forget_unsent(connection, question.id, part.value)
            raise
        async with self._database.writing_in(self._workspace_id) as connection:
            await mark_sent(connection, question.id, part.value, ts, opening.telling.answer)
            late_s = await seconds_since_change(connection, now.clearance(part).policy_version)
        count_sent(part, now, late_s)

    async def _put_out(self, question: Question, part: Part, opening: Opening, answer_id: int) -> str:
        answer = opening.telling.answer
        text = answer_text(answer)
        if part is Part.EVERYBODY:
            note = [note_block(question.text)] if question.purpose == DIGEST else []
            said = said_blocks(fitting(answer.sentences), as_list=answer.as_list)
            blocks = [*note, *said, *closing_blocks(opening, question.id, answer_id, linked=True)]
            return await self._outbox.post(
                question.place, text, blocks, question_id=question.id, at_once=True
            )
        controls = answer_controls(answer, question.id, answer_id)
        blocks = [*answer_blocks(answer, note=ONLY_YOU), share_block(question.id), *controls]
        async with self._database.writing_in(self._workspace_id) as connection:
            in_thread = "channel" in await kept_parts(connection, question.id)
        return await self._tell_alone(question, text, blocks, in_thread, at_once=True)

    async def _tell_alone(
        self,
        question: Question,
        text: str,
        blocks: Sequence[Block],
        in_thread: bool,
        at_once: bool = False,
    ) -> str:
        """A private message in a thread shows only where the thread exists already."""
        place = question.place
        shown = in_thread or question.thread_ts or place.is_direct
        where = place if shown else replace(place, thread_ts=None)
        return await self._outbox.tell_alone(
            where, question.asker_slack_id, text, blocks, question_id=question.id, at_once=at_once
        )

    def _sole_sender(self, question: Question) -> AbstractAsyncContextManager[Question]:
        return sole_sender(self._database, self._workspace_id, question.id)

    async def _read(self, question_id: int) -> Question:
        async with self._database.writing_in(self._workspace_id) as connection:
            return await read_question(connection, question_id)

    async def _move(self, question: Question, state: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await move(connection, question.id, state)

    async def _end(self, question: Question, state: str = "answered") -> None:
        async with self._sole_sender(question) as current:
            if current.state not in ENDED:
                await self._clear(current)
                await self._move(current, state)


def _parts_of(question: Question) -> tuple[Part, ...]:
    """In a direct message everybody is the asker; what is shared is for everybody."""
    alone = question.place.is_direct or question.purpose in {SHARE, DIGEST}
    return (Part.EVERYBODY,) if alone else (Part.EVERYBODY, Part.ASKER)
