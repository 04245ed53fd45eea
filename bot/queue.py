"""The job queue: work is recorded in the transaction of what asks for it, and outlives every crash.

Procrastinate on the same PostgreSQL. Nothing in it recovers by itself after a SIGKILL, so a watch goes round:
jobs whose worker stopped beating are given to a living one, and a job that keeps killing its worker is set
aside after a few tries. Each lane is a queue of its own, so that long work keeps nobody waiting for an answer,
and so that other machines can take some of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import procrastinate
import structlog
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job, Status
from procrastinate.types import JSONValue
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import APP, DatabaseUrls, connection_options
from auth.errors import OstiaryError
from bot.background import end
from bot.progress import Stage, written_down

log = structlog.get_logger(__name__)

Work = Callable[..., Awaitable[None]]
LONGEST_WAIT_S = 300
MOST_TRIES = 300  # at the longest wait between them, a day
_BE_SOLE_WATCH = (
    "SELECT pg_try_advisory_xact_lock(hashtextextended('stalled jobs', 0)),"
    " set_config('idle_in_transaction_session_timeout', %s, true)"
)
_ENTER = "SELECT set_config('ostiary.workspace_id', %s, true)"
_NOTE = (
    "INSERT INTO bot.job_note (workspace_id, job_id, stage, done, total) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (workspace_id, job_id) DO UPDATE SET stage = excluded.stage, done = excluded.done,"
    "  total = excluded.total, noted_at = now()"
)
_NOTE_REASON = (
    "INSERT INTO bot.job_note (workspace_id, job_id, reason) VALUES (%s, %s, %s)"
    " ON CONFLICT (workspace_id, job_id) DO UPDATE SET reason = excluded.reason, noted_at = now()"
)
_DROP_NOTE = "DELETE FROM bot.job_note WHERE workspace_id = %s AND job_id = %s"


class Lane(StrEnum):
    """What kind of work a job is; the value ends the name of its queue."""

    TALK = ""
    """Questions, and whatever somebody waits for: done where the bot is connected."""
    HANDED_IN = "-handed-in"
    """Documents that somebody handed in through Slack: whoever does it tells them."""
    SOURCES = "-sources"
    """Sources that are kept: nobody waits, and Slack is not needed."""


ALL_LANES = frozenset(Lane)
SLOW_LANES = frozenset({Lane.HANDED_IN, Lane.SOURCES})


def queue_name(workspace_id: int, lane: Lane) -> str:
    return f"workspace-{workspace_id}{lane.value}"


class NotQueued(OstiaryError):
    """A job could not be recorded, because the database is away."""


@dataclass(frozen=True)
class QueueSettings:
    """How many jobs at once, how often a job is tried, and after how many seconds a silent worker is dead.

    `slow_concurrency` is for documents, beside the others: a document takes a core, an answer must not wait for it.
    Questions are worked on together, since a model writes several texts in the time of one or two.
    """

    concurrency: int = 8
    slow_concurrency: int = 2
    tries: int = 3
    retry_wait_s: int = 2
    heartbeat_s: float = 2.0
    dead_after_s: float = 10.0
    polling_s: float = 2.0


class GivenUp(Exception):
    """A job failed for the last time, and whom it concerns was told."""


class Patience(procrastinate.BaseRetryStrategy):
    """Try again soon, a few times; then ever more rarely, for as long as nobody could even be told."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision | None:
        if isinstance(exception, GivenUp) or job.attempts >= MOST_TRIES:
            return None
        beyond = max(job.attempts + 2 - self._settings.tries, 0)
        wait_s = min(self._settings.retry_wait_s * 2**beyond, LONGEST_WAIT_S)
        return procrastinate.RetryDecision(retry_in={"seconds": wait_s})


