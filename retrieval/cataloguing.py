"""Documents and collections as administration sees them: which there are and who may read them, not what they say.

Functions take a connection from `Database.writing_in`, which cannot read titles; those that do take one from
`Database.reading_as`, and see what its clearance covers.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError

FOUND_AT_MOST = 10_000
_OF = f"workspace_id = {WORKSPACE}"
_STATE = (
    "CASE WHEN d.withdrawn = 'vanished' THEN 'withdrawn' WHEN d.withdrawn = 'stale' THEN 'stale'"
    " WHEN d.withdrawn = 'expired' OR d.expires_at <= now() THEN 'expired'"
    " WHEN NOT EXISTS (SELECT FROM retrieval.version n WHERE n.workspace_id = d.workspace_id"
    "  AND n.document_id = d.id AND n.is_current) THEN 'withdrawn'"
    " ELSE 'answering' END"
)
_ENTRY = (
    "SELECT d.id, d.label_id, d.uri, d.collection_id, c.name AS collection, d.created_at, d.expires_at,"
    f" d.owner_role, p.handle AS owner_handle, {_STATE} AS state FROM retrieval.document d"
    " LEFT JOIN retrieval.collection c ON c.workspace_id = d.workspace_id AND c.id = d.collection_id"
    " LEFT JOIN auth.person p ON p.workspace_id = d.workspace_id AND p.id = d.owner_id"
    f" WHERE d.{_OF}"
)
_LIST = text(
    f"{_ENTRY} AND (CAST(:found AS bigint[]) IS NULL OR d.id = ANY(:found)"
    "  OR :words <> '' AND position(lower(:words) IN lower(c.name)) > 0)"
    " AND (CAST(:collection_id AS bigint) IS NULL OR d.collection_id = :collection_id)"
    " AND (CAST(:label_id AS bigint) IS NULL OR d.label_id = :label_id)"
    f" AND (CAST(:state AS text) IS NULL OR {_STATE} = :state)"
    " ORDER BY d.id LIMIT :limit OFFSET :offset"
)
_WITH_ID = text(f"{_ENTRY} AND d.id = :id")
_ENDING = text(
    f"{_ENTRY} AND :name <> '' AND right(d.uri, length(:name)) = :name"
    " ORDER BY d.uri = :name DESC, right(d.uri, length(:name) + 1) = '/' || :name DESC, d.id LIMIT 6"
)
_FROM = "starts_with(lower(uri), lower(:source))"
_IN_ADDRESS = text(
    f"SELECT id FROM retrieval.document WHERE {_OF} AND position(lower(:words) IN lower(uri)) > 0 AND {_FROM}"
    " ORDER BY id LIMIT :limit"
)
_THERE = text(f"SELECT id FROM retrieval.document WHERE {_OF} AND id = ANY(:ids)")
_COUNTS = text(
    f"SELECT label_id, count(*) AS documents FROM retrieval.document WHERE {_OF} AND withdrawn IS NULL"
    " AND (CAST(:labels AS bigint[]) IS NULL OR label_id = ANY(:labels)) GROUP BY label_id"
)
_IN_COLLECTION = text(f"SELECT id FROM retrieval.document WHERE {_OF} AND collection_id = :id ORDER BY id")
_FILE = text(
    f"UPDATE retrieval.document SET collection_id = :collection_id WHERE {_OF} AND id = ANY(:ids)"
    " AND collection_id IS DISTINCT FROM CAST(:collection_id AS bigint)"
)
_OTHERS_LABELS = text(
    f"SELECT count(*) FROM retrieval.document WHERE {_OF} AND id = ANY(:ids) AND label_id <> :label_id"
)
_COLLECTIONS = text(
    "SELECT c.id, c.name, c.label_id, c.owner_role, c.lent_role, c.lent_for_s, c.half_life_days,"
    " count(d.id) AS documents"
    " FROM retrieval.collection c LEFT JOIN retrieval.document d"
    "  ON d.workspace_id = c.workspace_id AND d.collection_id = c.id"
    f" WHERE c.{_OF} GROUP BY c.workspace_id, c.id ORDER BY c.name, c.id"
)
_DEFINE = text(
    "INSERT INTO retrieval.collection (workspace_id, name, label_id, owner_role, lent_role, lent_for_s)"
    f" VALUES ({WORKSPACE}, :name, :label_id, :owner_role, :lent_role, :lent_for_s)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET label_id = excluded.label_id,"
    "  owner_role = excluded.owner_role, lent_role = excluded.lent_role, lent_for_s = excluded.lent_for_s"
    " RETURNING id"
)
_FADE = text(
    f"UPDATE retrieval.collection SET half_life_days = CAST(:half_life_days AS bigint) WHERE {_OF} AND id = :id"
)
_LABEL_OF_COLLECTION = text(
    f"UPDATE retrieval.collection SET label_id = :label_id WHERE {_OF} AND id = :id AND label_id <> :label_id"
)
# Versions, chunks and vectors stand under their document's label, or under none; a count of none is no reason to
# keep a label.
_UNUSED = (
    f"SELECT l.id FROM auth.access_label l WHERE l.{_OF} AND l.id = ANY(:ids)"
    f" AND NOT EXISTS (SELECT FROM retrieval.document d WHERE d.{_OF} AND d.label_id = l.id)"
    f" AND NOT EXISTS (SELECT FROM retrieval.collection c WHERE c.{_OF} AND c.label_id = l.id)"
    f" AND NOT EXISTS (SELECT FROM retrieval.failure f WHERE f.{_OF} AND f.label_id = l.id)"
    f" AND NOT EXISTS (SELECT FROM retrieval.source s WHERE s.{_OF} AND s.label_id = l.id)"
    f" AND NOT EXISTS (SELECT FROM retrieval.source_label m WHERE m.{_OF} AND m.label_id = l.id)"
)
_FORGET_COUNTS = text(
    f"DELETE FROM retrieval.label_count WHERE {_OF} AND chunks = 0 AND label_id IN ({_UNUSED})"
)
_FORGET_LABELS = text(f"DELETE FROM auth.access_label WHERE {_OF} AND id IN ({_UNUSED})")
_NAMING_ROLE = text(
    f"SELECT EXISTS (SELECT FROM retrieval.collection WHERE {_OF} AND :role IN (owner_role, lent_role))"
    f" AS of_collection, EXISTS (SELECT FROM retrieval.document WHERE {_OF} AND owner_role = :role) AS of_document"
)
_OWN = text(
    f"UPDATE retrieval.document SET owner_id = :person_id, owner_role = :role WHERE {_OF} AND id = ANY(:ids)"
)
_TITLES = text(f"SELECT id, title FROM retrieval.document WHERE {_OF} AND id = ANY(:ids)")
_SAYING = text(
    f"SELECT id FROM retrieval.document WHERE {_OF} AND (position(lower(:words) IN lower(title)) > 0"
    f"  OR position(lower(:words) IN lower(uri)) > 0) AND {_FROM} ORDER BY id LIMIT :limit"
)
_TITLES_UNDER = text(
    f"SELECT title FROM retrieval.document WHERE {_OF} AND label_id = ANY(:labels) ORDER BY title, id LIMIT :limit"
)


class UnknownDocument(OstiaryError):
    """A document was named that is not there, or not only one; the message says how to name one."""


class UnknownCollection(OstiaryError):
    """A collection was named that is not there; the message lists those that are."""


class State(StrEnum):
    """How a document stands. Expired: its time is over. Withdrawn: its source has it no more. Stale: an approved
    answer, and what it was made from has changed."""

    ANSWERING = "answering"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    STALE = "stale"


@dataclass(frozen=True)
class Filter:
    """Which documents to list; None for all."""

    collection_id: int | None = None
    label_id: int | None = None
    state: State | None = None


@dataclass(frozen=True)
class Entry:
    """A document, without what it says or is called. Its owner is a role or a person, by handle, or nobody."""

    id: int
    label_id: int
    uri: str
    collection_id: int | None
    collection: str | None
    created_at: datetime
    expires_at: datetime | None
    owner_role: str | None
    owner_handle: str | None
    state: State

    @property
    def owner(self) -> str:
        """`@ada`, `finance`, or nothing."""
        return f"@{self.owner_handle}" if self.owner_handle else self.owner_role or ""


@dataclass(frozen=True)
class Collected:
    """A collection, and how many documents are filed in it."""

    id: int
    name: str
    label_id: int
    owner_role: str | None
    lent_role: str | None
    lent_for: timedelta
    documents: int
    half_life_days: int | None = None
    """After so many days, what is filed here counts half when passages are chosen. None: it never fades."""


async def list_documents(
    connection: AsyncConnection,
    found: Collection[int] | None,
    words: str,
    limit: int,
    offset: int,
    which: Filter | None = None,
) -> list[Entry]:
    """Those `found`, or filed in a collection of that name; every document where `found` is None. By id."""
    ids = None if found is None else sorted(found)
    values = {"found": ids, "words": words, "limit": limit, "offset": offset, **vars(which or Filter())}
    return [_entry(row) for row in await connection.execute(_LIST, values)]


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{**row._mapping, "state": State(row.state)})


async def document_with(connection: AsyncConnection, document_id: int) -> Entry:
    """Raises UnknownDocument."""
    row = (await connection.execute(_WITH_ID, {"id": document_id})).first()
    if row is None:
        raise UnknownDocument(f"There is no document {document_id}.")
    return _entry(row)


def is_document_id(text: str) -> bool:
    """Whether this can be the number of a document."""
    return text.isascii() and text.isdigit() and len(text) < 19


async def document_called(connection: AsyncConnection, name: str) -> Entry:
    """The document with this id, this address, or an address that ends so. Raises UnknownDocument."""
    number = name.removeprefix("#")
    if is_document_id(number):
        return await document_with(connection, int(number))
    found = [_entry(row) for row in await connection.execute(_ENDING, {"name": name})]
    whole = [entry for entry in found if entry.uri == name or entry.uri.endswith(f"/{name}")]
    if len(found) == 1 or len(whole) == 1 or (whole and whole[0].uri == name):
        return found[0]
    if found:
        some = ", ".join(f"{entry.id} ({entry.uri})" for entry in found[:5])
        raise UnknownDocument(f"Several documents end in {name!r}: {some}. Name one by its id.")
    raise UnknownDocument(
        f"There is no document {name!r}. Name one by its id, its address, or the end of its address;"
        " `ostiary access show` lists them."
    )


async def require_documents(connection: AsyncConnection, document_ids: Iterable[int]) -> None:
    """Raise UnknownDocument unless all of them are there."""
    wanted = set(document_ids)
    there = {row.id for row in await connection.execute(_THERE, {"ids": sorted(wanted)})}
    if missing := sorted(wanted - there):
        raise UnknownDocument(f"There is no document {', '.join(map(str, missing))}.")


async def documents_under(
    connection: AsyncConnection, label_ids: Collection[int] | None = None
) -> Mapping[int, int]:
    """How many documents stand under each of these labels, or under every label."""
    labels = None if label_ids is None else sorted(label_ids)
    return {row.label_id: row.documents for row in await connection.execute(_COUNTS, {"labels": labels})}


async def file_documents(
    connection: AsyncConnection, document_ids: Collection[int], collection_id: int | None
) -> None:
    """Put documents into a collection, or into none. Their readers stay what they are."""
    await connection.execute(_FILE, {"ids": sorted(document_ids), "collection_id": collection_id})


async def under_other_labels(
    connection: AsyncConnection, document_ids: Collection[int], label_id: int
) -> int:
    """How many of these documents stand under another label than this."""
    values = {"ids": sorted(document_ids), "label_id": label_id}
    return int((await connection.execute(_OTHERS_LABELS, values)).scalar_one())


async def list_collections(connection: AsyncConnection) -> list[Collected]:
    """Every collection, by name."""
    return [
        Collected(
            row.id,
            row.name,
            row.label_id,
            row.owner_role,
            row.lent_role,
            timedelta(seconds=row.lent_for_s),
            row.documents,
            row.half_life_days,
        )
        for row in await connection.execute(_COLLECTIONS)
    ]


async def collection_called(connection: AsyncConnection, name: str | int) -> Collected:
    """The collection with this name or id. Raises UnknownCollection."""
    collections = await list_collections(connection)
    for collection in collections:
        if name in (collection.name, collection.id):
            return collection
    known = ", ".join(collection.name for collection in collections)
    raise UnknownCollection(f"There is no collection {name}. Collections here: {known or 'none yet'}.")


async def documents_in(connection: AsyncConnection, collection_id: int) -> list[int]:
    """The ids of the documents filed in a collection."""
    return [row.id for row in await connection.execute(_IN_COLLECTION, {"id": collection_id})]


async def define_collection(
    connection: AsyncConnection,
    name: str,
    label_id: int,
    owner_role: str | None,
    lent_role: str | None,
    lent_for: timedelta,
) -> int:
    """Make the collection of this name, or change it; its documents are not touched. Returns its id."""
    values = {"name": name, "label_id": label_id, "owner_role": owner_role, "lent_role": lent_role}
    values["lent_for_s"] = int(lent_for.total_seconds())
    return int((await connection.execute(_DEFINE, values)).scalar_one())


async def label_collection(connection: AsyncConnection, collection_id: int, label_id: int) -> None:
    """The label that a collection itself stands under; its documents are not touched."""
    await connection.execute(_LABEL_OF_COLLECTION, {"id": collection_id, "label_id": label_id})


async def fade_collection(
    connection: AsyncConnection, collection_id: int, half_life_days: int | None
) -> None:
    """How fast what is filed in a collection grows old; None: it does not."""
    await connection.execute(_FADE, {"id": collection_id, "half_life_days": half_life_days})


async def uses_of_role(connection: AsyncConnection, role: str) -> tuple[str, ...]:
    """How collections and documents name a role, for `auth.granting.delete_role`; nothing where none does."""
    named = (await connection.execute(_NAMING_ROLE, {"role": role})).one()
    of_collection = ("owns a collection, or is lent by one",) if named.of_collection else ()
    return (*of_collection, "owns a document") if named.of_document else of_collection


async def forget_unused_labels(connection: AsyncConnection, label_ids: Collection[int]) -> None:
    """Forget those of these labels under which nothing stands."""
    if label_ids:
        await connection.execute(_FORGET_COUNTS, {"ids": sorted(label_ids)})
        await connection.execute(_FORGET_LABELS, {"ids": sorted(label_ids)})


async def own_documents(
    connection: AsyncConnection, document_ids: Collection[int], role: str | None, person_id: int | None
) -> None:
    """Give documents an owner, a role or a person; or none. It opens nothing to them."""
    values = {"ids": sorted(document_ids), "role": role, "person_id": person_id}
    await connection.execute(_OWN, values)


async def with_words_in_address(connection: AsyncConnection, words: str, source: str = "") -> set[int]:
    """Documents with these words in their address, and whose address begins so, whoever may read them."""
    values = {"words": words, "source": source, "limit": FOUND_AT_MOST}
    return {row.id for row in await connection.execute(_IN_ADDRESS, values)}


async def with_words_in_title(reader: AsyncConnection, words: str, source: str = "") -> set[int]:
    """Documents that the reader may read, with these words in title or address, whose address begins so."""
    values = {"words": words, "source": source, "limit": FOUND_AT_MOST}
    return {row.id for row in await reader.execute(_SAYING, values)}


async def titles_of(reader: AsyncConnection, document_ids: Collection[int]) -> dict[int, str]:
    """The titles of those documents that the reader may read."""
    rows = await reader.execute(_TITLES, {"ids": sorted(document_ids)})
    return {row.id: row.title for row in rows}


async def titles_under(reader: AsyncConnection, label_ids: Collection[int], limit: int) -> list[str]:
    """Titles under these labels, as far as the reader may read them."""
    rows = await reader.execute(_TITLES_UNDER, {"labels": sorted(label_ids), "limit": limit})
    return [row.title for row in rows]
