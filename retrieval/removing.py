"""Documents removed for good: every version of them, every passage and every vector, and what failed of them.

Takes connections of `Database.writing_in`; reads nothing back but numbers.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from retrieval.approved import answers_from
from retrieval.deriving import mark_derived

# Whoever stores a version of one of these documents is waited for: what it stored is removed as well.
_HOLD = text(
    "SELECT id, label_id, withdrawn FROM retrieval.document"
    f" WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids) ORDER BY id FOR UPDATE"
)


def _counted(table: str) -> str:
    return f"(SELECT count(*) FROM retrieval.{table} WHERE workspace_id = {WORKSPACE} AND document_id = ANY(:ids))"


_STOCK = text(
    f"SELECT {_counted('version')} AS versions, {_counted('chunk')} AS chunks, {_counted('chunk_vec')} AS vectors"
)
_REMOVE_FAILURES = text(
    "DELETE FROM retrieval.failure f USING retrieval.document d"
    f" WHERE f.workspace_id = {WORKSPACE} AND d.workspace_id = f.workspace_id AND d.uri = f.uri"
    " AND d.id = ANY(:ids)"
)
_REMOVE = text(f"DELETE FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids)")


@dataclass(frozen=True)
class Removed:
    """What went with the documents. `under` counts those that answered, by the label that they had."""

    under: Mapping[int, int]
    versions: int
    chunks: int
    vectors: int
    derived: frozenset[tuple[str, str]] = frozenset()
    """(kind, name) of what was made from them elsewhere, and is marked now."""
    answers: frozenset[int] = frozenset()
    """Approved answers that were made from them, and went with them."""


async def remove_documents(connection: AsyncConnection, document_ids: Collection[int]) -> Removed:
    """Remove documents, and approved answers made from them; those that are not there are passed over."""
    await connection.execute(
        _HOLD, {"ids": sorted(set(document_ids))}
    )  # nobody approves an answer from them now
    answers = await answers_from(connection, document_ids) - set(document_ids)
    document_ids = set(document_ids) | answers
    ids = {"ids": sorted(document_ids)}
    under: dict[int, int] = {}
    for row in await connection.execute(_HOLD, ids):
        if row.withdrawn is not None:
            continue
        under[row.label_id] = under.get(row.label_id, 0) + 1
    stock = (await connection.execute(_STOCK, ids)).one()
    derived = await mark_derived(connection, document_ids)
    await connection.execute(_REMOVE_FAILURES, ids)
    await connection.execute(_REMOVE, ids)
    return Removed(under, stock.versions, stock.chunks, stock.vectors, frozenset(derived), frozenset(answers))
