"""Jobs as somebody sees them who looks after them: how far they are, why they failed, called off, tried again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from auth.audit import Sought, search
from auth.database import Database, DatabaseUrls
from auth.errors import OstiaryError
from bot.jobs import CANCELLED, JobEntry, JobStands, UnknownJob, cancel_job, job_with, list_jobs, retry_job
from bot.progress import Stage, report
from bot.queue import ALL_LANES, SLOW_LANES, JobQueue, Lane, QueueSettings

FAST = QueueSettings(polling_s=0.1, heartbeat_s=0.5, dead_after_s=2.0, retry_wait_s=0, tries=2)
REFRESH, ANSWER = "refresh_source", "answer"


class Shop:
    """A queue whose jobs do what a test tells them to."""

    def __init__(self, database: Database, urls: DatabaseUrls, workspace_id: int) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.urls = urls
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.told: list[str] = []
        self.fails: Exception | None = None

    def queue(self, lanes: frozenset[Lane] = ALL_LANES) -> JobQueue:
        queue = JobQueue(self.urls, self.workspace_id, FAST, lanes)
        queue.on(REFRESH, self._work, self._given_up, lane=Lane.SOURCES, called_off=self._called_off)
        queue.on(ANSWER, self._answer, self._given_up)
        return queue

    async def _work(self, source_id: int) -> None:
        report("reading", 3, 7)
        self.began.set()
        if self.fails is not None:
            raise self.fails
        await self.may_end.wait()
        self.told.append(f"done {source_id}")

    async def _answer(self, source_id: int) -> None:
        self.told.append(f"answered {source_id}")

    async def _given_up(self, source_id: int) -> None:
        self.told.append(f"given up {source_id}")

    async def _called_off(self, source_id: int) -> None:
        await asyncio.sleep(0)  # what ended the work does not end this
        self.told.append(f"called off {source_id}")

    async def defer(self, name: str = REFRESH, number: int = 1) -> JobEntry:
        async with self.database.writing_in(self.workspace_id) as connection:
            await self.queue().defer(connection, name, source_id=number)
        return (await self.jobs())[-1]

    async def jobs(self) -> list[JobEntry]:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await list_jobs(connection)

    async def job(self, job_id: int) -> JobEntry:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await job_with(connection, job_id)

    async def cancel(self, job_id: int) -> JobEntry:
        async with self.database.writing_in(self.workspace_id, "command line") as connection:
            return await cancel_job(connection, job_id)

    async def retry(self, job_id: int) -> JobEntry:
        async with self.database.writing_in(self.workspace_id, "command line") as connection:
            return await retry_job(connection, job_id)


@pytest.fixture
async def shop(database: Database, urls: DatabaseUrls, workspace_id: int) -> Shop:
    return Shop(database, urls, workspace_id)


@asynccontextmanager
async def at_work(shop: Shop, lanes: frozenset[Lane] = ALL_LANES) -> AsyncIterator[None]:
    async with shop.queue(lanes).working():
        yield


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_running_job_tells_how_far_it_is_and_leaves_nothing_when_it_is_done(shop: Shop) -> None:
    job = await shop.defer()
    assert (job.state, job.stage) == ("waiting", None)
    async with at_work(shop):

        async def is_known() -> bool:
            return (await shop.job(job.id)).stage == Stage("reading", 3, 7)

        await until(is_known)
        assert (await shop.job(job.id)).state == "running"
        shop.may_end.set()

        async def is_gone() -> bool:
            return await shop.jobs() == []

        await until(is_gone)
    with pytest.raises(UnknownJob):
        await shop.job(job.id)
    assert shop.told == ["done 1"]


async def test_a_job_that_fails_again_and_again_is_set_aside_with_its_reason_and_can_be_tried_again(
    shop: Shop,
) -> None:
    shop.fails = OstiaryError("The moon is in the way.")
    job = await shop.defer()
    async with at_work(shop):

        async def has_failed() -> bool:
            return (await shop.job(job.id)).state == "failed"

        await until(has_failed)
        failed = await shop.job(job.id)
        assert (failed.reason, shop.told) == ("The moon is in the way.", ["given up 1"])
        shop.fails = None
        shop.may_end.set()
        assert (await shop.retry(job.id)).state == "failed"

        async def is_done() -> bool:
            return "done 1" in shop.told

        await until(is_done)


async def test_a_fault_of_ours_is_not_told_in_full(shop: Shop) -> None:
    shop.fails = RuntimeError("the words of a document")
    job = await shop.defer()
    async with at_work(shop):

        async def has_failed() -> bool:
            return (await shop.job(job.id)).state == "failed"

        await until(has_failed)
    reason = (await shop.job(job.id)).reason
    assert reason is not None
    assert reason.startswith("Something went wrong (RuntimeError).")
    assert "words" not in reason


async def test_a_job_that_waits_is_cancelled_and_never_done(shop: Shop) -> None:
    job = await shop.defer()
    shop.may_end.set()
    assert (await shop.cancel(job.id)).state == "waiting"
    await shop.defer(number=2)
    async with at_work(shop):

        async def second_is_done() -> bool:
            return shop.told != []

        await until(second_is_done)
    assert shop.told == ["done 2"]
    assert (await shop.job(job.id)).state == "cancelled"
    with pytest.raises(JobStands, match="was cancelled already"):
        await shop.cancel(job.id)
    async with shop.database.writing_in(shop.workspace_id) as connection:
        (event,) = await search(connection, Sought(kind=CANCELLED))
    assert (event.actor, event.details) == ("command line", {"job": job.id, "name": REFRESH})


async def test_a_job_that_runs_is_told_to_stop_and_not_tried_again(shop: Shop) -> None:
    job = await shop.defer()
    async with at_work(shop):
        await asyncio.wait_for(shop.began.wait(), 30)
        assert (await shop.cancel(job.id)).state == "running"

        async def is_off() -> bool:
            return (await shop.job(job.id)).state == "cancelled"

        await until(is_off)
        assert shop.told == ["called off 1"]
        shop.may_end.set()
        await shop.defer(number=2)

        async def second_is_done() -> bool:
            return len(shop.told) == 2

        await until(second_is_done)
    assert shop.told == ["called off 1", "done 2"]


async def test_a_worker_that_stops_leaves_its_job_to_the_next(shop: Shop) -> None:
    job = await shop.defer()
    async with at_work(shop):
        await asyncio.wait_for(shop.began.wait(), 30)
    assert (await shop.job(job.id)).state == "waiting"
    assert shop.told == []


async def test_a_process_that_falls_asleep_on_its_watch_is_relieved_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep, on_watch = asyncio.Event(), asyncio.Event()
    sleeper, other = shop.queue(), shop.queue()

    async def sleep(queue: str) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async def look(queue: str) -> None:
        on_watch.set()

    monkeypatch.setattr(sleeper, "_recover", sleep)
    monkeypatch.setattr(other, "_recover", look)
    async with asyncio.timeout(30), sleeper.working():
        await asleep.wait()
        async with other.working():
            await on_watch.wait()


async def test_what_somebody_waits_for_cannot_be_cancelled(shop: Shop) -> None:
    job = await shop.defer(ANSWER)
    with pytest.raises(JobStands, match="somebody waits for an answer"):
        await shop.cancel(job.id)


async def test_what_did_not_fail_is_not_tried_again(shop: Shop) -> None:
    job = await shop.defer()
    with pytest.raises(JobStands, match="it is waiting"):
        await shop.retry(job.id)


async def test_documents_keep_no_question_waiting(shop: Shop) -> None:
    for number in range(1, 8):
        await shop.defer(number=number)
    await shop.defer(ANSWER, number=9)
    async with at_work(shop):

        async def is_answered() -> bool:
            return shop.told == ["answered 9"]

        await until(is_answered)
        shop.may_end.set()


async def test_a_bot_without_a_worker_leaves_documents_to_others(shop: Shop) -> None:
    job = await shop.defer()
    await shop.defer(ANSWER, number=9)
    async with at_work(shop, ALL_LANES - SLOW_LANES):

        async def is_answered() -> bool:
            return shop.told == ["answered 9"]

        await until(is_answered)
        assert (await shop.job(job.id)).state == "waiting"
        shop.may_end.set()
        async with at_work(shop, SLOW_LANES):

            async def is_done() -> bool:
                return "done 1" in shop.told

            await until(is_done)


async def test_jobs_of_another_workspace_are_not_seen(shop: Shop, database: Database) -> None:
    from auth.directory import register_workspace

    job = await shop.defer()
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        assert await list_jobs(connection) == []
        with pytest.raises(UnknownJob):
            await cancel_job(connection, job.id)
