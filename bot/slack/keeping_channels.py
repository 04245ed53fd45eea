"""Channels that administrators hand in: kept as sources, for who is in them, and read at once."""

from datetime import timedelta

from auth.database import Database
from auth.errors import OstiaryError
from bot.administering.administration import Administration
from bot.administering.source_changes import KeepChannel
from bot.queue import JobQueue
from bot.slack.channel_readers import ChannelReaders, readers_of_a_channel
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.ingest_words import describe_readers
from bot.source_jobs import REFRESH_IN_SLACK_JOB
from retrieval.sources.kept import Kind, SourceKept, list_sources

EVERY_CHANNEL = timedelta(hours=1)


class ChannelKeeper:
    """Keeps channels. `keep` works in the name of whoever handed one in."""

    def __init__(self, database: Database, workspace_id: int, channels: ChannelReaders) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._channels = channels
        self._administration = Administration(database, workspace_id)

    async def keep(self, request: IngestionRequest, queue: JobQueue) -> tuple[str, str]:
        """Read again every hour from now on. Returns what to say of it, and how the request ends."""
        channel_id = request.locator
        try:
            room = await self._channels.room_of(channel_id, request.requested_by)
            policy = await self._channels.readers_of(request)
            change = KeepChannel(channel_id, policy, request.collection_id, EVERY_CHANNEL)
            done = await self._administration.carry_out(change, request.requested_by)
        except SourceKept as error:
            said = f"#{room.name} is kept already, as source {error.source_id}: see `/docs sources`."
            return said, "done"
        except OstiaryError as error:
            return f"The channel is not kept. {error}", "failed"
        await self._read_now(channel_id, queue)
        readers = readers_of_a_channel(describe_readers(str(policy)))
        said = (
            f"#{room.name} is kept from now on, for {readers}: threads and days in it become"
            " documents, and are read again every hour; an answer that is edited in a thread, within a day."
            f" {' '.join(done.effect.notes)}"
        )
        return said, "done"

    async def _read_now(self, channel_id: str, queue: JobQueue) -> None:
        """Have it read at once, and not within a minute."""
        async with self._database.writing_in(self._workspace_id) as connection:
            for source in await list_sources(connection):
                if (source.kind, source.reference) == (Kind.SLACK_CHANNEL, channel_id):
                    await queue.defer_once(connection, REFRESH_IN_SLACK_JOB, source_id=source.id)
