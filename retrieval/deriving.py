"""What was made from documents elsewhere: adapters that learned from them, evaluation sets that quote them.

Whoever makes such a thing says so here, in the transaction in which it comes to be. When a document is removed,
what was made of it is marked, and named in the receipt. Takes connections of `Database.writing_in`.
"""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

Kind = Literal["adapter", "evaluation set"]
_OF = f"workspace_id = {WORKSPACE}"
_RECORD = text(
    "INSERT INTO retrieval.derivation (workspace_id, kind, name, document_id)"
    f" SELECT {WORKSPACE}, :kind, :name, unnest(CAST(:ids AS bigint[])) ON CONFLICT DO NOTHING"
)
_MARK = text(
    f"UPDATE retrieval.derivation SET removed_at = now() WHERE {_OF} AND document_id = ANY(:ids)"
    " AND removed_at IS NULL RETURNING kind, name"
)
_MARKED = text(
    f"SELECT DISTINCT kind, name FROM retrieval.derivation WHERE {_OF} AND removed_at IS NOT NULL ORDER BY 1, 2"
)


async def record_derivation(
    connection: AsyncConnection, kind: Kind, name: str, document_ids: Collection[int]
) -> None:
    """Something was made from these documents."""
    await connection.execute(_RECORD, {"kind": kind, "name": name, "ids": sorted(set(document_ids))})


async def mark_derived(connection: AsyncConnection, document_ids: Collection[int]) -> set[tuple[str, str]]:
    """(kind, name) of all that was made from documents that are being removed."""
    rows = await connection.execute(_MARK, {"ids": sorted(set(document_ids))})
    return {(row.kind, row.name) for row in rows}


async def marked(connection: AsyncConnection) -> list[tuple[str, str]]:
    """(kind, name) of all that must be made anew, since a document that it was made from is gone."""
    return [(row.kind, row.name) for row in await connection.execute(_MARKED)]
