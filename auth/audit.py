"""The audit log: what happened, in the order of its commits, each event chained to the one before it.

What decides who may read what is recorded by triggers of the database, whatever code changed it; `record` is for
what happens besides. Both stand in the transaction of what they record: it commits with its event or not at all.
Every function takes a connection from `Database.writing_in(workspace_id, actor)`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

WITHDRAWN = "audit.withdrawn"
"""The kind of event that says whose details were withdrawn, their time being over."""
ANSWER_SENT, ANSWER_UNSENT = "answer.sent", "answer.unsent"
"""The kind of event that says of an answer who hears it and what it was made from."""
PAGE = 2000
MOST_FAULTS = 100

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
    " AND (CAST(:kind AS text) IS NULL OR starts_with(kind, :kind))"
    " AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)"
    " AND (CAST(:until AS timestamptz) IS NULL OR at < :until)"
    " AND (CAST(:before AS bigint) IS NULL OR seq < :before)"
    " ORDER BY seq DESC LIMIT :limit"
)
_CHANGE = text(
    f"SELECT {_COLUMNS} FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND change_id = :change_id"
    " ORDER BY seq"
)
# A page is cut out first: what is costly is done for its rows alone. Only what is amiss comes back, and the end.
# The hashes are spelled out: whoever owns the database could replace the functions that the triggers use.
_CHECKED = text(f"""
    WITH page AS MATERIALIZED (
        SELECT * FROM auth.audit_event e WHERE e.workspace_id = {WORKSPACE} AND e.seq > :after AND e.seq <= :until
        ORDER BY e.seq LIMIT :limit
    ), checked AS (
        SELECT e.seq, e.at, e.kind, e.hash, e.details IS NULL AS bare,
            e.relation IS NULL AND e.kind <> '{WITHDRAWN}' AND e.at < :withdrawn_before AS may_be_bare,
            e.previous = lag(e.hash, 1, CAST(:previous AS bytea)) OVER (ORDER BY e.seq) AS follows,
            e.seq = lag(e.seq, 1, CAST(:after AS bigint)) OVER (ORDER BY e.seq) + 1 AS next_in_line,
            e.hash = sha256(e.previous || e.details_hash || convert_to(jsonb_build_array(e.workspace_id, e.seq,
                to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), e.actor, e.kind, e.relation,
                e.subject, e.person, e.document_id, e.policy_version, e.change_id)::text, 'UTF8'))
                AND (e.details IS NULL OR e.details_hash = sha256(convert_to(e.details::text, 'UTF8'))) AS whole,
            count(*) FILTER (WHERE e.details IS NULL) OVER () AS bare_here,
            e.seq = max(e.seq) OVER () AS last
        FROM page e
    )
    SELECT * FROM checked
    WHERE last OR NOT (follows AND next_in_line AND whole) OR (bare AND may_be_bare IS NOT TRUE) ORDER BY seq
""")
# Both are read at one moment: the log grows while it is checked.
_ENDS = text(
    "SELECT coalesce(h.seq, 0) AS noted, coalesce(h.hash, '') AS hash, coalesce(e.first, 1) AS first,"
    "  coalesce(e.last, 0) AS last"
    f" FROM (SELECT min(seq) AS first, max(seq) AS last FROM auth.audit_event WHERE workspace_id = {WORKSPACE}) e"
    f" LEFT JOIN auth.audit_head h ON h.workspace_id = {WORKSPACE}"
)
_UNLIKE = text(
    "SELECT a.seq FROM unnest(CAST(:seqs AS bigint[]), CAST(:hashes AS text[])) AS a(seq, hash) WHERE NOT EXISTS"
    f"  (SELECT FROM auth.audit_event e WHERE e.workspace_id = {WORKSPACE} AND e.seq = a.seq"
    "   AND encode(e.hash, 'hex') = a.hash) ORDER BY a.seq"
)
_WITHDRAWN_BEFORE = text(
    "SELECT max((details ->> 'before')::timestamptz) FROM auth.audit_event"
    f" WHERE workspace_id = {WORKSPACE} AND kind = '{WITHDRAWN}'"
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
    """What `verify` found: how many events, the end of the chain, and each thing that is wrong with it.

    `withdrawn` counts the events whose details were rightly withdrawn, their time being over.
    """

    events: int
    head: Anchor
    faults: tuple[str, ...]
    withdrawn: int = 0


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


async def verify(connection: AsyncConnection, anchors: tuple[Anchor, ...] = ()) -> Verdict:
    """Recompute the whole chain, and compare it with what was noted of it outside the database.

    It may grow meanwhile. Memory is bounded, whatever its length: of many faults, the first MOST_FAULTS are named.
    """
    ends = (await connection.execute(_ENDS)).one()
    noted = Anchor(ends.noted, bytes(ends.hash).hex())
    faults = _Faults()
    walked, withdrawn = await _walk(connection, ends.last, faults)
    if ends.first < 1:
        faults.add(f"Event {ends.first} stands before the first of the chain: it was forged.")
    if (noted.seq, noted.hash) != (walked.seq, walked.hash):
        faults.add(
            f"The log ends at event {walked.seq}, but its end was noted as {noted.seq}: events were removed."
        )
    values = {"seqs": [anchor.seq for anchor in anchors], "hashes": [anchor.hash for anchor in anchors]}
    for row in await connection.execute(_UNLIKE, values):
        faults.add(f"Event {row.seq} is not the one that was noted outside the database.")
    return Verdict(walked.seq, walked, faults.named(), withdrawn)


async def withdrawn_before(connection: AsyncConnection) -> datetime | None:
    """What happened before this moment may have lost its details, its time being over. None: nothing may have."""
    return (await connection.execute(_WITHDRAWN_BEFORE)).scalar()


class _Faults:
    """The first faults that were found, and how many more there are."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._more = 0

    def add(self, fault: str) -> None:
        if len(self._named) < MOST_FAULTS:
            self._named.append(fault)
        else:
            self._more += 1

    def named(self) -> tuple[str, ...]:
        more = [f"There are {self._more} more faults."] if self._more else []
        return (*self._named, *more)


async def _walk(connection: AsyncConnection, until: int, faults: _Faults) -> tuple[Anchor, int]:
    """Every link up to `until`, a page at a time; returns the last one, and how many lost their details rightly."""
    allowed = await withdrawn_before(connection)
    after, previous, bare, unexplained = 0, b"", 0, 0
    page = {"until": until, "withdrawn_before": allowed, "limit": PAGE}
    while rows := (await connection.execute(_CHECKED, {**page, "after": after, "previous": previous})).all():
        for row in rows:
            unexplained += row.bare and not row.may_be_bare
            for fault in _faults_of(row):
                faults.add(fault)
        after, previous = rows[-1].seq, bytes(rows[-1].hash)
        bare += rows[-1].bare_here
    return Anchor(after, previous.hex()), bare - unexplained


def _faults_of(row: Row[Any]) -> list[str]:
    name = f"Event {row.seq} ({row.kind}, {row.at:%Y-%m-%d %H:%M:%S})"
    faults = []
    if not row.next_in_line:
        faults.append(f"Events before {row.seq} are missing.")
    if not row.whole:
        faults.append(f"{name} was altered.")
    elif not row.follows:
        faults.append(f"{name} does not follow from the one before it.")
    if row.bare and not row.may_be_bare:
        faults.append(f"{name} lost its details, and no withdrawal covers it.")
    return faults


def _event(row: Row[Any]) -> Event:
    return Event(**row._mapping)
