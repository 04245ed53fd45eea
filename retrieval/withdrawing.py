"""Documents that no longer answer, their time being over or their source without them, and those that do again.

A passage of a withdrawn document has no label, and what has none nobody may read: no search pays for the question.
Between the moment of expiry and the sweep that follows it, `retrieval.search` leaves out what it found. Versions
keep their labels: the history stays with whoever could read it. Takes connections of `Database.writing_in`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

Why = Literal["expired", "vanished", "stale"]
ANSWERS = "({d}.withdrawn IS NULL AND ({d}.expires_at IS NULL OR {d}.expires_at > now()))"
"""SQL: whether the document under this alias answers at this moment."""

_OF = f"workspace_id = {WORKSPACE}"
_HOLD = text(f"SELECT id FROM retrieval.document WHERE {_OF} AND id = ANY(:ids) ORDER BY id FOR UPDATE")
_WITHDRAW = text(
    f"UPDATE retrieval.document SET withdrawn = :why WHERE {_OF} AND id = ANY(:ids)"
    " AND withdrawn IS NULL RETURNING id, label_id"
)
_RETURN = text(
    f"UPDATE retrieval.document SET withdrawn = NULL WHERE {_OF} AND id = ANY(:ids)"
    " AND withdrawn IS NOT NULL AND (expires_at IS NULL OR expires_at > now()) RETURNING id, label_id"
)
_STILL_EXPIRED = text(
    f"UPDATE retrieval.document SET withdrawn = 'expired' WHERE {_OF} AND id = ANY(:ids)"
    " AND withdrawn = 'vanished' AND expires_at <= now()"
)
_TAKE_LABELS = tuple(
    text(f"UPDATE retrieval.{table} SET label_id = NULL WHERE {_OF} AND document_id = ANY(:ids)")
    for table in ("chunk", "chunk_vec")
)
_GIVE_LABELS = tuple(
    text(
        f"UPDATE retrieval.{table} t SET label_id = d.label_id FROM retrieval.document d"
        f" WHERE t.workspace_id = {WORKSPACE} AND t.document_id = ANY(:ids) AND t.label_id IS NULL"
        " AND d.workspace_id = t.workspace_id AND d.id = t.document_id"
    )
    for table in ("chunk", "chunk_vec")
)
_DUE = text(f"SELECT id FROM retrieval.document WHERE {_OF} AND withdrawn IS NULL AND expires_at <= now()")
_NEXT = text(f"SELECT min(expires_at) FROM retrieval.document WHERE {_OF} AND withdrawn IS NULL")
_EXPIRE = text(f"UPDATE retrieval.document SET expires_at = :at WHERE {_OF} AND id = ANY(:ids)")

_EXPIRED = text(f"SELECT id FROM retrieval.document WHERE {_OF} AND id = ANY(:ids) AND withdrawn = 'expired'")
_STANDS = text(
    "SELECT withdrawn, coalesce(expires_at <= now(), false) AS over FROM retrieval.document"
    f" WHERE {_OF} AND id = ANY(:ids)"
)

Moved = Mapping[int, int]
"""Document -> its label."""


async def withdraw_documents(connection: AsyncConnection, document_ids: Collection[int], why: Why) -> Moved:
    """No longer answer from these; returns those that did until now."""
    ids = sorted(set(document_ids))
    await connection.execute(_HOLD, {"ids": ids})
    moved = {row.id: row.label_id for row in await connection.execute(_WITHDRAW, {"ids": ids, "why": why})}
    for statement in _TAKE_LABELS:
        await connection.execute(statement, {"ids": sorted(moved)})
    return moved


async def return_documents(connection: AsyncConnection, document_ids: Collection[int]) -> Moved:
    """Answer again from these, but for those whose time is over; returns those that did not until now."""
    ids = {"ids": sorted(set(document_ids))}
    await connection.execute(_HOLD, ids)
    moved = {row.id: row.label_id for row in await connection.execute(_RETURN, ids)}
    await connection.execute(_STILL_EXPIRED, ids)
    for statement in _GIVE_LABELS:
        await connection.execute(statement, {"ids": sorted(moved)})
    return moved


async def withdraw_expired(connection: AsyncConnection) -> Moved:
    """The sweep: withdraw whatever has expired by now."""
    due = [row.id for row in await connection.execute(_DUE)]
    return await withdraw_documents(connection, due, "expired") if due else {}


async def next_expiry(connection: AsyncConnection) -> datetime | None:
    """When the next document expires that still answers."""
    found: datetime | None = (await connection.execute(_NEXT)).scalar()
    return found


async def expire_documents(
    connection: AsyncConnection, document_ids: Collection[int], at: datetime | None
) -> tuple[Moved, Moved]:
    """Let documents expire at a moment, or never; returns those that no longer answer, and those that do again."""
    ids = sorted(set(document_ids))
    await connection.execute(_HOLD, {"ids": ids})
    await connection.execute(_EXPIRE, {"ids": ids, "at": at})
    due = [row.id for row in await connection.execute(_DUE) if row.id in set(ids)]
    gone = await withdraw_documents(connection, due, "expired")
    expired = [row.id for row in await connection.execute(_EXPIRED, {"ids": ids})]
    return gone, await return_documents(connection, expired)


async def settle_document(
    connection: AsyncConnection, document_id: int, expires_at: datetime | None = None
) -> bool:
    """What was handed in just now answers, unless its time is over; `expires_at`, if given, is its new end.

    Returns whether it answers.
    """
    one = {"ids": [document_id]}
    if expires_at is not None:
        await connection.execute(_EXPIRE, {**one, "at": expires_at})
    stands = (await connection.execute(_STANDS, one)).one()
    if stands.withdrawn is not None:
        await return_documents(connection, one["ids"])  # its source has it, be its time over or not
    if stands.over:
        await withdraw_documents(connection, one["ids"], "expired")
        for statement in _TAKE_LABELS:  # also where it was withdrawn before: its new passages have labels
            await connection.execute(statement, one)
    return not stands.over
