"""Answers grow while people watch, each sentence only as long as all who see it may read what it is made from."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from auth.database import DatabaseUrls
from bot.answering import Telling
from bot.answering.telling import Sourced
from bot.directory_file import load_directory
from bot.proofs import check_answers
from bot.sandbox.seen import SeenMessage
from bot.sandbox.server import SandboxServer
from bot.slack.replying import RIGHTS_MOVED
from bot.slack.speaking import STOPPED
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from tests.parrot import Parrot
from tests.scenarios.conftest import Office, open_office, without_roles

BOTH = "Leave and salary bands: how many days of leave, what does a senior engineer earn?"
FIRST, SECOND = "27 days", "78,000"
PATIENCE_S = 30


class Slow(Parrot):
    """Says a sentence for each passage, the leave first, and each only when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Semaphore(0)
        self.ended = 0

    def let_go(self) -> None:
        """From now on it says all that it has to say."""
        for _ in range(50):
            self.let.release()

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        answer = await self.answer(question, passages, use_adapter)
        cited = sorted(answer.cited, key=lambda passage: passage.title)
        return Telling(
            self._said(cited), cited, found=answer.found, model="parrot", confidence=1.0, seconds={}
        )

    async def _said(self, cited: Sequence[Passage]) -> AsyncIterator[Sourced]:
        try:
            for passage in cited:
                await self.let.acquire()
                yield Sourced(passage.text, (passage,), quoted=True)
        finally:
            self.ended += 1


