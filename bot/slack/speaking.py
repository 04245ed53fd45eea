"""Telling everybody in a place: each sentence only while all who hear it may read what it is made from.

Killed at any point, one whole answer stands there in the end: it is kept before the first word, the message is
written down as soon as Slack has begun it, and whoever takes the question up again puts the whole in its place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from slack_sdk.errors import SlackApiError

from auth.database import Database
from auth.rights import seconds_since_change
from bot import metrics
from bot.answering import CitedSentence
from bot.assistant import Assistant, Opening
from bot.slack.answer_views import answer_controls
from bot.slack.audiences import Audiences
from bot.slack.delivery import Outbox
from bot.slack.hearing import Heard
from bot.slack.listening import Listening, Part
from bot.slack.questions import (
    ENDED,
    PreparedAnswer,
    Question,
    forget_unsent,
    keep_answer,
    mark_begun,
    mark_sent,
    mark_taken_back,
    move,
    read_pulse,
)
from bot.slack.refusals import retry_after_s
from bot.slack.streaming import Stream, StreamGone, StreamStopped
from bot.slack.team import Team
from bot.slack.views import Block, answer_text, fitting, note_block, said_blocks, source_blocks

PATIENT_TRIES = 5
LONGEST_WAIT_S = 30.0
MOST_PIECES = 20
STOPPED = "Stopped here."
GOES_ON = "The answer goes on. Ask about a part of it."

Look = Callable[[], Awaitable[Listening]]


class RightsMoved(Exception):
    """Rights shrank while an answer was told, or each time that it was about to be."""


class Revised(Exception):
    """The question is not the one that is being answered any more: it was edited, or taken back."""


class NeedsWhole(Exception):
    """It cannot be streamed: it is sent once all of it is there, after another look at the rights."""


class Standing(Enum):
    """Whether an answer may go on."""

    ON = "on"
    STOPPED = "stopped"
    REVISED = "revised"
    SHRUNK = "shrunk"


@dataclass
class _Saying:
    """An answer on its way: how far it is, and what was last known of those who hear it."""

    question: Question
    opening: Opening
    answer_id: int
    stream: Stream
    look: Look
    now: Listening
    told: int = 0

    @property
    def fitting(self) -> list[CitedSentence]:
        return fitting(self.opening.telling.answer.sentences)

    def blocks_of(self, sentences: Sequence[CitedSentence]) -> list[Block]:
        return said_blocks(sentences, as_list=self.opening.telling.as_list)

    @property
    def standing(self) -> list[CitedSentence]:
        """What was shown of it, as far as this process knows: what an earlier one began is told anew."""
        return self.fitting[: self.told] or self.fitting


class Speaker:
    """Tells answers to everybody in a place."""

    def __init__(
        self, database: Database, team: Team, assistant: Assistant, audiences: Audiences, outbox: Outbox
    ) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id
        self._assistant = assistant
        self._audiences = audiences
        self._outbox = outbox

    async def tell(
        self, question: Question, opening: Opening, heard: Heard, now: Listening, look: Look
    ) -> None:
        """Stream an answer that was looked at just `now`. It raises all errors of this module."""
        said = fitting(await heard.after(0))
        if not said:
            raise Revised  # it was stopped before its first word
        answer_id = await self._keep(question, opening, now)
        team_id = question.asker_team_id or self._team_id
        blocks = said_blocks(said, question.id, as_list=opening.telling.as_list)
        stream = await self._outbox.begin_stream(question.place, question.asker_slack_id, team_id, blocks)
        if stream is None:
            await self._forget(question)
            raise NeedsWhole
        async with self._database.writing_in(self._workspace_id) as connection:
            await mark_begun(connection, question.id, Part.EVERYBODY.value, stream.ts)
        saying = _Saying(question, opening, answer_id, stream, look, now, len(said))
        stopped = await self._go_on(saying, heard)
        await self._finish(saying, stopped=stopped)

    async def tell_again(
        self, question: Question, opening: Opening, now: Listening, look: Look, ts: str
    ) -> None:
        """Put the whole in place of what an earlier process began. Raises like `tell`."""
        stream = self._outbox.stream_again(question.place, ts)
        async with self._database.writing_in(self._workspace_id) as connection:
            await mark_taken_back(connection, question.id, Part.EVERYBODY.value)
            kept = prepared(question, Part.EVERYBODY, opening, now)
            answer_id = await keep_answer(connection, question, kept)
            await mark_begun(connection, question.id, Part.EVERYBODY.value, ts)
        saying = _Saying(question, opening, answer_id, stream, look, now)
        await self._finish(saying, stopped=False)

    async def take_back(self, question: Question, stream: Stream) -> None:
        """Leave nothing of what was begun. Raises SlackApiError."""
        await stream.take_back()
        async with self._database.writing_in(self._workspace_id) as connection:
            await mark_taken_back(connection, question.id, Part.EVERYBODY.value)

    async def _go_on(self, saying: _Saying, heard: Heard) -> bool:
        """Add what comes as long as it may; returns whether somebody stopped it."""
        pieces = 1
        while await heard.after(saying.told):
            batch = saying.fitting[saying.told :]
            if not batch or not saying.stream.takes_more or pieces >= MOST_PIECES:
                await heard.whole()
                return False
            if not await self._may_go_on(saying):
                return True
            try:
                await saying.stream.append(saying.blocks_of(batch))
            except StreamStopped:
                return True
            except SlackApiError as error:
                await asyncio.sleep(_wait_s(error))
                continue
            saying.told += len(batch)
            pieces += 1
        return False

    async def _may_go_on(self, saying: _Saying) -> bool:
        """Look whether it may; False: somebody stopped it. What must not stand there is taken back first."""
        standing = await self._standing(saying)
        if standing in {Standing.ON, Standing.STOPPED}:
            return standing is Standing.ON
        await self.take_back(saying.question, saying.stream)
        if standing is Standing.REVISED:
            raise Revised
        metrics.WITHHELD.inc()
        raise RightsMoved

    async def _standing(self, saying: _Saying) -> Standing:
        """Slack is asked again only where rights, or who is there, changed since it was."""
        question, at = saying.question, datetime.now(UTC)
        async with self._database.writing_in(self._workspace_id) as connection:
            pulse = await read_pulse(connection, question.id)
        if pulse.state in ENDED or pulse.text != question.text:
            return Standing.REVISED
        changes = self._audiences.changes(question.channel_id)
        if changes != saying.now.changes or pulse.policy_version != saying.now.everybody.policy_version:
            saying.now = await saying.look()
        else:
            saying.now = replace(saying.now, at=at)  # nothing has moved: what was seen then is so now
        if not await self._assistant.may_still_be_told(saying.opening, saying.now.everybody):
            return Standing.SHRUNK
        return Standing.STOPPED if pulse.stopped else Standing.ON

    async def _finish(self, saying: _Saying, *, stopped: bool) -> None:
        """The sources name documents: rights are looked at once more."""
        question, stream = saying.question, saying.stream
        for _ in range(PATIENT_TRIES):
            stopped = not await self._may_go_on(saying) or stopped
            closing = closing_blocks(saying.opening, question.id, saying.answer_id, stopped=stopped)
            unsaid = [] if stopped else saying.fitting[saying.told :]
            rest = [*saying.blocks_of(unsaid), *closing] if unsaid else closing
            whole = [*saying.blocks_of(saying.standing if stopped else saying.fitting), *closing]
            try:
                await stream.finish(rest, answer_text(saying.opening.telling.answer), whole, question.id)
            except StreamGone as error:
                async with self._database.writing_in(self._workspace_id) as connection:
                    await mark_taken_back(connection, question.id, Part.EVERYBODY.value)
                raise NeedsWhole from error
            except SlackApiError as error:
                refused = error
                await asyncio.sleep(_wait_s(error))
                continue
            await self._mark_sent(saying)
            return
        raise refused

    async def _keep(self, question: Question, opening: Opening, now: Listening) -> int:
        async with self._database.writing_in(self._workspace_id) as connection:
            await move(connection, question.id, "sending")
            return await keep_answer(connection, question, prepared(question, Part.EVERYBODY, opening, now))

    async def _forget(self, question: Question) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await forget_unsent(connection, question.id, Part.EVERYBODY.value)

    async def _mark_sent(self, saying: _Saying) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            part, said = Part.EVERYBODY.value, saying.opening.telling.answer
            await mark_sent(connection, saying.question.id, part, saying.stream.ts, said)
            late_s = await seconds_since_change(connection, saying.now.everybody.policy_version)
        count_sent(Part.EVERYBODY, saying.now, late_s)


def closing_blocks(
    opening: Opening, question_id: int, answer_id: int, *, stopped: bool = False, linked: bool = False
) -> list[Block]:
    """What stands under the sentences of an answer. `linked`: where Slack can be told to fetch no link."""
    answer = opening.telling.answer
    note = STOPPED if stopped else _is_cut(opening)
    notes = [note_block(note)] if note else []
    controls = answer_controls(answer, question_id, answer_id)
    return [*notes, *source_blocks(answer, linked=linked), *controls]


def prepared(question: Question, part: Part, opening: Opening, now: Listening) -> PreparedAnswer:
    """An answer to be kept: with its words as far as they were told, and all that it may come to cite."""
    answer = opening.telling.answer
    return PreparedAnswer(
        part=part.value,
        text=" ".join(sentence.text for sentence in answer.sentences),
        label_ids=opening.label_ids,
        cited=opening.telling.sources,
        clearance=now.clearance(part),
        audience=now.hearers(part, question.asker_slack_id),
        checked_at=now.at,
        model=answer.model,
    )


def count_sent(part: Part, now: Listening, late_s: float | None) -> None:
    """Measure how long after the last look, and after a change of rights, something got out."""
    metrics.ANSWERS.labels(part.value).inc()
    metrics.CHECKED_TO_SENT.observe((datetime.now(UTC) - now.at).total_seconds())
    if late_s is not None:
        metrics.DISCLOSED_AFTER_CHANGE.observe(late_s)


def _is_cut(opening: Opening) -> str | None:
    said = opening.telling.answer.sentences
    return GOES_ON if len(fitting(said)) < len(said) else None


def _wait_s(error: SlackApiError) -> float:
    """How long Slack has no time; any other error is the caller's."""
    wait_s = retry_after_s(error)
    if wait_s is None:
        raise error
    return min(wait_s, LONGEST_WAIT_S)
