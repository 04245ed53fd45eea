"""Killed at any point, the bot loses no question and repeats no answer; nor do two of them disturb each other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from auth.database import DatabaseUrls
from auth.server import RunningServer
from bot.sandbox.seen import SeenMessage
from bot.slack.replying import INTERRUPTED
from retrieval.embedding import LocalEmbeddings
from tests.conftest import fresh_database
from tests.scenarios.bot_process import Workplace, open_workplace

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAND = "What does a senior engineer earn?"
LEAVE = "How many days of paid leave do employees receive a year?"


@pytest.fixture(scope="module")
def kept_urls(server: RunningServer) -> Iterator[DatabaseUrls]:
    with fresh_database(server, __name__) as urls:
        yield urls


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workplace(kept_urls: DatabaseUrls, embeddings: LocalEmbeddings) -> AsyncIterator[Workplace]:
    """A workspace that delivers every event twice, nobody at the desk yet."""
    async with open_workplace(kept_urls, embeddings) as opened:
        opened.slack.deliver_twice = True
        opened.slack.subscriptions.add("message.channels")  # so that a mention arrives as two events
        yield opened


async def test_two_bots_answer_each_question_once(workplace: Workplace) -> None:
    await workplace.staff(2)
    asked = [await workplace.visitor.dm("pia", LEAVE) for _ in range(4)]
    mentions = [await workplace.visitor.post("enzo", "#general", f"@ostiary {LEAVE}") for _ in range(4)]
    for question in [*asked, *mentions]:
        await workplace.is_stored(question)
    await workplace.everything_is_done()
    assert times_told(workplace.said_to("pia", asked[0])) == [1, 1, 1, 1]
    for question in mentions:
        assert times_told(workplace.said_below(question)) == [1]


async def test_a_bot_that_was_taken_for_dead_does_not_answer_again(workplace: Workplace) -> None:
    """A laptop that slept, a machine that was moved: its work is given to another, and then it wakes up."""
    await workplace.staff(2)
    async with workplace.frozen_while_generating() as frozen:
        asked = await workplace.visitor.dm("enzo", LEAVE)
    assert workplace.state_of(asked) == "received"
    workplace.take_for_dead()
    await workplace.everything_is_done()
    (sleeper,) = frozen
    await asyncio.to_thread(sleeper.end)  # it wakes up, finishes what it has in hand, and leaves
    assert times_told(workplace.said_to("enzo", asked)) == [1]


@dataclass(frozen=True)
class Wreck:
    """Questions by how far they had come when the bot was killed."""

    begun: SeenMessage
    shown_to_one: SeenMessage
    about_to_be_begun: SeenMessage
    generating: SeenMessage
    queued: SeenMessage
    unheard: SeenMessage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wreck(workplace: Workplace) -> Wreck:
    """A bot with all four hands full, killed; and another, started after one more question was asked."""
    (bot,) = await workplace.staff(1)
    slack, visitor = workplace.slack, workplace.visitor
    desk_of_enzo = visitor.where("enzo", "@ostiary").channel_id
    with ExitStack() as gates:
        after_beginning = gates.enter_context(slack.gate("chat.startStream", "C0GENERAL", after=True))
        after_showing = gates.enter_context(slack.gate("chat.postEphemeral", "C0MIXED", after=True))
        before_beginning = gates.enter_context(slack.gate("chat.startStream", desk_of_enzo))
        begun = await visitor.post("pia", "#general", f"@ostiary {LEAVE}")
        await after_beginning.is_reached()
        shown_to_one = await visitor.post("pia", "#mixed", f"@ostiary {BAND}")
        await after_showing.is_reached()
        about_to_be_begun = await visitor.dm("enzo", LEAVE)
        await before_beginning.is_reached()
        async with workplace.frozen_while_generating():
            generating = await visitor.dm("pia", LEAVE)
            await workplace.is_at_the_library()
            queued = await visitor.post("enzo", "#mixed", f"@ostiary {LEAVE}")
            await workplace.is_stored(queued)
        bot.kill()
        await workplace.nobody_is_there()
    await before_beginning.dropped.wait()
    known = [begun, shown_to_one, about_to_be_begun, generating, queued]
    assert [workplace.state_of(asked) for asked in known] == ["sending"] * 3 + ["received"] * 2
    unheard = await visitor.post("pia", "#people", f"@ostiary {BAND}")
    await workplace.staff(1)
    await workplace.is_stored(unheard)
    await workplace.everything_is_done()
    return Wreck(begun, shown_to_one, about_to_be_begun, generating, queued, unheard)


async def test_an_answer_that_was_begun_and_not_recorded_is_made_whole_where_it_stands(
    wreck: Wreck, workplace: Workplace
) -> None:
    (only,) = workplace.said_below(wreck.begun)
    assert times_told([only]) == [1]
    assert not only.streaming
    assert workplace.recorded(wreck.begun) == [("channel", only.ts)]


async def test_an_answer_that_one_person_was_shown_is_not_shown_again(
    wreck: Wreck, workplace: Workplace
) -> None:
    """Slack keeps no copy of it: nobody can tell that it was shown, so its reader is asked."""
    told, notice = workplace.said_to("pia", wreck.shown_to_one)[:2]
    assert "78,000" in told.plain
    assert told.ephemeral
    assert (notice.plain, notice.ephemeral) == (INTERRUPTED, True)
    assert not workplace.said_below(wreck.shown_to_one)


async def test_an_answer_that_was_not_yet_begun_is_told_once(wreck: Wreck, workplace: Workplace) -> None:
    assert times_told(workplace.said_to("enzo", wreck.about_to_be_begun)) == [1]


async def test_a_question_whose_answer_was_being_generated_is_answered_once(
    wreck: Wreck, workplace: Workplace
) -> None:
    assert times_told(workplace.said_to("pia", wreck.generating)) == [1]


async def test_a_question_that_was_only_acknowledged_is_answered_once(
    wreck: Wreck, workplace: Workplace
) -> None:
    assert times_told(workplace.said_below(wreck.queued)) == [1]


async def test_a_question_asked_while_nobody_was_there_is_answered_once(
    wreck: Wreck, workplace: Workplace
) -> None:
    (only,) = workplace.said_below(wreck.unheard)
    assert "78,000" in only.plain


@dataclass(frozen=True)
class HalfTold:
    """Questions whose answers were growing, or had just come to their end, when the bot was killed."""

    growing: SeenMessage
    ended: SeenMessage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def half_told(wreck: Wreck, workplace: Workplace) -> HalfTold:
    (bot,) = await workplace.staff(1)
    slack, visitor = workplace.slack, workplace.visitor
    with (
        slack.gate("chat.stopStream", "C0GENERAL") as before,
        slack.gate("chat.stopStream", "C0PEOPLE", after=True) as after,
    ):
        growing = await visitor.post("pia", "#general", f"@ostiary {LEAVE}")
        ended = await visitor.post("pia", "#people", f"@ostiary {LEAVE}")
        await before.is_reached()
        await after.is_reached()
        assert [message.streaming for message in workplace.said_below(growing)] == [True]
        bot.kill()
        await workplace.nobody_is_there()
    await before.dropped.wait()
    await workplace.staff(1)
    await workplace.everything_is_done()
    return HalfTold(growing, ended)


async def test_an_answer_that_was_growing_is_made_whole_where_it_stands(
    half_told: HalfTold, workplace: Workplace
) -> None:
    (only,) = workplace.said_below(half_told.growing)
    assert times_told([only]) == [1]
    assert (only.streaming, "[1] Leave" in only.plain) == (False, True)
    assert workplace.recorded(half_told.growing) == [("channel", only.ts)]


async def test_an_answer_that_had_ended_and_was_not_recorded_stands_once(
    half_told: HalfTold, workplace: Workplace
) -> None:
    (only,) = workplace.said_below(half_told.ended)
    assert times_told([only]) == [1]
    assert only.plain.count("Show passages") == 1
    assert workplace.recorded(half_told.ended) == [("channel", only.ts)]


async def test_no_question_is_left_open(half_told: HalfTold, workplace: Workplace) -> None:
    states = workplace.rows("SELECT DISTINCT state FROM bot.question")
    assert states == [("answered",)]


def times_told(said: list[SeenMessage]) -> list[int]:
    """How often each message gives the answer to LEAVE; a bare [1]: one message, one answer."""
    return [message.plain.count("27 days") for message in said]
