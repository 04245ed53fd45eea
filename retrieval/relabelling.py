"""Documents under another label: every row that carries it, in one statement however many documents.

Takes connections of `Database.writing_in`; reads nothing back but numbers.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

# First and by itself: whoever stores a version of one of these documents is waited for, and what it stored is
# seen by the statement that follows. Within one statement it would not be.
_HOLD = text(
    f"SELECT id FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids) ORDER BY id FOR UPDATE"
)


# A withdrawn document takes its new label, and its passages, which have none, are left without: `<>` skips them.
def _carried(table: str, key: str) -> str:
    return (
        f"UPDATE retrieval.{table} SET label_id = :label_id WHERE workspace_id = {WORKSPACE}"
        f" AND {key} = ANY(:ids) AND label_id <> :label_id"
    )


# What could not be taken in of a document's next version, and why.
_FAILURES = (
    "UPDATE retrieval.failure f SET label_id = :label_id FROM retrieval.document d"
    f" WHERE f.workspace_id = {WORKSPACE} AND d.workspace_id = f.workspace_id AND d.uri = f.uri"
    " AND d.id = ANY(:ids) AND f.label_id <> :label_id"
)
_RELABEL = text(
    "WITH moving AS (SELECT id, label_id FROM retrieval.document"
    f"  WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids) AND label_id <> :label_id AND withdrawn IS NULL"
    f"), documents AS ({_carried('document', 'id')}"
    f"), versions AS ({_carried('version', 'document_id')}"
    f"), chunks AS ({_carried('chunk', 'document_id')}"
    f"), vectors AS ({_carried('chunk_vec', 'document_id')}"
    f"), likenesses AS ({_carried('likeness', 'document_id')}"
    f"), failures AS ({_FAILURES}"
    ") SELECT label_id, count(*) AS documents FROM moving GROUP BY label_id"
)


async def relabel_documents(
    connection: AsyncConnection, document_ids: Collection[int], label_id: int
) -> Mapping[int, int]:
    """Give documents a label; returns how many of those that answer came from which other label."""
    values = {"ids": sorted(set(document_ids)), "label_id": label_id}
    await connection.execute(_HOLD, {"ids": values["ids"]})
    return {row.label_id: row.documents for row in await connection.execute(_RELABEL, values)}
