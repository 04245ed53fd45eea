"""The job queue: work is recorded in the transaction of what asks for it, and outlives every crash.

Procrastinate on the same PostgreSQL. Nothing in it recovers by itself after a SIGKILL, so a watch goes round:
jobs whose worker stopped beating are given to a living one, and a job that keeps killing its worker is set
aside after a few tries.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import procrastinate
import structlog
from procrastinate.jobs import Job, Status
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import APP, DatabaseUrls, connection_options
from auth.errors import OstiaryError

log = structlog.get_logger(__name__)

Work = Callable[..., Awaitable[None]]
LONGEST_WAIT_S = 300
MOST_TRIES = 300  # at the longest wait between them, a day
_BE_SOLE_WATCH = "SELECT pg_try_advisory_xact_lock(hashtextextended('stalled jobs', 0))"


class NotQueued(OstiaryError):
    """A job could not be recorded, because the database is away."""


@dataclass(frozen=True)
class QueueSettings:
    """How many jobs at once, how often a job is tried, and after how many seconds a silent worker is dead."""

    concurrency: int = 4
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

    def __init__(self, urls: DatabaseUrls, workspace_id: int, settings: QueueSettings | None = None) -> None:
        self._settings = settings or QueueSettings()
        self._name = f"workspace-{workspace_id}"
        self._connector = procrastinate.PsycopgConnector(
            conninfo=urls.app or urls.admin,
            kwargs={"options": connection_options(APP)},
            min_size=1,
            max_size=6,
        )
        self._app = procrastinate.App(connector=self._connector)
        self._given_up: dict[str, Work] = {}

    def on(self, name: str, work: Work, given_up: Work) -> None:
        """Say what does the jobs called `name`, and what is told when one of them is given up."""
        tries = self._settings.tries

        async def run(context: procrastinate.JobContext, /, **arguments: Any) -> None:
            try:
                await work(**arguments)
            except Exception as error:
                log.exception("job failed", job=name, attempt=context.job.attempts + 1, **arguments)
                if context.job.attempts + 1 < tries:
                    raise
                await given_up(**arguments)  # where that fails too, all of it is tried again later
                raise GivenUp from error

        self._given_up[name] = given_up
        self._app.task(name=name, queue=self._name, retry=Patience(self._settings), pass_context=True)(run)

    def every_minute(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Say what is done once a minute, by whichever process is the first to think of it.

        At most one waits: minutes in which nobody was there are not made up for.
        """

        async def run(timestamp: int) -> None:
            await work()

        async def forget(timestamp: int) -> None:
            """The next minute brings another."""

        lock = f"{self._name}:{name}"
        self._given_up[name] = forget
        task = self._app.task(name=name, queue=self._name, queueing_lock=lock, lock=lock)(run)
        self._app.periodic(cron="* * * * *", periodic_id=self._name)(task)

    async def defer(self, connection: AsyncConnection, name: str, **arguments: int) -> None:
        """Record a job in the caller's transaction: it exists if, and only if, that commits. Raises NotQueued."""
        await self._defer(connection, name, None, arguments)

    async def defer_once(self, connection: AsyncConnection, name: str, **arguments: int) -> None:
        """Like `defer`; does nothing where the same job waits already, however often it is asked for."""
        same = f"{self._name}:{name}:{sorted(arguments.items())}"
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
            raise NotQueued(f"The job {name} could not be recorded: {error}. Is PostgreSQL there?") from error

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work on jobs while this is open; jobs in hand are finished, within a few seconds, at the end."""
        async with self._app.open_async():
            worker = asyncio.create_task(self._work(), name="jobs")
            watch = asyncio.create_task(self._watch(), name="stalled jobs")
            try:
                yield
            finally:
                for task in (watch, worker):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    async def _work(self) -> None:
        """The worker ends when PostgreSQL restarts, even without an error: start it again."""
        while True:
            try:
                await self._app.run_worker_async(
                    queues=[self._name],
                    concurrency=self._settings.concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=self._settings.polling_s,
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
        from the worker that the first has just given it to.
        """
        async with self._connector.pool.connection() as connection:
            sole = await (await connection.execute(_BE_SOLE_WATCH)).fetchone()
            if sole and sole[0]:
                await self._recover()

    async def _recover(self) -> None:
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(
            queue=self._name, seconds_since_heartbeat=self._settings.dead_after_s
        ):
            if job.attempts + 1 >= self._settings.tries:
                await self._set_aside(job)
            else:
                await manager.retry_job(job)

    async def _set_aside(self, job: Job) -> None:
        log.error("job set aside: its worker died each time", job=job.task_name, attempts=job.attempts)
        await self._given_up[job.task_name](**job.task_kwargs)
        await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
