"""Kept sources as jobs: those that are due are looked for every minute, and each is read by one job."""

from collections.abc import Mapping

import structlog

from auth.database import Database
from bot.progress import report
from bot.queue import JobQueue, Lane
from retrieval.ingestion import Ingestor
from retrieval.sources.folders import FolderReader
from retrieval.sources.kept import IN_SLACK, Counts, Kind, UnknownSource, due_sources, end_run, source_with
from retrieval.sources.ledger import SourceStopped
from retrieval.sources.loaders import LoaderReader
from retrieval.sources.pages import PageReader
from retrieval.sources.reading import Reader
from retrieval.sources.refreshing import AlreadyRunning, Refresher
from retrieval.sources.sitemaps import SitemapReader
from retrieval.sources.urls import FetchLimits, FetchPolicy

log = structlog.get_logger(__name__)

REFRESH_JOB, LOOK_JOB = "refresh_source", "look_for_due_sources"
REFRESH_IN_SLACK_JOB = "refresh_slack_source"
"""For sources in Slack, which a worker without the bot's token leaves alone."""


def readers(max_bytes: int, policy: FetchPolicy | None = None) -> dict[Kind, Reader]:
    """A reader for each kind of source that needs nothing but this machine and the internet."""
    limits = FetchLimits(max_bytes=max_bytes)
    return {
        Kind.PATH: FolderReader(),
        Kind.URL: PageReader(limits, policy),
        Kind.SITEMAP: SitemapReader(limits, policy),
        Kind.LOADER: LoaderReader(),
    }


class SourceKeeper:
    """Does the jobs of kept sources."""

    def __init__(
        self, database: Database, workspace_id: int, ingestor: Ingestor, by_kind: Mapping[Kind, Reader]
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._refresher = Refresher(database, ingestor, by_kind)
        self._queue: JobQueue | None = None

    def register(self, queue: JobQueue) -> None:
        self._queue = queue
        for name, lane in ((REFRESH_JOB, Lane.SOURCES), (REFRESH_IN_SLACK_JOB, Lane.HANDED_IN)):
            queue.on(name, self.refresh, given_up=self.give_up, lane=lane, called_off=self.call_off)
        queue.every_minute(LOOK_JOB, self.look, lane=Lane.SOURCES)

    async def look(self) -> None:
        """Queue what is due; what waits already, or is read just now, is not queued twice."""
        assert self._queue is not None
        async with self._database.writing_in(self._workspace_id) as connection:
            for source_id, kind in await due_sources(connection):
                await self._queue.defer_once(connection, _job(kind), source_id=source_id)

    async def read_soon(self, source_id: int) -> None:
        """Have a source read now, by a worker, with what could not be read the last time. Raises UnknownSource."""
        assert self._queue is not None
        async with self._database.writing_in(self._workspace_id) as connection:
            source = await source_with(connection, source_id)
            await self._queue.defer_once(connection, _job(source.kind), source_id=source.id, by_hand=1)

    async def refresh(self, source_id: int, by_hand: int = 0) -> None:
        try:
            run = await self._refresher.refresh(
                self._workspace_id,
                source_id,
                by_hand=bool(by_hand),
                on_progress=lambda _, done: report("reading", done),
            )
        except (AlreadyRunning, SourceStopped, UnknownSource) as reason:
            log.info("a source was not read", source=source_id, reason=str(reason))
            return
        log.info(
            "a source was read", source=source_id, stopped_short=run.error is not None, **vars(run.counts)
        )

    async def give_up(self, source_id: int, by_hand: int = 0) -> None:
        """Its next run comes at its time."""
        error = (
            "Something went wrong while it was read. The log of `ostiary serve` or `ostiary worker` tells."
        )
        await self._ended(source_id, error)

    async def call_off(self, source_id: int, by_hand: int = 0) -> None:
        await self._ended(source_id, "Somebody stopped it while it was read.")

    async def _ended(self, source_id: int, error: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await end_run(connection, source_id, Counts(), error)


def _job(kind: Kind) -> str:
    return REFRESH_IN_SLACK_JOB if kind in IN_SLACK else REFRESH_JOB
