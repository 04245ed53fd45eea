"""The audit log as it leaves the database: with all that it takes to recompute its chain elsewhere."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

PAGE = 1000
COLUMNS = (
    "workspace_id",
    "seq",
    "at",
    "actor",
    "kind",
    "relation",
    "subject",
    "person",
    "document_id",
    "policy_version",
    "change_id",
    "details",
    "details_hash",
    "previous",
    "hash",
)
# How the chain is recomputed from these is told by `ostiary audit export --help`.
_ROWS = text(
    "SELECT workspace_id, seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') AS at, actor, kind,"
    "  relation, subject, person, document_id, policy_version, change_id, details::text AS details,"
    "  encode(details_hash, 'hex') AS details_hash, encode(previous, 'hex') AS previous,"
    "  encode(hash, 'hex') AS hash"
    f" FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND seq > :after ORDER BY seq LIMIT :limit"
)


async def rows_for_export(connection: AsyncConnection) -> AsyncIterator[dict[str, str | int | None]]:
    """Every event, oldest first, as COLUMNS, a page at a time; `details` are the very text that was hashed."""
    after = 0
    while rows := (await connection.execute(_ROWS, {"after": after, "limit": PAGE})).all():
        for row in rows:
            yield dict(row._mapping)
        after = rows[-1].seq
