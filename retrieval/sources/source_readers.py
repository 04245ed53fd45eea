"""Other readers for what a source brings: its own label, the documents that have it from there, what of it failed.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, in a transaction that began with
`hold_alone`: whatever the source brings meanwhile waits, and comes in under the label that it finds then.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.labelling import intern_label
from auth.labels import NOBODY
from auth.undo import CannotUndo
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
    f" WHERE i.{_OF} AND i.source_id = :id AND i.given_label_id = :was AND d.label_id = :was"
    "  AND d.id <> ALL(:but_for) ORDER BY d.id FOR UPDATE OF d"
)
_GIVES = text(
    "SELECT coalesce(m.value, '') AS value, coalesce(m.label_id, s.label_id) AS label_id FROM retrieval.source s"
    " LEFT JOIN retrieval.source_label m ON m.workspace_id = s.workspace_id AND m.source_id = s.id"
    f" WHERE s.{_OF} AND s.id = :id"
)
_GIVEN_AGAIN = text(
    "UPDATE retrieval.source_item i SET given_label_id = d.label_id FROM retrieval.document d"
    f" WHERE i.{_OF} AND i.source_id = :id AND i.given_label_id = ANY(:labels)"
    "  AND d.workspace_id = i.workspace_id AND d.uri = i.uri AND d.id = ANY(:put_back)"
)
_CAME_SINCE = text(
    "SELECT EXISTS (SELECT FROM retrieval.source_item i"
    "  JOIN retrieval.document d ON d.workspace_id = i.workspace_id AND d.uri = i.uri"
    f" WHERE i.{_OF} AND i.source_id = :id AND i.given_label_id = ANY(:labels)"
    "  AND d.label_id = i.given_label_id AND d.created_at > :since)"
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


async def labels_given(connection: AsyncConnection, source_id: int) -> dict[str, int]:
    """The labels that it gives, by value; under "" where it goes by no field. Nothing where it is not kept."""
    rows = await connection.execute(_GIVES, {"id": source_id})
    return {row.value: row.label_id for row in rows}


async def relabel_what_came(
    connection: AsyncConnection, source_id: int, follow: Mapping[int, int], but_for: Collection[int] = ()
) -> Counter[tuple[int, int]]:
    """Have what the source gave a label follow it to another; returns how many documents that answer went where.

    `but_for`: documents that stand as they should.
    """
    # All of it before anything moves: what follows one label may come to where another was.
    came = {was: await _what_came(connection, source_id, was, but_for) for was in follow}
    moves = Counter[tuple[int, int]]()
    for was, (document_ids, uris, failed) in came.items():
        label = {"label_id": follow[was]}
        moved = await relabel_documents(connection, document_ids, follow[was])
        await connection.execute(_GIVEN, {**label, "id": source_id, "uris": uris})
        await connection.execute(_FAILED, {**label, "ids": failed})
        moves[was, follow[was]] += moved.get(was, 0)
    return moves


async def _what_came(
    connection: AsyncConnection, source_id: int, was: int, but_for: Collection[int]
) -> tuple[list[int], list[str], list[int]]:
    """What it gave this label: ids of documents and their addresses, ids of failures."""
    values = {"id": source_id, "was": was}
    theirs = (await connection.execute(_FROM_IT, {**values, "but_for": sorted(but_for)})).all()
    failed = [row.id for row in await connection.execute(_FAILURES, values)]
    return [row.id for row in theirs], [row.uri for row in theirs], failed


async def relabel_back(
    connection: AsyncConnection,
    source_id: int,
    meanwhile: Mapping[str, int],
    put_back: Collection[int],
    since: datetime,
) -> Counter[tuple[int, int]]:
    """The same once the labels that it gives are put back: what came `meanwhile` follows them.

    `put_back`: documents that have their labels again, which the source gave them before the change; `since`: when
    that was. Raises CannotUndo where what came since could belong to either of two labels.
    """
    again = await labels_given(connection, source_id)
    labels = set(meanwhile.values())
    await connection.execute(
        _GIVEN_AGAIN, {"id": source_id, "labels": sorted(labels), "put_back": sorted(put_back)}
    )
    ends = {
        label: {again[value] for value, gave in meanwhile.items() if gave == label and value in again}
        for label in labels
    }
    mixed = [was for was, ends_at in ends.items() if len(ends_at) > 1]
    await _leave_mixed(connection, source_id, mixed, since)
    follow = {was: min(ends_at) for was, ends_at in ends.items() if len(ends_at) == 1 and ends_at != {was}}
    return await relabel_what_came(connection, source_id, follow, but_for=put_back)


async def _leave_mixed(
    connection: AsyncConnection, source_id: int, labels: Collection[int], since: datetime
) -> None:
    """What values with other readers brought under one label, and which brought what nobody wrote down.

    Documents that were there before stand as they should. Why others failed is for nobody from here on.
    """
    if not labels:
        return
    values = {"id": source_id, "labels": sorted(labels), "since": since}
    if (await connection.execute(_CAME_SINCE, values)).scalar_one():
        raise CannotUndo(
            "Documents came in since for readers that several values had, and cannot be told apart any more. Give"
            f" all of these values new readers, `ostiary sources relabel {source_id}`, or remove the source with"
            " its documents and keep it anew."
        )
    nobody = await intern_label(connection, NOBODY)
    for label_id in labels:
        failed = [row.id for row in await connection.execute(_FAILURES, {"id": source_id, "was": label_id})]
        await connection.execute(_FAILED, {"label_id": nobody, "ids": failed})
    await connection.execute(_LOOK_SOON, {"id": source_id})


async def on_their_own(connection: AsyncConnection, source_id: int) -> int:
    """How many documents of a source have other readers than it gave them."""
    return int((await connection.execute(_ON_THEIR_OWN, {"id": source_id})).scalar_one())


async def gave_label(connection: AsyncConnection, source_id: int, label_id: int) -> bool:
    """Whether it gave this label to anything that it has."""
    return bool((await connection.execute(_GAVE, {"id": source_id, "label_id": label_id})).scalar_one())
