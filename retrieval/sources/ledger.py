"""What is written down of a source while it is read, each entry in the transaction of what it tells."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import ITSELF, WORKSPACE, Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import NOBODY
from retrieval.cataloguing import file_documents
from retrieval.failing import forget_failure, record_failure
from retrieval.ingestion import Outcome
from retrieval.sources.items import Mark
from retrieval.sources.kept import Source
from retrieval.withdrawing import withdraw_documents

_OF = f"workspace_id = {WORKSPACE} AND source_id = :source_id"
# Held while a document of the source is stored: whoever removes the source, or gives it other readers, waits, and
# removes that one too, or has it follow.
_HOLD = text(
    "SELECT paused, label_id FROM retrieval.source"
    f" WHERE workspace_id = {WORKSPACE} AND id = :source_id FOR KEY SHARE"
)
_LABELS = text(f"SELECT value, label_id FROM retrieval.source_label WHERE {_OF}")
_REMOVED = text(
    f"SELECT i.uri FROM retrieval.source_item i WHERE {_OF} AND i.uri = :uri"
    "  AND i.state <> 'failed' AND NOT EXISTS (SELECT FROM retrieval.document d"
    "   WHERE d.workspace_id = i.workspace_id AND d.uri = i.uri)"
)
_STORED = text(
    "INSERT INTO retrieval.source_item AS i (workspace_id, source_id, uri, state, given_label_id, etag,"
    "  last_modified, content_hash, seen_at)"
    f" VALUES ({WORKSPACE}, :source_id, :uri, 'stored', :given_label_id, :etag, :last_modified, :content_hash,"
    "  now())"
    " ON CONFLICT (workspace_id, source_id, uri) DO UPDATE SET state = 'stored', etag = :etag,"
    "  last_modified = :last_modified, content_hash = :content_hash, refused_hash = NULL, missed = 0,"
    "  seen_at = now(), error = NULL, given_label_id = :given_label_id"
)
_REFUSED = text(
    "INSERT INTO retrieval.source_item AS i (workspace_id, source_id, uri, state, etag, last_modified,"
    "  refused_hash, seen_at, error)"
    f" VALUES ({WORKSPACE}, :source_id, :uri, 'failed', :etag, :last_modified, :refused_hash, now(), :error)"
    " ON CONFLICT (workspace_id, source_id, uri) DO UPDATE SET etag = :etag, last_modified = :last_modified,"
    "  refused_hash = :refused_hash, seen_at = now(), error = :error"
)
_FAILED = text(
    "INSERT INTO retrieval.source_item AS i (workspace_id, source_id, uri, state, seen_at, error)"
    f" VALUES ({WORKSPACE}, :source_id, :uri, 'failed', now(), :error)"
    " ON CONFLICT (workspace_id, source_id, uri) DO UPDATE SET seen_at = now(), error = :error"
)
_MARKED = text(
    "UPDATE retrieval.source_item SET etag = :etag, last_modified = :last_modified, refused_hash = NULL,"
    f"  error = NULL WHERE {_OF} AND uri = :uri"
)
_RECOVERED = text(
    f"UPDATE retrieval.source_item SET error = NULL, refused_hash = NULL WHERE {_OF} AND uri = :uri"
)
_LABEL_NOW = text(f"SELECT label_id FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND uri = :uri")
_SEEN = text(
    "UPDATE retrieval.source_item SET missed = 0, seen_at = CASE WHEN uri = ANY(:left) THEN seen_at ELSE now() END"
    f" WHERE {_OF} AND uri = ANY(:uris)"
)
_MISSED = text(
    "UPDATE retrieval.source_item i SET missed = missed + 1"
    f" WHERE {_OF} AND uri = ANY(:uris) RETURNING uri, missed, state"
)
_DROP_FAILED = text(
    f"DELETE FROM retrieval.source_item WHERE {_OF} AND uri = ANY(:uris) AND state = 'failed' RETURNING uri"
)
_WITHDRAWN = text(
    f"UPDATE retrieval.source_item SET state = 'withdrawn' WHERE {_OF} AND uri = ANY(:uris) AND state = 'stored'"
)
_ONLY_HERE = text(
    f"SELECT d.id FROM retrieval.document d WHERE d.workspace_id = {WORKSPACE} AND d.uri = ANY(:uris)"
    " AND NOT EXISTS (SELECT FROM retrieval.source_item o WHERE o.workspace_id = d.workspace_id AND o.uri = d.uri"
    "  AND o.source_id <> :source_id AND o.state = 'stored')"
)


class SourceStopped(OstiaryError):
    """A source was paused or removed while it was read: nothing more is taken from it."""


class ReadersChanged(OstiaryError):
    """A source was given other readers while it was read: what was read is to be stored for those."""


class RemovedByHand(OstiaryError):
    """Somebody removed a document for good while its next version was made."""


@dataclass(frozen=True)
class ItemEntry:
    """What is to be noted of something that was read."""

    uri: str
    label_id: int
    mark: Mark
    content_hash: bytes


class Ledger:
    """The books of one source, for the length of one run."""

    def __init__(self, database: Database, workspace_id: int, source: Source) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self.source = source

    def of(self, entry: ItemEntry) -> "EntryOfStored":
        """To be written in the transaction that stores the document."""
        return EntryOfStored(self.source, entry)

    async def refused(self, entry: ItemEntry, error: str) -> None:
        """It is there, and cannot be read: not tried again until it changes."""
        values = {**_values(entry), "refused_hash": entry.content_hash, "error": error}
        async with self._labelling() as connection:
            await connection.execute(_REFUSED, {**values, "source_id": self.source.id})
            await self._keep_failure(connection, entry.uri, entry.label_id, error)

    async def failed(self, uri: str, label_id: int | None, error: str) -> None:
        """Something went wrong that may go right the next time. The label is what it would have had, if any."""
        async with self._labelling() as connection:
            await connection.execute(_FAILED, {"uri": uri, "error": error, "source_id": self.source.id})
            await self._keep_failure(connection, uri, label_id, error)

    async def recovered(self, uri: str) -> None:
        """What went wrong with it the last time went right, and it is what it was."""
        async with self._writing() as connection:
            await connection.execute(_RECOVERED, {"uri": uri, "source_id": self.source.id})
            await forget_failure(connection, uri)

    async def _keep_failure(
        self, connection: AsyncConnection, uri: str, label_id: int | None, error: str
    ) -> None:
        """For the readers that its document has by now, whoever they were to be."""
        standing = (await connection.execute(_LABEL_NOW, {"uri": uri})).scalar()
        label_id = standing or label_id or await intern_label(connection, NOBODY)
        # Not as handed in by whoever keeps the source: what came into it since, they may never have seen.
        await record_failure(connection, uri, label_id, error, ITSELF)

    async def marked(self, entry: ItemEntry) -> None:
        """It is what it was, under another mark."""
        await self._write(_MARKED, _values(entry))

    async def seen(self, uris: Collection[str], left: Collection[str] = ()) -> None:
        """They were there: in one statement, however many. Those `left` for the next run are then the first."""
        if uris:
            await self._write(_SEEN, {"uris": sorted(uris), "left": sorted(left)})

    async def closed(self, uri: str) -> None:
        """Nobody may read it any more, as the source says: what there is of it answers no longer."""
        async with self._labelling() as connection:
            await self._withdraw(connection, [uri])

    async def missed(self, uris: Collection[str], patience: int) -> int:
        """They were not there. What was missing `patience` times in a row is withdrawn; returns how many."""
        if not uris:
            return 0
        async with self._writing() as connection:
            values = {"source_id": self.source.id, "uris": sorted(uris)}
            missed = (await connection.execute(_MISSED, values)).all()
            gone = [row.uri for row in missed if row.missed >= patience and row.state == "stored"]
            dropped = [row.uri for row in await connection.execute(_DROP_FAILED, values)]
            for uri in {*dropped, *gone}:
                await forget_failure(connection, uri)
            return await self._withdraw(connection, gone)

    async def _withdraw(self, connection: AsyncConnection, uris: list[str]) -> int:
        if not uris:
            return 0
        values = {"source_id": self.source.id, "uris": uris}
        await connection.execute(_WITHDRAWN, values)
        ids = [row.id for row in await connection.execute(_ONLY_HERE, values)]
        return len(await withdraw_documents(connection, ids, "vanished"))

    async def _write(self, statement: object, values: dict[str, object]) -> None:
        async with self._writing() as connection:
            await connection.execute(statement, {**values, "source_id": self.source.id})  # type: ignore[call-overload]

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.writing_in(self._workspace_id) as connection:
            await hold_source(connection, self.source.id)
            yield connection

    @asynccontextmanager
    async def _labelling(self) -> AsyncIterator[AsyncConnection]:
        """For what goes by the readers that the source names. Raises ReadersChanged."""
        async with self._database.writing_in(self._workspace_id) as connection:
            await hold_source_as_read(connection, self.source)
            yield connection


@dataclass(frozen=True)
class EntryOfStored:
    """The entry of a document, in the transaction that stores it: see `Ingestor.ingest`."""

    source: Source
    entry: ItemEntry

    async def open(self, connection: AsyncConnection) -> None:
        """Raises SourceStopped, ReadersChanged, or RemovedByHand."""
        await hold_source_as_read(connection, self.source)
        values = {"source_id": self.source.id, "uri": self.entry.uri}
        if (await connection.execute(_REMOVED, values)).first() is not None:
            raise RemovedByHand(f"{self.entry.uri} was removed by hand.")

    async def enter(self, connection: AsyncConnection, outcome: Outcome) -> None:
        given = None if outcome.keeps_readers else self.entry.label_id
        values = {**_values(self.entry), "content_hash": self.entry.content_hash, "given_label_id": given}
        await connection.execute(_STORED, {**values, "source_id": self.source.id})
        if outcome.status == "added" and self.source.collection_id is not None:
            await file_documents(connection, [outcome.document_id], self.source.collection_id)


async def hold_source(connection: AsyncConnection, source_id: int) -> int:
    """Its label by now. Raises SourceStopped where it was paused or removed."""
    row = (await connection.execute(_HOLD, {"source_id": source_id})).first()
    if row is None:
        raise SourceStopped("It was removed while it was read.")
    if row.paused:
        raise SourceStopped("It was paused while it was read.")
    return int(row.label_id)


async def hold_source_as_read(connection: AsyncConnection, source: Source) -> None:
    """Raises SourceStopped; or ReadersChanged, where it names other readers than when this was read of it."""
    label_id = await hold_source(connection, source.id)
    labels = dict(source.labels)
    if source.label_by is not None:  # in a statement of its own, which sees what the hold waited for
        rows = await connection.execute(_LABELS, {"source_id": source.id})
        labels = {row.value: row.label_id for row in rows}
    if (label_id, labels) != (source.label_id, dict(source.labels)):
        raise ReadersChanged(
            "It was given other readers again and again while it was read. Read it once more."
        )


def _values(entry: ItemEntry) -> dict[str, object]:
    return {"uri": entry.uri, "etag": entry.mark.etag, "last_modified": entry.mark.last_modified}
