"""Channels as they were last known: who is in them, for whoever asks outside Slack. Reads and writes, no more."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.rights import Audience

_UPSERT = text(
    "INSERT INTO auth.channel (workspace_id, channel_id, name, is_public, is_shared, members)"
    f" VALUES ({WORKSPACE}, :channel_id, :name, :is_public, :is_shared, :members)"
    " ON CONFLICT (workspace_id, channel_id) DO UPDATE SET name = excluded.name, is_public = excluded.is_public,"
    "  is_shared = excluded.is_shared, members = excluded.members, read_at = now()"
)
_BY_NAME = text(
    "SELECT is_public, is_shared, members FROM auth.channel"
    f" WHERE workspace_id = {WORKSPACE} AND (name = :name OR channel_id = :name)"
)
_BY_ID = text(
    "SELECT is_public, is_shared, members FROM auth.channel"
    f" WHERE workspace_id = {WORKSPACE} AND channel_id = :channel_id"
)
_NAMES = text(
    f"SELECT channel_id, name FROM auth.channel WHERE workspace_id = {WORKSPACE}"
    " AND (CAST(:among AS text[]) IS NULL OR channel_id = ANY(:among)) ORDER BY name"
)


class UnknownChannel(OstiaryError):
    """A channel was named that is not known; the message lists those that are."""


@dataclass(frozen=True)
class Channel:
    """A channel and the Slack user ids of its members, the bot left out."""

    channel_id: str
    name: str
    is_public: bool
    is_shared: bool
    members: Collection[str]


async def remember_channel(connection: AsyncConnection, channel: Channel) -> None:
    values = {**vars(channel), "members": sorted(channel.members)}
    await connection.execute(_UPSERT, values)


async def channel_names(connection: AsyncConnection, among: Collection[str] | None = None) -> dict[str, str]:
    """Channel id -> name, of every channel that is known, or of those `among` these ids; by name."""
    rows = await connection.execute(_NAMES, {"among": None if among is None else sorted(among)})
    return {row.channel_id: row.name for row in rows}


async def audience_known(connection: AsyncConnection, channel_id: str) -> Audience:
    """Everybody in a channel, as last known; incomplete where it is not known at all."""
    row = (await connection.execute(_BY_ID, {"channel_id": channel_id})).first()
    if row is None:
        return Audience(frozenset(), complete=False)
    return Audience(frozenset(row.members), every_member=row.is_public, complete=not row.is_shared)


async def audience_of_channel(connection: AsyncConnection, name: str, asker_slack_id: str) -> Audience:
    """Everybody who would see an answer to this asker there, as last known. Raises UnknownChannel."""
    row = (await connection.execute(_BY_NAME, {"name": name.removeprefix("#")})).first()
    if row is None:
        known = ", ".join(f"#{known}" for known in (await channel_names(connection)).values())
        raise UnknownChannel(f"There is no channel called {name}. Known channels: {known or 'none yet'}.")
    members = frozenset(row.members) | {asker_slack_id}
    return Audience(members, every_member=row.is_public, complete=not row.is_shared)
