"""Chunks and their vectors on their way into the tables: first to where this session alone sees them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.copying import copy_rows
from auth.database import WORKSPACE
from retrieval.chunking import Chunk
from retrieval.reranking.token_codes import EncodedPassage
from retrieval.tables import DIMENSIONS

_INCOMING = text(
    "CREATE TEMPORARY TABLE incoming (ordinal bigint, text text, heading_path text[], page bigint, tokens bigint,"
    f" emb vector({DIMENSIONS}), token_codes bytea) ON COMMIT DROP"
)
_COLUMNS = ("int8", "text", "text[]", "int8", "int8", "vector", "bytea")
# Title and headings count as words of the chunk, and weigh more than its text.
_ADD_CHUNKS = text(
    "WITH stored AS ("
    "  INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "    heading_path, page, tokens, token_codes, words)"
    f"  SELECT {WORKSPACE}, :document_id, :version_id, :label_id, true, p.ordinal, p.text, p.heading_path, p.page,"
    "    p.tokens, p.token_codes, retrieval.chunk_words(:title, p.heading_path, p.text, :language)"
    "  FROM pg_temp.incoming p RETURNING id, ordinal"
    ") INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    f"  SELECT {WORKSPACE}, s.id, :label_id, :document_id, p.emb"
    "  FROM stored s JOIN pg_temp.incoming p USING (ordinal)"
)


@dataclass(frozen=True)
class Place:
    """Where chunks belong: their version, its document, the label of both, and the language that they are in."""

    document_id: int
    version_id: int
    label_id: int
    language: str


async def store_chunks(
    connection: AsyncConnection,
    place: Place,
    title: str,
    chunks: Sequence[Chunk],
    passages: Sequence[EncodedPassage],
) -> None:
    """Add the chunks of a current version, and what was encoded of each. Once in a transaction."""
    await connection.execute(_INCOMING)
    rows = (_row(piece, passage) for piece, passage in zip(chunks, passages, strict=True))
    await copy_rows(connection, "incoming", _COLUMNS, rows)
    await connection.execute(_ADD_CHUNKS, {**asdict(place), "title": title})


def _row(piece: Chunk, passage: EncodedPassage) -> tuple[int, str, list[str], int | None, int, Vector, bytes]:
    headings = [_storable(heading) for heading in piece.heading_path]
    return (
        piece.ordinal,
        _storable(piece.text),
        headings,
        piece.page,
        piece.tokens,
        Vector(passage.vector),
        passage.token_codes,
    )


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\0", "")
