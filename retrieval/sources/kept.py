"""Sources that are kept: which there are, what was last seen in each, and when it is read again.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, whose workspace it works in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError

_OF = f"workspace_id = {WORKSPACE}"
_COLUMNS = (
    "s.id, s.kind, s.reference, s.arguments, s.label_id, l.policy AS readers, s.collection_id, s.of_department,"
    " s.every_s, s.paused, s.kept_by, s.created_at, s.began_at, s.ended_at, s.next_at, s.error, s.added, s.updated,"
    " s.unchanged, s.withdrawn, s.failed, c.name AS collection,"
    " (SELECT count(*) FROM retrieval.source_item i WHERE i.workspace_id = s.workspace_id AND i.source_id = s.id"
    "   AND i.state = 'stored') AS documents,"
    " (SELECT coalesce(jsonb_object_agg(m.value, m.label_id), '{}') FROM retrieval.source_label m"
    "   WHERE m.workspace_id = s.workspace_id AND m.source_id = s.id) AS labels"
)
_READ = (
    f"SELECT {_COLUMNS} FROM retrieval.source s"
    " JOIN auth.access_label l ON l.workspace_id = s.workspace_id AND l.id = s.label_id"
    " LEFT JOIN retrieval.collection c ON c.workspace_id = s.workspace_id AND c.id = s.collection_id"
    f" WHERE s.{_OF}"
)
_LIST = text(f"{_READ} ORDER BY s.id")
_WITH_ID = text(f"{_READ} AND s.id = :id")
_SAME = text(
    f"SELECT id FROM retrieval.source WHERE {_OF} AND kind = :kind AND reference = :reference"
    " AND arguments = CAST(:arguments AS jsonb)"
)
_ADD = text(
    "INSERT INTO retrieval.source (workspace_id, kind, reference, arguments, label_id, collection_id,"
    "  of_department, every_s, kept_by, next_at)"
    f" VALUES ({WORKSPACE}, :kind, :reference, CAST(:arguments AS jsonb), :label_id, :collection_id, :department,"
    "  :every_s, :kept_by, now()) RETURNING id"
)
_MAP = text(
    "INSERT INTO retrieval.source_label (workspace_id, source_id, value, label_id)"
    f" VALUES ({WORKSPACE}, :id, :value, :label_id)"
)
_PAUSE = text(f"UPDATE retrieval.source SET paused = :paused, next_at = now() WHERE {_OF} AND id = :id")
_UNMAP = text(f"DELETE FROM retrieval.source_label WHERE {_OF} AND source_id = :id")
_HOLD = text(f"SELECT id FROM retrieval.source WHERE {_OF} AND id = :id FOR UPDATE")
_FORGET = text(f"DELETE FROM retrieval.source WHERE {_OF} AND id = :id")
_FORGET_FAILURES = text(
    f"DELETE FROM retrieval.failure f WHERE f.{_OF} AND f.uri IN (SELECT i.uri FROM retrieval.source_item i"
    f"  WHERE i.{_OF} AND i.source_id = :id) AND NOT EXISTS (SELECT FROM retrieval.document d"
    "   WHERE d.workspace_id = f.workspace_id AND d.uri = f.uri)"
)
_ONLY_HERE = text(
    "SELECT d.id FROM retrieval.source_item i"
    " JOIN retrieval.document d ON d.workspace_id = i.workspace_id AND d.uri = i.uri"
    f" WHERE i.{_OF} AND i.source_id = :id AND i.state IN ('stored', 'withdrawn') AND NOT EXISTS ("
    "  SELECT FROM retrieval.source_item o WHERE o.workspace_id = i.workspace_id AND o.uri = i.uri"
    "   AND o.source_id <> i.source_id AND o.state = 'stored') ORDER BY d.id"
)
_DUE = text(
    f"SELECT id, kind FROM retrieval.source WHERE {_OF} AND NOT paused AND every_s IS NOT NULL AND next_at <= now()"
    " ORDER BY next_at, id"
)
_BEGIN = text(f"UPDATE retrieval.source SET began_at = now(), ended_at = NULL WHERE {_OF} AND id = :id")
_END = text(
    "UPDATE retrieval.source SET ended_at = now(), error = :error, added = :added, updated = :updated,"
    "  unchanged = :unchanged, withdrawn = :withdrawn, failed = :failed,"
    "  next_at = CASE WHEN every_s IS NULL THEN NULL ELSE now() + make_interval(secs => every_s) END"
    f" WHERE {_OF} AND id = :id"
)
_ITEMS = text(
    "SELECT i.uri, i.state, i.given_label_id, i.etag, i.last_modified, i.content_hash, i.refused_hash, i.missed,"
    "  i.seen_at, i.error, d.id AS document_id, v.id IS NOT NULL AND d.withdrawn IS NULL AS answers"
    " FROM retrieval.source_item i"
    " LEFT JOIN retrieval.document d ON d.workspace_id = i.workspace_id AND d.uri = i.uri"
    " LEFT JOIN retrieval.version v"
    "  ON v.workspace_id = d.workspace_id AND v.document_id = d.id AND v.is_current"
    f" WHERE i.{_OF} AND i.source_id = :id ORDER BY i.uri"
)


class Kind(StrEnum):
    """What a source is, and so what its reference means."""

    PATH = "path"
    URL = "url"
    SITEMAP = "sitemap"
    LOADER = "loader"
    SLACK_CHANNEL = "slack_channel"


IN_SLACK = frozenset({Kind.SLACK_CHANNEL})
"""Kinds that can be read only where the bot's token is."""


