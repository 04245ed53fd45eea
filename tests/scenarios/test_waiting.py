"""Whoever waits is told how many are before them; nobody is told that something is made for one person alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from auth.database import DatabaseUrls
from bot.answering import Telling
from bot.generation.asking import present_listener
from bot.sandbox.seen import SeenMessage
from bot.sandbox.server import SandboxServer
from bot.slack.presence import READING, waiting
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from tests.parrot import Parrot
from tests.scenarios.conftest import FAST_QUEUE, Office, open_office

LEAVE = "@ostiary How many days of leave?"
PATIENCE_S = 60


class Busy(Parrot):
    """Says that others are before whoever asks, and speaks when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Semaphore(0)
        self.begun = 0

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        self.begun += 1
        if listener := present_listener():
            listener(3)
        await self.let.acquire()
        return await super().begin(question, passages, use_adapter)


@pytest.fixture
def busy() -> Busy:
    return Busy()


@pytest.fixture
async def queued_office(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings, busy: Busy
) -> AsyncIterator[Office]:
    """One question at a time."""
    one_by_one = replace(FAST_QUEUE, concurrency=1)
    async with open_office(sandbox, urls, embeddings, busy, one_by_one) as office:
        yield office


def status_under(office: Office, asked: SeenMessage, person: str = "pia") -> str:
    under = (s for s in office.visitor.statuses(person) if s.thread_ts == asked.ts)
    return next((status.text for status in under), "")


async def test_whoever_waits_is_told_their_place_in_the_line(queued_office: Office, busy: Busy) -> None:
    office = queued_office
    asked = [await office.visitor.post("pia", "#general", LEAVE) for _ in range(4)]
    # Whichever came first is before the model, where two others are; behind it, three wait.
    said = sorted([waiting(3), waiting(1), waiting(2), waiting(3)])
    await office.visitor.wait_for(
        lambda: sorted(status_under(office, one) for one in asked) == said, PATIENCE_S
    )
    for _ in range(2 * len(asked)):  # a part for everybody, and one for pia alone
        busy.let.release()
    for one in asked:
        await office.visitor.wait_for_reply("pia", "#general", one.ts, timeout=PATIENCE_S)
    await office.visitor.wait_for(lambda: not office.visitor.statuses("pia"), PATIENCE_S)


async def test_what_is_made_for_one_person_alone_shows_nobody_that_it_is_made(
    queued_office: Office, busy: Busy
) -> None:
    office = queued_office
    busy.let.release()
    asked = await office.visitor.post("pia", "#mixed", "@ostiary Leave and salary bands?")
    await office.visitor.wait_for_reply("pia", "#mixed", asked.ts, timeout=PATIENCE_S)
    await office.visitor.wait_for(lambda: busy.begun == 2, PATIENCE_S)
    busy.let.release()
    await office.visitor.wait_for(
        lambda: any(call.method == "chat.postEphemeral" for call in office.sandbox.calls), PATIENCE_S
    )
    calls = office.sandbox.calls
    told = max(at for at, call in enumerate(calls) if call.method == "chat.stopStream")
    shown = [call for call in calls[told:] if call.method == "assistant.threads.setStatus"]
    assert not any(call.arguments.get("status") for call in shown)
    assert status_under(office, asked, "enzo") == ""


@pytest.mark.parametrize(
    ("place", "said"),
    [(1, "you are next ..."), (2, "you are second in line ..."), (11, "you are number 11 in line ...")],
)
def test_a_place_is_said_in_words(place: int, said: str) -> None:
    assert waiting(place) == f"is busy: {said}"
    assert waiting(place) != READING
