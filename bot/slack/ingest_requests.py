"""Requests to ingest, in PostgreSQL: stored when an admin asks, worked on once readers are chosen."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

_ADD = text(
    "INSERT INTO bot.ingestion_request (workspace_id, kind, locator, title, content, requested_by, channel_id,"
    "  event_id, file_ids)"
    f" VALUES ({WORKSPACE}, :kind, :locator, :title, :content, :requested_by, :channel_id, :event_id, :file_ids)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT id, kind, locator, title, content, readers, requested_by, channel_id, state, file_ids, collection_id,"
    "  dated, expires_at, shown_in"
    f" FROM bot.ingestion_request WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_ACCEPT = text(
    "UPDATE bot.ingestion_request SET state = 'accepted', readers = :readers, title = :title,"
    "  collection_id = :collection_id, dated = :dated, expires_at = :expires_at"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND state = 'waiting' RETURNING id"
)
_SHOW = text(
    f"UPDATE bot.ingestion_request SET shown_in = :shown_in WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_CANCEL = text(
    "UPDATE bot.ingestion_request SET state = 'cancelled'"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND requested_by = :by AND state = 'accepted' RETURNING id"
)
_SET_ASIDE = text(
    f"UPDATE bot.ingestion_request SET state = 'failed' WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_FORGET = text(
    "UPDATE bot.ingestion_request SET state = 'failed', content = ''"
    f" WHERE workspace_id = {WORKSPACE} AND state IN ('waiting', 'failed') AND octet_length(content) > 0"
    "  AND created_at < now() - make_interval(secs => :kept_s)"
)
_END = text(
    "UPDATE bot.ingestion_request SET state = :state, content = NULL"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)

KEPT = timedelta(days=30)
"""How long text is kept that nobody chose readers for, or that failed and may be tried again."""


@dataclass(frozen=True)
class NewRequest:
    """What an admin handed in.

    `locator` is the URL, the Slack file id, the name of pasted text, `CHANNEL:TS` of a message or a thread, or the
    number of a document that is taken in again. `file_ids`: files that came along.
    """

    kind: str
    locator: str
    title: str
    requested_by: str
    channel_id: str
    content: bytes | None = None
    event_id: str | None = None
    file_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """What an admin chose for it. `readers` is a policy, written out."""

    readers: str
    title: str = ""
    collection_id: int | None = None
    dated: date | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class IngestionRequest:
    """A stored request. `state` is waiting (for readers), accepted, done, failed or cancelled.

    `shown_in` is the message that tells how far it is: channel and ts.
    """

    id: int
    kind: str
    locator: str
    title: str
    content: bytes | None
    readers: str | None
    requested_by: str
    channel_id: str
    state: str
    file_ids: tuple[str, ...] = ()
    collection_id: int | None = None
    dated: date | None = None
    expires_at: datetime | None = None
    shown_in: tuple[str, str] | None = None


async def add_request(connection: AsyncConnection, new: NewRequest) -> int | None:
    """Store a request; None if the event that brought it was delivered before."""
    return (await connection.execute(_ADD, {**vars(new), "file_ids": list(new.file_ids)})).scalar()


async def read_request(connection: AsyncConnection, request_id: int) -> IngestionRequest | None:
    row = (await connection.execute(_READ, {"id": request_id})).first()
    return _request(row) if row else None


def _request(row: Row[Any]) -> IngestionRequest:
    channel, _, ts = (row.shown_in or "").partition(" ")
    shown_in = (channel, ts) if ts else None
    return IngestionRequest(**{**row._mapping, "file_ids": tuple(row.file_ids), "shown_in": shown_in})


async def accept_request(connection: AsyncConnection, request_id: int, chosen: Chosen) -> bool:
    """Fix who may read it, and what else was chosen. False if it was accepted or ended before."""
    return (await connection.execute(_ACCEPT, {"id": request_id, **vars(chosen)})).scalar() is not None


async def show_request_in(connection: AsyncConnection, request_id: int, channel_id: str, ts: str) -> None:
    """Remember the message that tells how far it is, to be found again after a crash."""
    await connection.execute(_SHOW, {"id": request_id, "shown_in": f"{channel_id} {ts}"})


async def cancel_request(connection: AsyncConnection, request_id: int, by: str) -> bool:
    """Call off what somebody handed in themselves. False where there is nothing to call off any more."""
    return (await connection.execute(_CANCEL, {"id": request_id, "by": by})).scalar() is not None


async def end_request(connection: AsyncConnection, request_id: int, state: str) -> None:
    """Close a request as done, failed or cancelled, and let go of the text that it held."""
    await connection.execute(_END, {"id": request_id, "state": state})


async def forget_old_texts(connection: AsyncConnection, kept: timedelta = KEPT) -> int:
    """Let go of text that was handed in long ago and is not in; returns how many there were. It is empty then."""
    return (await connection.execute(_FORGET, {"kept_s": kept.total_seconds()})).rowcount


async def set_request_aside(connection: AsyncConnection, request_id: int) -> None:
    """It failed for a reason of ours, and may be tried again: what it holds is kept for a while."""
    await connection.execute(_SET_ASIDE, {"id": request_id})
