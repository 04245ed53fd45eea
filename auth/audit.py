"""The audit log: what happened, in the order of its commits, each event chained to the one before it.

What decides who may read what is recorded by triggers of the database, whatever code changed it; `record` is for
what happens besides. Both stand in the transaction of what they record: it commits with its event or not at all.
Every function takes a connection from `Database.writing_in(workspace_id, actor)`.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

WITHDRAWN = "audit.withdrawn"
"""The kind of event that says whose details were withdrawn, their time being over."""
PAGE = 1000

_COLUMNS = (
    "seq, at, actor, kind, relation, subject, person, document_id, policy_version, change_id, details,"
    " encode(hash, 'hex') AS hash"
)
_RECORD = text(
    "INSERT INTO auth.audit_event (workspace_id, kind, person, document_id, details)"
    f" VALUES ({WORKSPACE}, :kind, :person, :document_id, CAST(:details AS jsonb))"
)
_SEARCH = text(
    f"SELECT {_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE}"
    " AND (CAST(:who AS text) IS NULL OR person = :who OR actor = :who)"
    " AND (CAST(:document_id AS bigint) IS NULL OR document_id = :document_id"
    "      OR details -> 'documents' @> to_jsonb(CAST(:document_id AS bigint)))"
    " AND (CAST(:kind AS text) IS NULL OR kind LIKE :kind || '%')"
    " AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)"
    " AND (CAST(:until AS timestamptz) IS NULL OR at < :until)"
    " AND (CAST(:before AS bigint) IS NULL OR seq < :before)"
    " ORDER BY seq DESC LIMIT :limit"
)
_CHANGE = text(
    f"SELECT {_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND change_id = :change_id"
    " ORDER BY seq"
)
_FORWARD = text(
    f"SELECT {_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND seq > :after"
    " ORDER BY seq LIMIT :limit"
)
_CHECKED = text(
    "SELECT e.seq, e.at, e.kind, e.details, e.details IS NULL AS withdrawn,"
    "  e.previous = coalesce(lag(e.hash) OVER (ORDER BY e.seq), CAST(:previous AS bytea)) AS follows,"
    "  e.seq = coalesce(lag(e.seq) OVER (ORDER BY e.seq), :after) + 1 AS next_in_line,"
    "  e.hash = auth.event_hash(e) AS whole,"
    "  e.details IS NULL OR e.details_hash = auth.details_hash(e.details) AS details_whole, e.hash"
    f" FROM auth.audit_event e WHERE e.workspace_id = {WORKSPACE} AND e.seq > :after ORDER BY e.seq LIMIT :limit"
)
_HEAD = text(f"SELECT seq, hash FROM auth.audit_head WHERE workspace_id = {WORKSPACE}")
_HASH_AT = text(
    f"SELECT encode(hash, 'hex') FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND seq = :seq"
)


@dataclass(frozen=True)
class Event:
    """Something that happened. `details` is None where they were withdrawn; state changes hold was and becomes."""

    seq: int
    at: datetime
    actor: str
    kind: str
    relation: str | None
    subject: str | None
    person: str | None
    document_id: int | None
    policy_version: int
    change_id: int
    details: Mapping[str, Any] | None
    hash: str


@dataclass(frozen=True)
class Sought:
    """What to look for: everything that is given must hold. `who` acted, or it was done to them."""

    who: str | None = None
    document_id: int | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Anchor:
    """The end of a chain at some moment, kept outside the database: what it covers cannot be cut off unseen."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how many events, the end of the chain, and each thing that is wrong with it."""

    events: int
    head: Anchor
    faults: tuple[str, ...]


async def record(
    connection: AsyncConnection,
    kind: str,
    details: Mapping[str, Any],
    *,
    person: str | None = None,
    document_id: int | None = None,
) -> None:
    """Record something that happened, in the caller's transaction; as its last statement, since others wait."""
    values = {"kind": kind, "person": person, "document_id": document_id, "details": json.dumps(details)}
    await connection.execute(_RECORD, values)


async def search(
    connection: AsyncConnection, sought: Sought, *, before: int | None = None, limit: int = 50
) -> list[Event]:
    """The latest events first; `before` a sequence number, for the next page."""
    rows = await connection.execute(_SEARCH, {**vars(sought), "before": before, "limit": limit})
    return [_event(row) for row in rows]


async def events_of_change(connection: AsyncConnection, change_id: int) -> list[Event]:
    """Everything that one transaction recorded, in order."""
    return [_event(row) for row in await connection.execute(_CHANGE, {"change_id": change_id})]


async def all_events(connection: AsyncConnection) -> AsyncIterator[Event]:
    """The whole log, oldest first, a page at a time."""
    after = 0
    while rows := (await connection.execute(_FORWARD, {"after": after, "limit": PAGE})).all():
        for row in rows:
            yield _event(row)
        after = rows[-1].seq


async def verify(connection: AsyncConnection, anchors: tuple[Anchor, ...] = ()) -> Verdict:
    """Recompute the whole chain, and compare it with what was noted of it outside the database."""
    faults: list[str] = []
    after, previous, allowed = 0, b"", await _withdrawn_before(connection)
    while rows := (
        await connection.execute(_CHECKED, {"after": after, "previous": previous, "limit": PAGE})
    ).all():
        for row in rows:
            faults += _faults_of(row, allowed)
        after, previous = rows[-1].seq, bytes(rows[-1].hash)
    head = (await connection.execute(_HEAD)).first()
    noted = (head.seq, bytes(head.hash)) if head else (0, b"")
    if noted != (after, previous):
        faults.append(
            f"The log ends at event {after}, but its end was noted as {noted[0]}: events were removed."
        )
    for anchor in anchors:
        if (await connection.execute(_HASH_AT, {"seq": anchor.seq})).scalar() != anchor.hash:
            faults.append(f"Event {anchor.seq} is not the one that was noted outside the database.")
    return Verdict(after, Anchor(after, previous.hex()), tuple(faults))


def _faults_of(row: Row[Any], allowed: datetime | None) -> list[str]:
    name = f"Event {row.seq} ({row.kind}, {row.at:%Y-%m-%d %H:%M:%S})"
    faults = []
    if not row.next_in_line:
        faults.append(f"Events before {row.seq} are missing.")
    if not row.whole or not row.details_whole:
        faults.append(f"{name} was altered.")
    elif not row.follows:
        faults.append(f"{name} does not follow from the one before it.")
    if row.withdrawn and (allowed is None or row.at >= allowed):
        faults.append(f"{name} lost its details, and no withdrawal covers it.")
    return faults


async def _withdrawn_before(connection: AsyncConnection) -> datetime | None:
    rows = await search(connection, Sought(kind=WITHDRAWN), limit=PAGE)
    moments = [datetime.fromisoformat(event.details["before"]) for event in rows if event.details]
    return max(moments, default=None)


def _event(row: Row[Any]) -> Event:
    return Event(**row._mapping)