@dataclass(frozen=True)
class Talk:
    """An office whose bot speaks slowly."""

    office: Office
    slow: Slow

    @property
    def sandbox(self) -> SandboxServer:
        return self.office.sandbox

    async def ask(self, channel: str = "#people", question: str = BOTH) -> SeenMessage:
        """Pia asks, and the first sentence stands there."""
        asked = await self.office.visitor.post("pia", channel, f"@ostiary {question}")
        self.slow.let.release()
        await self.office.visitor.wait_for(lambda: FIRST in self.shown(asked), PATIENCE_S)
        return asked

    def shown(self, asked: SeenMessage, person: str = "pia") -> str:
        return "\n".join(message.plain for message in self.said(asked, person))

    def said(self, asked: SeenMessage, person: str = "pia") -> list[SeenMessage]:
        thread = self.office.visitor.visible_to(person, asked.channel_id, asked.ts)
        return [message for message in thread if message.by_bot]

    async def is_over(self, asked: SeenMessage) -> str:
        """Wait until the question has come to its end: which."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.office.database.writing_in(self.office.workspace_id) as connection:
                    statement = text("SELECT state FROM bot.question WHERE message_ts = :ts")
                    state = (await connection.execute(statement, {"ts": asked.ts})).scalar()
                if state not in {None, "received", "sending"}:
                    return str(state)
                await asyncio.sleep(0.05)

    def calls(self, method: str) -> int:
        return sum(call.method == f"chat.{method}" for call in self.sandbox.calls)


@pytest.fixture
async def talk(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings
) -> AsyncIterator[Talk]:
    slow = Slow()
    async with open_office(sandbox, urls, embeddings, slow) as office:
        yield Talk(office, slow)


async def test_an_answer_grows_sentence_by_sentence_and_ends_with_its_sources(talk: Talk) -> None:
    asked = await talk.ask()
    (growing,) = talk.said(asked)
    assert growing.streaming
    assert SECOND not in growing.plain
    talk.slow.let.release()
    assert await talk.is_over(asked) == "answered"
    (done,) = talk.said(asked)
    assert (done.ts, done.streaming) == (growing.ts, False)
    assert done.plain.index(FIRST) < done.plain.index(SECOND) < done.plain.index("[2] Salary bands")
    assert [talk.calls(f"{step}Stream") for step in ("start", "append", "stop")] == [1, 1, 1]
    assert talk.calls("postMessage") == 0
    assert talk.sandbox.unfurls == []
    assert not (await check_answers(talk.office.database, talk.office.workspace_id)).wrong


async def test_a_role_taken_away_while_an_answer_grows_takes_it_back(talk: Talk) -> None:
    asked = await talk.ask()
    await load_directory(talk.office.database, without_roles("pia"))
    talk.slow.let.release()
    told = await talk.office.visitor.wait_for_reply("pia", "#people", timeout=PATIENCE_S)
    assert (told.plain, told.ephemeral) == (RIGHTS_MOVED, True)
    assert not talk.said(asked)
    assert not any(SECOND in str(call.arguments) for call in talk.sandbox.calls)
    assert await talk.is_over(asked) == "answered"


async def test_somebody_who_joins_while_an_answer_grows_sees_nothing_of_it(talk: Talk) -> None:
    asked = await talk.ask()
    await talk.office.visitor.invite("#people", "enzo")
    await talk.office.visitor.wait_for(
        lambda: any(d.type == "member_joined_channel" and d.acknowledged for d in talk.sandbox.deliveries),
        PATIENCE_S,
    )
    talk.slow.let.release()
    await talk.is_over(asked)
    assert SECOND not in talk.shown(asked, "enzo")
    assert not talk.said(asked)


async def test_a_question_that_is_deleted_is_not_answered_to_its_end(talk: Talk) -> None:
    asked = await talk.ask()
    await talk.office.visitor.delete("pia", "#people", asked.ts)
    assert await talk.is_over(asked) == "dropped"
    talk.slow.let_go()
    await talk.office.visitor.wait_for(lambda: not talk.said(asked), PATIENCE_S)
    assert talk.slow.ended == 1


async def test_a_question_that_is_edited_while_it_waits_is_answered_as_edited(talk: Talk) -> None:
    asked = await talk.office.visitor.post("pia", "#people", "@ostiary What about salary bands?")
    await talk.office.visitor.edit("pia", "#people", asked.ts, "@ostiary How many days of leave?")
    await _is_heard(talk, "How many days of leave?")
    talk.slow.let_go()
    assert await talk.is_over(asked) == "answered"
    (only,) = talk.said(asked)
    assert FIRST in only.plain
    assert SECOND not in only.plain


async def test_a_message_that_asks_only_once_it_is_edited_is_a_question(talk: Talk) -> None:
    asked = await talk.office.visitor.post("pia", "#people", "How many days of leave?")
    await talk.office.visitor.edit("pia", "#people", asked.ts, "@ostiary How many days of leave?")
    talk.slow.let_go()
    await talk.office.visitor.wait_for(lambda: FIRST in talk.shown(asked), PATIENCE_S)
    assert await talk.is_over(asked) == "answered"


async def test_an_answered_question_that_is_edited_gets_no_second_answer(talk: Talk) -> None:
    asked = await talk.ask(question="How many days of leave?")
    talk.slow.let_go()
    assert await talk.is_over(asked) == "answered"
    await talk.office.visitor.edit("pia", "#people", asked.ts, "@ostiary What about salary bands?")
    other = await talk.office.visitor.dm("pia", "How many days of leave are there?")
    assert await talk.is_over(other) == "answered"
    assert len(talk.said(asked)) == 1


async def test_the_stop_button_stops_the_model_and_what_was_said_stays(talk: Talk) -> None:
    asked = await talk.ask()
    await talk.office.visitor.stop_answer("pia", "#people", asked.ts)
    assert await talk.is_over(asked) == "answered"
    (stands,) = talk.said(asked)
    assert FIRST in stands.plain
    assert STOPPED in stands.plain
    assert SECOND not in stands.plain
    assert not stands.streaming
    assert talk.slow.ended == 1


async def test_a_stream_that_slack_has_ended_is_made_whole(talk: Talk) -> None:
    asked = await talk.ask()
    talk.sandbox.sandbox.workspace.stream_seconds = 0.0
    talk.slow.let.release()
    assert await talk.is_over(asked) == "answered"
    (whole,) = talk.said(asked)
    assert whole.plain.count(FIRST) == whole.plain.count(SECOND) == 1
    assert "[2] Salary bands" in whole.plain
    assert talk.calls("update") == 1


async def test_where_slack_has_no_time_for_streams_an_answer_is_one_message(talk: Talk) -> None:
    talk.sandbox.limits.refuse_next("chat.startStream", retry_after=30)
    talk.slow.let_go()
    for _ in range(2):
        one = await talk.office.visitor.post("pia", "#people", f"@ostiary {BOTH}")
        assert await talk.is_over(one) == "answered"
        (whole,) = talk.said(one)
        assert whole.plain.count(FIRST) == whole.plain.count(SECOND) == 1
    assert (talk.calls("startStream"), talk.calls("postMessage")) == (1, 2)


async def test_a_stream_that_slack_has_no_time_to_add_to_or_to_end_is_ended_once_it_has(talk: Talk) -> None:
    talk.sandbox.limits.refuse_next("chat.appendStream", retry_after=1)
    talk.sandbox.limits.refuse_next("chat.stopStream", retry_after=1)
    asked = await talk.ask()
    talk.slow.let.release()
    assert await talk.is_over(asked) == "answered"
    (whole,) = talk.said(asked)
    assert whole.plain.count(FIRST) == whole.plain.count(SECOND) == 1
    assert not whole.streaming


async def test_a_right_that_goes_while_slack_has_no_time_holds_the_rest_back(talk: Talk) -> None:
    talk.sandbox.limits.refuse_next("chat.appendStream", retry_after=2)
    asked = await talk.ask()
    talk.slow.let.release()
    await talk.office.visitor.wait_for(lambda: talk.calls("appendStream") == 1, PATIENCE_S)
    await load_directory(talk.office.database, without_roles("pia"))
    await talk.is_over(asked)
    assert not talk.said(asked)
    assert talk.calls("appendStream") == 1


async def test_in_a_direct_message_an_answer_grows_under_its_question(talk: Talk) -> None:
    asked = await talk.office.visitor.dm("pia", BOTH)
    talk.slow.let_go()
    reply = await talk.office.visitor.wait_for_reply("pia", "@ostiary", asked.ts, timeout=PATIENCE_S)
    assert reply.plain.count(FIRST) == reply.plain.count(SECOND) == 1
    assert talk.calls("startStream") == 1


async def _is_heard(talk: Talk, words: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with talk.office.database.writing_in(talk.office.workspace_id) as connection:
                said = (await connection.execute(text("SELECT text FROM bot.question"))).scalars().all()
            if words in said:
                return
            await asyncio.sleep(0.02)
