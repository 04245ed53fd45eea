"""What is measured: every figure as somebody who sits before Slack would see it."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from auth.database import Database, DatabaseUrls
from auth.directory import register_workspace
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.background import in_background
from bot.sandbox.carriers import Carrier
from bot.sandbox.seen import SeenMessage
from bot.slack.replying import INTERRUPTED, WENT_WRONG
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from tests.scenarios.bot_process import Workplace, until

PATIENCE_S = 300.0
QUESTION = "How many days of paid leave do employees receive?"
LONG_QUESTION = "What must employees do before a business trip is booked, and who approves the hotel?"
# Long enough that its sentences are put into words by the model and not just quoted.
HANDBOOK = (
    "# Business trips\n\nBefore a business trip is booked employees ask their manager for approval in writing and"
    " name the purpose, the dates, the place and what it will cost. The office books trains and hotels for all"
    " employees two weeks ahead and keeps the receipts. A hotel night that costs more than 140 euros is approved by"
    " the head of finance before it is booked, and the manager tells the office so by mail."
)


@dataclass(frozen=True)
class Acknowledged:
    """Seconds until Slack heard "ok"."""

    events: int
    p50_s: float
    p99_s: float
    worst_s: float


@dataclass(frozen=True)
class FirstWords:
    """Seconds from a question to the first words of its answer in Slack."""

    questions: int
    median_s: float
    worst_s: float


@dataclass(frozen=True)
class Outlived:
    """What became of questions across kills. `told_to_ask_again`: answered by saying that nobody knows."""

    questions: int
    kills: int
    lost: int
    doubled: int
    told_to_ask_again: int
    seconds: float


class Timed:
    """A carrier that notes how long the app takes for events."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.seconds: list[float] = []

    @property
    def reaches_app(self) -> bool:
        return self._carrier.reaches_app

    async def exchange(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any]:
        since = time.perf_counter()
        try:
            return await self._carrier.exchange(envelope, seconds)
        finally:
            self.seconds.append(time.perf_counter() - since)


async def add_handbook(urls: DatabaseUrls, embeddings: LocalEmbeddings) -> None:
    """A page that everybody may read, beside what the office has."""
    database = Database(urls)
    try:
        async with database.registering() as connection:
            workspace_id = await register_workspace(connection, "T0TEST", "Test")
        async with database.writing_in(workspace_id) as connection:
            label_id = await intern_label(connection, parse_policy("everyone"))
        async with ParserProcess() as parser:
            page = Submission("Trips", "trips.md", HANDBOOK.encode(), label_id, "Trips")
            await Ingestor(database, embeddings, parser).ingest(workspace_id, page)
    finally:
        await database.close()


async def time_acknowledgements(workplace: Workplace, events: int) -> Acknowledged:
    """All at one moment, while as many as are worked on at once are worked on."""
    await workplace.staff(1)
    visitor, deliveries = workplace.visitor, workplace.slack.sandbox.deliveries
    await _answered(workplace, await visitor.dm("enzo", QUESTION))
    for number in range(16):
        await visitor.dm("pia", f"{LONG_QUESTION} I ask for trip {number}.")
    await until(lambda: bool(workplace.rows(_IN_HAND)), "the bot is at work", PATIENCE_S)
    timed = Timed(deliveries.carrier)
    deliveries.carrier = timed
    await asyncio.gather(*(visitor.dm("enzo", f"{LONG_QUESTION} It is trip {n}.") for n in range(events)))
    await until(lambda: len(timed.seconds) >= events, "all are acknowledged", PATIENCE_S)
    took = sorted(timed.seconds)
    return Acknowledged(len(took), median(took), quantiles(took, n=100)[98], took[-1])


_IN_HAND = "SELECT 1 FROM procrastinate.procrastinate_jobs WHERE task_name = 'answer' AND status = 'doing'"


async def first_words(workplace: Workplace, questions: int) -> FirstWords:
    """One at a time, after one that warms up."""
    await workplace.staff(1)
    await _answered(workplace, await workplace.visitor.dm("enzo", LONG_QUESTION))
    took = []
    for number in range(questions):
        since = time.perf_counter()
        asked = await workplace.visitor.dm("enzo", f"{LONG_QUESTION} It is trip {number}.")
        await _begun(workplace, asked)
        took.append(time.perf_counter() - since)
        await _answered(workplace, asked)
    return FirstWords(questions, median(took), max(took))


async def kill_again_and_again(workplace: Workplace, questions: int, rate: float, every_s: float) -> Outlived:
    """Questions come in while nobody is there, too; at the end somebody stays until all are done."""
    since = time.perf_counter()
    await workplace.staff(1)
    kills = 0

    async def keep_killing() -> None:
        nonlocal kills
        while True:
            await asyncio.sleep(every_s)
            bot = next(bot for bot in workplace.bots if bot.is_running)
            await asyncio.to_thread(bot.kill)
            kills += 1
            await workplace.nobody_is_there()
            await workplace.staff(1)

    asked = []
    async with in_background(keep_killing()):
        for number in range(questions):
            asked.append(await _ask(workplace, number))
            await asyncio.sleep(1 / rate)
    await workplace.staff(1)
    for one in asked:
        await until(lambda one=one: workplace.state_of(one) is not None, "a question is stored", PATIENCE_S)  # type: ignore[misc]
    await until(lambda: not workplace.rows(_OPEN), "all questions are done", 3600)
    told = Counter(len(_answers(workplace, one)) for one in asked)
    again = sum(_is_apology(workplace, one) for one in asked)
    lost, doubled = told[0] - again, sum(count for times, count in told.items() if times > 1)
    return Outlived(questions, kills, lost, doubled, again, time.perf_counter() - since)


_OPEN = "SELECT 1 FROM bot.question WHERE state IN ('received', 'sending') LIMIT 1"


async def _ask(workplace: Workplace, number: int) -> SeenMessage:
    """In a direct message and in a channel by turns: each question is answered in a thread of its own."""
    if number % 2:
        return await workplace.visitor.dm("enzo", f"{QUESTION} I am number {number}.")
    return await workplace.visitor.post("enzo", "#general", f"@ostiary {QUESTION} I am number {number}.")


def _said(workplace: Workplace, asked: SeenMessage) -> list[SeenMessage]:
    thread = workplace.visitor.visible_to("enzo", asked.channel_id, asked.ts)
    return [message for message in thread if message.by_bot]


def _answers(workplace: Workplace, asked: SeenMessage) -> list[SeenMessage]:
    return [said for said in _said(workplace, asked) if "27 days" in said.plain and not said.streaming]


def _is_apology(workplace: Workplace, asked: SeenMessage) -> bool:
    said = _said(workplace, asked)
    return not _answers(workplace, asked) and any(m.plain in {INTERRUPTED, WENT_WRONG} for m in said)


async def _begun(workplace: Workplace, asked: SeenMessage) -> None:
    await workplace.visitor.wait_for(lambda: _said(workplace, asked), PATIENCE_S)


async def _answered(workplace: Workplace, asked: SeenMessage) -> None:
    await until(lambda: workplace.state_of(asked) == "answered", "a question is answered", PATIENCE_S)