class UnknownSource(OstiaryError):
    """A source was named that is not kept; the message says how to find those that are."""


class SourceKept(OstiaryError):
    """The same source is kept already; the message names it."""

    def __init__(self, reference: str, source_id: int) -> None:
        self.source_id = source_id
        super().__init__(
            f"{reference} is kept already, as source {source_id}. See `ostiary sources show {source_id}`; for"
            f" other readers: `ostiary sources relabel {source_id}`; to keep it in another way, remove it first:"
            f" `ostiary sources remove {source_id} --keep-documents`."
        )


@dataclass(frozen=True)
class NewSource:
    """A source to be kept. `labels`: value of the field that `arguments["label_by"]` names -> label."""

    kind: Kind
    reference: str
    label_id: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    collection_id: int | None = None
    department: str = ""
    every: timedelta | None = None
    kept_by: str = ""


@dataclass(frozen=True)
class Counts:
    """What one run did, by documents."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Source:
    """A source as it is kept. `every` None: read when somebody asks. `error`: why the last run read nothing."""

    id: int
    kind: Kind
    reference: str
    arguments: Mapping[str, Any]
    label_id: int
    readers: str
    labels: Mapping[str, int]
    collection_id: int | None
    collection: str | None
    department: str
    every: timedelta | None
    paused: bool
    kept_by: str
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    next_at: datetime | None
    error: str | None
    documents: int
    counts: Counts

    @property
    def label_by(self) -> str | None:
        """The field of what is read there that decides its readers; None where all has the same."""
        return self.arguments.get("label_by")


@dataclass(frozen=True)
class Item:
    """What a source had when it was last read, and whether its document is there and answers."""

    uri: str
    state: str
    given_label_id: int | None
    etag: str | None
    last_modified: str | None
    content_hash: bytes | None
    refused_hash: bytes | None
    missed: int
    seen_at: datetime | None
    error: str | None
    document_id: int | None
    answers: bool

    @property
    def was_removed(self) -> bool:
        """Whether somebody removed its document for good: then it is not brought back by itself."""
        return self.state != "failed" and self.document_id is None


async def add_source(connection: AsyncConnection, new: NewSource) -> int:
    """Keep a source; it is due at once. Raises SourceKept."""
    values = {
        "kind": new.kind.value,
        "reference": new.reference,
        "arguments": json.dumps(new.arguments, sort_keys=True),
        "label_id": new.label_id,
        "collection_id": new.collection_id,
        "department": new.department,
        "every_s": int(new.every.total_seconds()) if new.every else None,
        "kept_by": new.kept_by,
    }
    same = (await connection.execute(_SAME, values)).scalar()
    if same is not None:
        raise SourceKept(new.reference, int(same))
    source_id = int((await connection.execute(_ADD, values)).scalar_one())
    for value, label_id in sorted(new.labels.items()):
        await connection.execute(_MAP, {"id": source_id, "value": value, "label_id": label_id})
    return source_id


async def list_sources(connection: AsyncConnection) -> list[Source]:
    """Every source, in the order in which they were added."""
    return [_source(row) for row in await connection.execute(_LIST)]


async def source_with(connection: AsyncConnection, source_id: int) -> Source:
    """Raises UnknownSource."""
    row = (await connection.execute(_WITH_ID, {"id": source_id})).first()
    if row is None:
        raise UnknownSource(
            f"There is no source {source_id}. `ostiary sources list` shows those that are kept."
        )
    return _source(row)


async def due_sources(connection: AsyncConnection) -> list[tuple[int, Kind]]:
    """(id, kind) of the sources whose time has come, those that waited longest first."""
    return [(row.id, Kind(row.kind)) for row in await connection.execute(_DUE)]


async def items_of(connection: AsyncConnection, source_id: int) -> dict[str, Item]:
    """What was last seen in a source, by uri."""
    return {row.uri: Item(**row._mapping) for row in await connection.execute(_ITEMS, {"id": source_id})}


async def pause_source(connection: AsyncConnection, source_id: int, *, paused: bool) -> None:
    """Leave a source alone, or take it up again: then it is due at once."""
    await connection.execute(_PAUSE, {"id": source_id, "paused": paused})


async def hold_alone(connection: AsyncConnection, source_id: int) -> None:
    """Whoever stores something of it just now is waited for: what was stored is seen by the next statement."""
    await connection.execute(_HOLD, {"id": source_id})


async def documents_only_of(connection: AsyncConnection, source_id: int) -> tuple[int, ...]:
    """The ids of the documents that came from this source and that no other source has."""
    return tuple([row.id for row in await connection.execute(_ONLY_HERE, {"id": source_id})])


async def forget_source(connection: AsyncConnection, source_id: int) -> None:
    """Keep a source no longer. Its documents stay as they are; why others were not taken in is forgotten."""
    await connection.execute(_FORGET_FAILURES, {"id": source_id})
    await connection.execute(_UNMAP, {"id": source_id})
    await connection.execute(_FORGET, {"id": source_id})


async def begin_run(connection: AsyncConnection, source_id: int) -> None:
    await connection.execute(_BEGIN, {"id": source_id})


async def end_run(connection: AsyncConnection, source_id: int, counts: Counts, error: str | None) -> None:
    """Note how a run went; the next one is due one interval from now, however many were missed."""
    await connection.execute(_END, {"id": source_id, "error": error, **vars(counts)})


def _source(row: Row[Any]) -> Source:
    return Source(
        id=row.id,
        kind=Kind(row.kind),
        reference=row.reference,
        arguments=row.arguments,
        label_id=row.label_id,
        readers=row.readers,
        labels=row.labels,
        collection_id=row.collection_id,
        collection=row.collection,
        department=row.of_department,
        every=timedelta(seconds=row.every_s) if row.every_s else None,
        paused=row.paused,
        kept_by=row.kept_by,
        created_at=row.created_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        next_at=row.next_at,
        error=row.error,
        documents=row.documents,
        counts=Counts(row.added, row.updated, row.unchanged, row.withdrawn, row.failed),
    )
