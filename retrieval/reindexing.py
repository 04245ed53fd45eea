"""Documents indexed anew from the passages that are stored: their vectors, and what ranking reads of their words.

For what another embedder made, or an older Ostiary. Read under the clearance of a document's own readers; written
a document at a time, in one transaction: until it commits, the document is found as before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.copying import copy_rows
from auth.database import WORKSPACE, Database
from auth.rights import as_readers_of, read_standing
from retrieval.chunking import embedding_text
from retrieval.embedding import LocalEmbeddings
from retrieval.encoding_line import EncodingLine
from retrieval.reranking.token_codes import EncodedPassage, encode_passages
from retrieval.tables import DIMENSIONS

_CURRENT = (
    "SELECT d.id AS document_id, v.id AS version_id, d.label_id FROM retrieval.document d JOIN retrieval.version v"
    "  ON v.workspace_id = d.workspace_id AND v.document_id = d.id AND v.is_current"
    f" WHERE d.workspace_id = {WORKSPACE} AND d.withdrawn IS NULL"
)
_OUTDATED = text(
    f"{_CURRENT} AND (:every OR v.encoder IS DISTINCT FROM :encoder)"
    " AND (CAST(:ids AS bigint[]) IS NULL OR d.id = ANY(:ids)) ORDER BY d.id"
)
_STANDS = text(f"{_CURRENT} AND d.id = :id")
_HOLD = text(f"SELECT FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = :id FOR UPDATE")
_READ = text(
    "SELECT c.id, c.text, c.heading_path, v.title FROM retrieval.chunk c"
    " JOIN retrieval.version v ON v.workspace_id = c.workspace_id AND v.id = c.version_id"
    f" WHERE c.workspace_id = {WORKSPACE} AND c.version_id = :version_id AND c.is_current ORDER BY c.ordinal"
)
_INCOMING = text(
    f"CREATE TEMPORARY TABLE incoming (id bigint, emb vector({DIMENSIONS}), token_codes bytea) ON COMMIT DROP"
)
_COLUMNS = ("int8", "vector", "bytea")
_CODES = text(
    "UPDATE retrieval.chunk c SET token_codes = p.token_codes FROM pg_temp.incoming p"
    f" WHERE c.workspace_id = {WORKSPACE} AND c.id = p.id"
)
_DROP_VECTORS = text(
    f"DELETE FROM retrieval.chunk_vec WHERE workspace_id = {WORKSPACE} AND document_id = :document_id"
)
_ADD_VECTORS = text(
    "INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    " SELECT c.workspace_id, c.id, c.label_id, c.document_id, p.emb"
    "  FROM retrieval.chunk c JOIN pg_temp.incoming p ON p.id = c.id"
    f" WHERE c.workspace_id = {WORKSPACE} AND c.version_id = :version_id AND c.is_current"
)
_MADE_BY = text(
    f"UPDATE retrieval.version SET encoder = :encoder WHERE workspace_id = {WORKSPACE} AND id = :version_id"
)


@dataclass(frozen=True)
class _Stored:
    """A passage as it stands: its chunk's id, and the text that the encoder reads of it."""

    id: int
    text: str


class Reindexer:
    """Makes anew what an embedder made of documents. Safe to use concurrently."""

    def __init__(self, database: Database, embeddings: LocalEmbeddings) -> None:
        self._database = database
        self._encoder = embeddings.fingerprint
        self._encoding: EncodingLine[EncodedPassage] = EncodingLine(
            lambda texts: encode_passages(embeddings, texts), embeddings.device.texts
        )

    async def outdated(
        self, workspace_id: int, document_ids: Collection[int] | None = None, *, every: bool = False
    ) -> list[int]:
        """Those of these documents, or of all, that answer and were not made by this embedder; or `every` one."""
        ids = None if document_ids is None else sorted(set(document_ids))
        values = {"every": every, "encoder": self._encoder, "ids": ids}
        async with self._database.writing_in(workspace_id) as connection:
            return [row.document_id for row in await connection.execute(_OUTDATED, values)]

    async def reindex(self, workspace_id: int, document_id: int) -> int:
        """Index a document anew; returns how many passages that were.

        0 where it could not be read, being closed to everybody, or is another by now: then it stays as it is.
        """
        async with self._database.deciding_in(workspace_id) as connection:
            stands = (await connection.execute(_STANDS, {"id": document_id})).first()
            standing = await read_standing(self._database, connection, workspace_id)
        if stands is None:
            return 0
        passages = await self._read(as_readers_of(standing, stands.label_id), stands.version_id)
        if not passages:
            return 0
        encoded = await self._encoding.encode([passage.text for passage in passages], lambda _done: None)
        async with self._database.writing_in(workspace_id) as connection:
            await connection.execute(_HOLD, {"id": document_id})
            now = (await connection.execute(_STANDS, {"id": document_id})).first()
            if now is None or now.version_id != stands.version_id:
                return 0
            await _store(connection, document_id, stands.version_id, passages, encoded)
            made_by = {"version_id": stands.version_id, "encoder": self._encoder}
            await connection.execute(_MADE_BY, made_by)
        return len(passages)

    async def _read(self, clearance: Clearance, version_id: int) -> list[_Stored]:
        async with self._database.reading_as(clearance) as reader:
            rows = await reader.execute(_READ, {"version_id": version_id})
            return [_Stored(row.id, embedding_text(row.title, row.heading_path, row.text)) for row in rows]


async def _store(
    connection: AsyncConnection,
    document_id: int,
    version_id: int,
    passages: Sequence[_Stored],
    encoded: Sequence[EncodedPassage],
) -> None:
    await connection.execute(_INCOMING)
    rows = (
        (passage.id, Vector(made.vector), made.token_codes)
        for passage, made in zip(passages, encoded, strict=True)
    )
    await copy_rows(connection, "incoming", _COLUMNS, rows)
    await connection.execute(_CODES)
    await connection.execute(_DROP_VECTORS, {"document_id": document_id})
    await connection.execute(_ADD_VECTORS, {"version_id": version_id})
