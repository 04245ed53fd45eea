"""Requests to ingest, in PostgreSQL: stored when an admin asks, worked on once readers are chosen."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

_ADD = text(
    "INSERT INTO bot.ingestion_request (workspace_id, kind, locator, title, content, requested_by, channel_id,"
    "  event_id)"
    f" VALUES ({WORKSPACE}, :kind, :locator, :title, :content, :requested_by, :channel_id, :event_id)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT id, kind, locator, title, content, readers, requested_by, channel_id, state"
    f" FROM bot.ingestion_request WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_ACCEPT = text(
    "UPDATE bot.ingestion_request SET state = 'accepted', readers = :readers, title = :title"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND state = 'waiting' RETURNING id"
)
_END = text(
    "UPDATE bot.ingestion_request SET state = :state, content = NULL"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)


@dataclass(frozen=True)
class NewRequest:
    """What an admin handed in. `locator` is the URL, the Slack file id, or the name of pasted text."""

    kind: str
    locator: str
    title: str
    requested_by: str
    channel_id: str
    content: bytes | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class IngestionRequest:
    """A stored request. `state` is waiting (for readers), accepted, done or failed."""

    id: int
    kind: str
    locator: str
    title: str
    content: bytes | None
    readers: str | None
    requested_by: str
    channel_id: str
    state: str


async def add_request(connection: AsyncConnection, new: NewRequest) -> int | None:
    """Store a request; None if the event that brought it was delivered before."""
    return (await connection.execute(_ADD, vars(new))).scalar()


async def read_request(connection: AsyncConnection, request_id: int) -> IngestionRequest | None:
    row = (await connection.execute(_READ, {"id": request_id})).first()
    return IngestionRequest(**row._mapping) if row else None


async def accept_request(connection: AsyncConnection, request_id: int, readers: str, title: str) -> bool:
    """Fix who may read it. False if it was accepted or ended before."""
    values = {"id": request_id, "readers": readers, "title": title}
    return (await connection.execute(_ACCEPT, values)).scalar() is not None


async def end_request(connection: AsyncConnection, request_id: int, state: str) -> None:
    """Close a request as done or failed, and let go of the text that it held."""
    await connection.execute(_END, {"id": request_id, "state": state})
