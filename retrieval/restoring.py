"""Putting back documents and collections as they were before a change: see `auth.undo`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event
from auth.database import WORKSPACE
from auth.undo import CannotUndo, Relation, Restore, changed_since, restore_row, was_and_becomes
from retrieval.cataloguing import file_documents, own_documents
from retrieval.relabelling import relabel_documents
from retrieval.sources.source_readers import gave_label
from retrieval.withdrawing import expire_documents

COLLECTION = Relation(
    "retrieval.collection",
    ("id",),
    ("id", "name", "label_id", "owner_role", "lent_role", "lent_for_s", "half_life_days"),
)
SOURCE = Relation(
    "retrieval.source",
    ("id",),
    (
        "id",
        "kind",
        "reference",
        "arguments",
        "label_id",
        "collection_id",
        "of_department",
        "every_s",
        "paused",
        "kept_by",
    ),
)
SOURCE_LABEL = Relation("retrieval.source_label", ("source_id", "value"), ("source_id", "value", "label_id"))
_STANDING = text(
    "SELECT id, label_id, collection_id, owner_id, owner_role, to_jsonb(expires_at) AS expires_at"
    " FROM retrieval.document"
    f" WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids) ORDER BY id FOR UPDATE"
)
_READERS = text(
    "SELECT (SELECT details -> 'becomes' ->> 'policy' FROM auth.audit_event"
    f"   WHERE workspace_id = {WORKSPACE} AND relation = 'access_label' AND subject = :label AND seq < :change_id"
    "   ORDER BY seq DESC LIMIT 1) AS before,"
    f" (SELECT policy FROM auth.access_label WHERE workspace_id = {WORKSPACE} AND id = :id) AS now"
)
_DECIDED = ("label_id", "collection_id", "owner_id", "owner_role", "expires_at")


async def restore_documents(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Put labels and collections of documents back: a statement for each label, not each document."""
    becomes: dict[int, Mapping[str, Any]] = {}
    was: dict[int, Mapping[str, Any]] = {}
    for event in events:
        before, after = was_and_becomes(event)
        if before is None or after is None:
            raise CannotUndo(
                "Documents were added or deleted in this change, not only given other readers: that is not undone"
                " here. Close a document to its readers instead: `ostiary access change DOCUMENT --readers nobody`."
            )
        becomes.setdefault(after["id"], after)
        was[before["id"]] = before
    await _require_unchanged(connection, becomes)
    for label_id, ids in _by(was, "label_id").items():
        await _require_same_readers(connection, label_id, events[-1].change_id)
        await relabel_documents(connection, ids, label_id)
    for collection_id, ids in _by(was, "collection_id").items():
        await file_documents(connection, ids, collection_id)
    for owner_id, ids in _by(was, "owner_id").items():
        for role, of_role in _by({i: was[i] for i in ids}, "owner_role").items():
            await own_documents(connection, of_role, role, owner_id)
    for moment, ids in _by(was, "expires_at").items():
        await expire_documents(connection, ids, moment and datetime.fromisoformat(moment))


async def _require_unchanged(connection: AsyncConnection, becomes: Mapping[int, Mapping[str, Any]]) -> None:
    rows = await connection.execute(_STANDING, {"ids": sorted(becomes)})
    standing = {row.id: row._mapping for row in rows}
    for document_id, left in becomes.items():
        now = standing.get(document_id)
        if now is None or any(now[column] != left.get(column) for column in _DECIDED):
            raise changed_since("document")


async def _require_same_readers(connection: AsyncConnection, label_id: int, change_id: int) -> None:
    """A label may say something else by now: then to give it back would not be to undo."""
    values = {"label": str(label_id), "change_id": change_id, "id": label_id}
    row = (await connection.execute(_READERS, values)).one()
    if row.before != row.now:
        raise CannotUndo(
            f"The readers were {row.before} before this change; the label they stood under means"
            f" {row.now or 'nobody'} since. Give the readers you want instead: `ostiary access change`."
        )


def _by(rows: Mapping[int, Mapping[str, Any]], column: str) -> dict[Any, list[int]]:
    grouped: dict[Any, list[int]] = defaultdict(list)
    for document_id, row in rows.items():
        grouped[row.get(column)].append(document_id)
    return grouped


async def restore_collections(connection: AsyncConnection, events: Sequence[Event]) -> None:
    for event in events:
        before, _ = was_and_becomes(event)
        if before is not None:
            await _require_same_readers(connection, before["label_id"], event.change_id)
        await restore_row(connection, event, COLLECTION)


async def restore_sources(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """What was seen in a source that was removed is not known any more: the next run looks at all of it anew."""
    for event in events:
        before, after = was_and_becomes(event)
        if before is not None:
            await _require_same_readers(connection, before["label_id"], event.change_id)
        elif after is not None and event.relation == "source_label":
            await _require_nothing_came(connection, after)
        await restore_row(connection, event, SOURCE if event.relation == "source" else SOURCE_LABEL)


async def _require_nothing_came(connection: AsyncConnection, added: Mapping[str, Any]) -> None:
    """What came in under readers that are taken away again would be left open to them."""
    source_id, value = added["source_id"], added["value"]
    if await gave_label(connection, source_id, added["label_id"]):
        raise CannotUndo(
            f"Documents came in for these readers since. Close them instead: `ostiary sources relabel {source_id}"
            f" --label-by FIELD={value}:nobody`."
        )


RESTORE: Mapping[str, Restore] = {
    "document": restore_documents,
    "collection": restore_collections,
    "source": restore_sources,
    "source_label": restore_sources,
}
