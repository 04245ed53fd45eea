"""Other readers for what a source brings: its own label, the documents that have it from there, what of it failed.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, in a transaction that began with
`hold_alone`: whatever the source brings meanwhile waits, and comes in under the label that it finds then.
"""

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from retrieval.relabelling import relabel_documents

_OF = f"workspace_id = {WORKSPACE}"
_LABEL = text(
    f"UPDATE retrieval.source SET label_id = :label_id WHERE {_OF} AND id = :id AND label_id <> :label_id"
)
_MAP = text(
    "INSERT INTO retrieval.source_label AS m (workspace_id, source_id, value, label_id)"
    f" VALUES ({WORKSPACE}, :id, :value, :label_id) ON CONFLICT (workspace_id, source_id, value)"
    " DO UPDATE SET label_id = :label_id WHERE m.label_id <> :label_id"
)
_LOOK_SOON = text(
    f"UPDATE retrieval.source SET next_at = now() WHERE {_OF} AND id = :id AND every_s IS NOT NULL"
)
# Those that have the label because the source gave it: what somebody gave other readers since has another one.
_FROM_IT = text(
    "SELECT d.id, d.uri FROM retrieval.source_item i"
    " JOIN retrieval.document d ON d.workspace_id = i.workspace_id AND d.uri = i.uri"
    f" WHERE i.{_OF} AND i.source_id = :id AND i.given_label_id = :was"
    "  AND (d.label_id = :was OR d.id = ANY(:put_back)) ORDER BY d.id FOR UPDATE OF d"
)
_GIVEN = text(
    f"UPDATE retrieval.source_item SET given_label_id = :label_id WHERE {_OF} AND source_id = :id"
    " AND uri = ANY(:uris)"
)
_FAILURES = text(
    f"SELECT f.id FROM retrieval.failure f WHERE f.{_OF} AND f.label_id = :was"
    f" AND f.uri IN (SELECT i.uri FROM retrieval.source_item i WHERE i.{_OF} AND i.source_id = :id)"
    " AND NOT EXISTS (SELECT FROM retrieval.document d WHERE d.workspace_id = f.workspace_id AND d.uri = f.uri)"
)
_FAILED = text(f"UPDATE retrieval.failure SET label_id = :label_id WHERE {_OF} AND id = ANY(:ids)")
_ON_THEIR_OWN = text(
    "SELECT count(*) FROM retrieval.source_item i"
    " JOIN retrieval.document d ON d.workspace_id = i.workspace_id AND d.uri = i.uri"
    f" WHERE i.{_OF} AND i.source_id = :id AND i.state IN ('stored', 'withdrawn')"
    "  AND d.label_id IS DISTINCT FROM i.given_label_id"
)
_GAVE = text(
    f"SELECT EXISTS (SELECT FROM retrieval.source_item WHERE {_OF} AND source_id = :id"
    "  AND given_label_id = :label_id)"
)


async def label_source(connection: AsyncConnection, source_id: int, label_id: int) -> None:
    """The label of what it brings from now on; what is here already is not touched."""
    await connection.execute(_LABEL, {"id": source_id, "label_id": label_id})


async def label_values(connection: AsyncConnection, source_id: int, labels: Mapping[str, int]) -> None:
    """The same by the values of its field. It is due at once: a value that is new may open what was closed."""
    for value, label_id in sorted(labels.items()):
        await connection.execute(_MAP, {"id": source_id, "value": value, "label_id": label_id})
    await connection.execute(_LOOK_SOON, {"id": source_id})


async def relabel_what_came(
    connection: AsyncConnection, source_id: int, follow: Mapping[int, int], put_back: Collection[int] = ()
) -> Counter[tuple[int, int]]:
    """Have what the source gave a label follow it to another; returns how many documents that answer went where.

    `put_back`: documents that have their new label already, since it was given back to them.
    """
    came = {}
    for (
        was
    ) in follow:  # all of it before anything moves: what follows one label may come to where another was
        values = {"id": source_id, "was": was}
        theirs = (await connection.execute(_FROM_IT, {**values, "put_back": sorted(put_back)})).all()
        failed = [row.id for row in await connection.execute(_FAILURES, values)]
        came[was] = ([row.id for row in theirs], [row.uri for row in theirs], failed)
    moves = Counter[tuple[int, int]]()
    for was, (document_ids, uris, failed) in came.items():
        label = {"label_id": follow[was]}
        moved = await relabel_documents(connection, document_ids, follow[was])
        await connection.execute(_GIVEN, {**label, "id": source_id, "uris": uris})
        await connection.execute(_FAILED, {**label, "ids": failed})
        moves[was, follow[was]] += moved.get(was, 0)
    return moves


async def on_their_own(connection: AsyncConnection, source_id: int) -> int:
    """How many documents of a source have other readers than it gave them."""
    return int((await connection.execute(_ON_THEIR_OWN, {"id": source_id})).scalar_one())


async def gave_label(connection: AsyncConnection, source_id: int, label_id: int) -> bool:
    """Whether it gave this label to anything that it has."""
    return bool((await connection.execute(_GAVE, {"id": source_id, "label_id": label_id})).scalar_one())