class JobQueue:
    """The work of one workspace, and a worker that does it. `given_up` is told of a job not to be tried again."""

    def __init__(
        self,
        urls: DatabaseUrls,
        workspace_id: int,
        settings: QueueSettings | None = None,
        lanes: Collection[Lane] = ALL_LANES,
    ) -> None:
        self._settings = settings or QueueSettings()
        self._workspace_id = workspace_id
        self._lanes = frozenset(lanes)
        self._connector = procrastinate.PsycopgConnector(
            conninfo=urls.app or urls.admin,
            kwargs={"options": connection_options(APP)},
            min_size=1,
            max_size=8,
        )
        self._app = procrastinate.App(connector=self._connector)
        self._given_up: dict[str, Work] = {}

    def on(
        self,
        name: str,
        work: Work,
        given_up: Work,
        *,
        lane: Lane = Lane.TALK,
        called_off: Work | None = None,
    ) -> None:
        """Say what does the jobs called `name`, and what is told when one of them is given up, or called off."""

        async def run(context: procrastinate.JobContext, /, **arguments: Any) -> None:
            job_id = context.job.id or 0
            try:
                async with written_down(lambda stage: self._note(job_id, stage)):
                    await work(**arguments)
            except asyncio.CancelledError:
                if context.abort_reason() is not AbortReason.USER_REQUEST:
                    raise  # the worker ends: another one takes it up
                await _go_on()
                if called_off is not None:
                    await called_off(**arguments)
                await self._forget_note(job_id)
                raise procrastinate.exceptions.JobAborted from None
            except Exception as error:
                await self._failed(context, error, name, given_up, arguments)
            await self._forget_note(job_id)

        self._given_up[name] = given_up
        queue = queue_name(self._workspace_id, lane)
        self._app.task(name=name, queue=queue, retry=Patience(self._settings), pass_context=True)(run)

    async def _failed(
        self,
        context: procrastinate.JobContext,
        error: Exception,
        name: str,
        given_up: Work,
        arguments: dict[str, Any],
    ) -> None:
        log.error("job failed", job=name, attempt=context.job.attempts + 1, exc_info=error, **arguments)
        await self._note_reason(context.job.id or 0, _reason(error))
        if context.job.attempts + 1 < self._settings.tries:
            raise error
        await given_up(**arguments)  # where that fails too, all of it is tried again later
        raise GivenUp from error

    def every_minute(self, name: str, work: Callable[[], Awaitable[None]], *, lane: Lane = Lane.TALK) -> None:
        """Say what is done once a minute, by whichever process is the first to think of it.

        At most one waits: minutes in which nobody was there are not made up for.
        """

        async def run(timestamp: int) -> None:
            await work()

        async def forget(timestamp: int) -> None:
            """The next minute brings another."""

        queue = queue_name(self._workspace_id, lane)
        lock = f"{queue}:{name}"
        self._given_up[name] = forget
        task = self._app.task(name=name, queue=queue, queueing_lock=lock, lock=lock)(run)
        if lane in self._lanes:
            self._app.periodic(cron="* * * * *", periodic_id=queue)(task)

    async def defer(self, connection: AsyncConnection, name: str, **arguments: int) -> None:
        """Record a job in the caller's transaction: it exists if, and only if, that commits. Raises NotQueued."""
        await self._defer(connection, name, None, arguments)

    async def defer_many(
        self, connection: AsyncConnection, name: str, arguments: Sequence[Mapping[str, JSONValue]]
    ) -> None:
        """Record as many jobs of one name, in the caller's transaction. Raises NotQueued."""
        raw = await connection.get_raw_connection()
        task = self._app.configure_task(name, connection=raw.driver_connection)
        try:
            await task.batch_defer_async(*({**each} for each in arguments))
        except procrastinate.exceptions.ConnectorException as error:
            raise _not_queued(name, error) from error

    async def defer_once(self, connection: AsyncConnection, name: str, **arguments: int) -> None:
        """Like `defer`; does nothing where the same job waits already, however often it is asked for."""
        same = f"{queue_name(self._workspace_id, Lane.TALK)}:{name}:{sorted(arguments.items())}"
        with contextlib.suppress(procrastinate.exceptions.AlreadyEnqueued):
            async with (
                connection.begin_nested()
            ):  # PostgreSQL refuses the second: that must not end the caller's
                await self._defer(connection, name, same, arguments)

    async def _defer(
        self, connection: AsyncConnection, name: str, queueing_lock: str | None, arguments: dict[str, int]
    ) -> None:
        raw = await connection.get_raw_connection()
        task = self._app.configure_task(name, connection=raw.driver_connection, queueing_lock=queueing_lock)
        try:
            await task.defer_async(**arguments)
        except procrastinate.exceptions.ConnectorException as error:
            raise _not_queued(name, error) from error

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work on jobs while this is open; jobs in hand are finished, within a few seconds, at the end."""
        async with self._app.open_async():
            hands = [
                (self._lanes - SLOW_LANES, self._settings.concurrency),
                (self._lanes & SLOW_LANES, self._settings.slow_concurrency),
            ]
            workers = [asyncio.create_task(self._work(lanes, most)) for lanes, most in hands if lanes]
            watch = asyncio.create_task(self._watch(), name="stalled jobs")
            try:
                yield
            finally:
                await end(watch, *workers)

    async def _work(self, lanes: Collection[Lane], concurrency: int) -> None:
        """The worker ends when PostgreSQL restarts, even without an error: start it again."""
        while True:
            try:
                await self._app.run_worker_async(
                    queues=[queue_name(self._workspace_id, lane) for lane in lanes],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=self._settings.polling_s,
                    abort_job_polling_interval=self._settings.polling_s,
                    update_heartbeat_interval=self._settings.heartbeat_s,
                    stalled_worker_timeout=self._settings.dead_after_s,
                    shutdown_graceful_timeout=5,
                    delete_jobs="successful",
                )
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the worker stopped; starting it again")
            await asyncio.sleep(self._settings.polling_s)

    async def _watch(self) -> None:
        while True:
            try:
                await self.recover()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("stalled jobs could not be looked for; trying again")
            await asyncio.sleep(self._settings.dead_after_s / 2)

    async def recover(self) -> None:
        """Give the jobs of dead workers to living ones; set aside those that were tried often enough.

        One watch at a time, of all processes: a second one, with a list read a moment earlier, would take a job
        from the worker that the first has just given it to. A process that falls asleep on its watch is relieved
        of it by PostgreSQL, after twice the time in which a worker is taken for dead.
        """
        longest = f"{2 * self._settings.dead_after_s:g}s"
        async with self._connector.pool.connection() as connection:
            sole = await (await connection.execute(_BE_SOLE_WATCH, [longest])).fetchone()
            if sole and sole[0]:
                for lane in self._lanes:
                    await self._recover(queue_name(self._workspace_id, lane))

    async def _recover(self, queue: str) -> None:
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(
            queue=queue, seconds_since_heartbeat=self._settings.dead_after_s
        ):
            if job.attempts + 1 >= self._settings.tries:
                await self._set_aside(job)
            else:
                await manager.retry_job(job)

    async def _set_aside(self, job: Job) -> None:
        log.error("job set aside: its worker died each time", job=job.task_name, attempts=job.attempts)
        await self._note_reason(job.id or 0, "The process that worked on it died each time.")
        await self._given_up[job.task_name](**job.task_kwargs)
        await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=False)

    async def _note(self, job_id: int, stage: Stage) -> None:
        await self._write(_NOTE, self._workspace_id, job_id, stage.name, stage.done, stage.total)

    async def _note_reason(self, job_id: int, reason: str) -> None:
        """Only to be shown: that it cannot be written changes nothing about the job."""
        try:
            await self._write(_NOTE_REASON, self._workspace_id, job_id, reason)
        except Exception:
            log.warning("why a job failed could not be written", exc_info=True)

    async def _forget_note(self, job_id: int) -> None:
        try:
            await self._write(_DROP_NOTE, self._workspace_id, job_id)
        except Exception:
            log.warning("the note of a job could not be dropped", exc_info=True)

    async def _write(self, statement: str, *values: object) -> None:
        async with self._connector.pool.connection() as connection, connection.transaction():
            await connection.execute(_ENTER, [str(self._workspace_id)])
            await connection.execute(statement, values)


async def _go_on() -> None:
    """The task was cancelled to end the work, not what there is to say about it."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def _not_queued(name: str, error: Exception) -> NotQueued:
    return NotQueued(f"The job {name} could not be recorded: {error}. Is PostgreSQL there?")


def _reason(error: Exception) -> str:
    if isinstance(error, OstiaryError):
        return str(error)
    return f"Something went wrong ({type(error).__name__}). The log of the process that worked on it tells."
