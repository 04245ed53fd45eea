"""Sources are read when their time has come: once, by one process, and once only after a long absence."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg

from auth.database import DatabaseUrls
from bot.administering.changes import PauseSource
from bot.queue import JobQueue, QueueSettings
from bot.source_jobs import LOOK_JOB, REFRESH_JOB, SourceKeeper
from retrieval.sources.kept import Counts, Kind
from tests.integration.sources.conftest import Keeping

FAST = QueueSettings(polling_s=0.2, heartbeat_s=0.5, dead_after_s=2.0, retry_wait_s=0)
DAY = timedelta(days=1)


def queue_of(keeping: Keeping, urls: DatabaseUrls) -> tuple[JobQueue, SourceKeeper]:
    queue = JobQueue(urls, keeping.workspace_id, FAST)
    keeper = SourceKeeper(keeping.database, keeping.workspace_id, keeping.ingestor, keeping.readers)
    keeper.register(queue)
    return queue, keeper


def rows(urls: DatabaseUrls, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def jobs(urls: DatabaseUrls) -> list[object]:
    statement = "SELECT args ->> 'source_id' FROM procrastinate.procrastinate_jobs WHERE task_name = '{}'"
    return [row[0] for row in rows(urls, statement.format(REFRESH_JOB))]


def pass_time(urls: DatabaseUrls, days: int) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute(
            "UPDATE retrieval.source SET next_at = next_at - make_interval(days => %s)", [days]
        )


async def until(is_so: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while not is_so():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)


async def test_what_is_due_is_queued_once_however_often_one_looks(
    keeping: Keeping, urls: DatabaseUrls, folder: Path
) -> None:
    due = await keeping.add(Kind.PATH, folder, every=DAY)
    paused = await keeping.add(Kind.PATH, folder / "pay", every=DAY)
    await keeping.carry_out(PauseSource(paused))
    await keeping.add(Kind.PATH, folder / "parking.md")
    _, keeper = queue_of(keeping, urls)
    await keeper.look()
    await keeper.look()
    assert jobs(urls) == [str(due)]


async def test_after_many_days_away_there_is_one_run(
    keeping: Keeping, urls: DatabaseUrls, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder, every=DAY)
    await keeping.counts(source)
    _, keeper = queue_of(keeping, urls)
    await keeper.look()
    assert jobs(urls) == []
    pass_time(urls, days=30)
    await keeper.look()
    assert jobs(urls) == [str(source)]
    await keeping.counts(source)
    read = await keeping.source(source)
    assert read.next_at is not None
    assert read.ended_at is not None
    assert read.next_at - read.ended_at == DAY


async def test_a_worker_looks_every_minute_and_reads_what_is_due(
    keeping: Keeping, urls: DatabaseUrls, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder, every=DAY)
    queue, _ = queue_of(keeping, urls)
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        await queue.defer(connection, LOOK_JOB, timestamp=0)  # as if a minute had begun
    async with queue.working():
        await until(lambda: rows(urls, "SELECT 1 FROM retrieval.source WHERE ended_at IS NULL") == [])
    assert (await keeping.source(source)).counts == Counts(added=2)
    assert set(await keeping.documents()) == {"parking.md", "bands.md"}
