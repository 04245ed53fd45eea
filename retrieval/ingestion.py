"""From bytes to something that can be found: parse, chunk, embed, and store a version whole or not at all.

Takes connections that write; reads nothing back but ids and hashes, which is all the app role may read.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from auth.database import ITSELF, WORKSPACE, Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import NOBODY, Policy
from retrieval.chunking import Chunk, chunk, embedding_text, token_counter
from retrieval.embedding import LocalEmbeddings, Vectors, as_pgvector
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.isolated import ParserProcess
from retrieval.relabelling import relabel_documents

INGESTED = "document.ingested"
Status = Literal["added", "updated", "relabelled", "unchanged"]

_KNOWN = text(
    "SELECT d.id, d.label_id, v.content_hash, l.policy AS readers FROM retrieval.document d"
    " JOIN auth.access_label l ON l.workspace_id = d.workspace_id AND l.id = d.label_id"
    " LEFT JOIN retrieval.version v"
    "   ON v.workspace_id = d.workspace_id AND v.document_id = d.id AND v.is_current"
    f" WHERE d.workspace_id = {WORKSPACE} AND d.uri = :uri"
)
_HELD = text(
    "SELECT 1 FROM retrieval.document d"
    " JOIN retrieval.version v ON v.workspace_id = d.workspace_id AND v.document_id = d.id"
    f" WHERE d.workspace_id = {WORKSPACE} AND d.uri = :uri AND v.content_hash = :content_hash"
)
_UPSERT_DOCUMENT = text(
    "INSERT INTO retrieval.document (workspace_id, label_id, uri, title, department, added_by)"
    f" VALUES ({WORKSPACE}, :label_id, :uri, :title, :department, :added_by)"
    " ON CONFLICT (workspace_id, uri) DO UPDATE SET title = :title, department = :department,"
    "  added_by = :added_by RETURNING id"  # not EXCLUDED: to read that is to read the column
)
_STATE = text(
    "UPDATE retrieval.document SET department = :department, added_by = :added_by"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_RETIRE_VERSION = text(
    "UPDATE retrieval.version SET is_current = false"
    f" WHERE workspace_id = {WORKSPACE} AND document_id = :document_id AND is_current"
)
_RETIRE_CHUNKS = text(
    "UPDATE retrieval.chunk SET is_current = false"
    f" WHERE workspace_id = {WORKSPACE} AND document_id = :document_id AND is_current"
)
_DROP_VECTORS = text(
    f"DELETE FROM retrieval.chunk_vec WHERE workspace_id = {WORKSPACE} AND document_id = :document_id"
)
_ADD_VERSION = text(
    "INSERT INTO retrieval.version (workspace_id, document_id, label_id, is_current, content_hash, title,"
    "  media_type, dated, author)"
    f" VALUES ({WORKSPACE}, :document_id, :label_id, true, :content_hash, :title, :media_type, :dated, :author)"
    " RETURNING id"
)
# Title and headings count as words of the chunk, and weigh more than its text.
_ADD_CHUNKS = text(
    "WITH given AS ("
    "  SELECT * FROM jsonb_to_recordset(CAST(:chunks AS jsonb)) AS g"
    "   (ordinal bigint, text text, headings jsonb, page bigint, tokens bigint, emb text)"
    "), placed AS ("
    "  SELECT g.*, ARRAY(SELECT jsonb_array_elements_text(g.headings)) AS heading_path FROM given g"
    "), stored AS ("
    "  INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "    heading_path, page, tokens, words)"
    f"  SELECT {WORKSPACE}, :document_id, :version_id, :label_id, true, p.ordinal, p.text, p.heading_path, p.page,"
    "    p.tokens, setweight(to_tsvector('english', CAST(:title AS text)), 'A')"
    "      || setweight(to_tsvector('english', array_to_string(p.heading_path, ' ')), 'B')"
    "      || setweight(to_tsvector('english', p.text), 'D')"
    "  FROM placed p RETURNING id, ordinal"
    ") INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    f"  SELECT {WORKSPACE}, s.id, :label_id, :document_id, CAST(g.emb AS vector)"
    "  FROM stored s JOIN given g USING (ordinal)"
)


class ClosedToAll(OstiaryError):
    """A document was handed in again that somebody had closed to everybody; the message says how to open it."""


class NothingToRead(OstiaryError):
    """A document was parsed and has no text worth finding; the message names it."""


@dataclass(frozen=True)
class Submission:
    """A document as it was handed in. `uri` names it: the same uri again is a new version of it."""

    uri: str
    name: str
    data: bytes
    label_id: int
    title: str | None = None
    dated: date | None = None
    department: str = ""
    added_by: str = ""
    actor: str = ITSELF
    """Whom the audit log names: a Slack user id, or what acted by itself."""
    policy: Policy | None = None
    """Who was said to read it. Where the label says something else by the time it is stored, it gets another."""


@dataclass(frozen=True)
class Outcome:
    """What became of a submission: how many chunks can now be found, and what changed."""

    document_id: int
    title: str
    chunks: int
    status: Status


class Ingestor:
    """Takes submissions into the database. One per process; safe to use concurrently."""

    def __init__(self, database: Database, embeddings: LocalEmbeddings, parser: ParserProcess) -> None:
        self._database = database
        self._embeddings = embeddings
        self._parser = parser
        self._count_tokens = token_counter(embeddings.tokenizer)

    async def ingest(self, workspace_id: int, submission: Submission) -> Outcome:
        """Store a submission as the current version of its document.

        One transaction at the end: until it commits the old version answers, afterwards the new one does.
        Raises UnreadableDocument or NothingToRead, and leaves everything as it was.
        """
        digest = _digest(submission)
        async with self._database.writing_in(workspace_id, submission.actor) as connection:
            submission = await _with_its_readers(connection, submission)
            known = (await connection.execute(_KNOWN, {"uri": submission.uri})).first()
            _refuse_opening(known, submission)
            if known is not None and known.content_hash == digest:
                return await self._same_content(connection, known.id, known.label_id, submission)
        document = await self._parser.parse(submission.data, submission.name)
        chunks = await asyncio.to_thread(chunk, document, self._count_tokens)
        if not chunks:
            raise NothingToRead(f"{submission.name} was read, but there is no text in it to answer from.")
        title = submission.title or document.title or submission.name
        vectors = await asyncio.to_thread(self._embed, title, chunks)
        status: Status = "updated" if known else "added"
        async with self._database.writing_in(workspace_id, submission.actor) as connection:
            submission = await _with_its_readers(connection, submission)
            _refuse_opening((await connection.execute(_KNOWN, {"uri": submission.uri})).first(), submission)
            document_id = await _store(connection, submission, document, title, digest, chunks, vectors)
            details = {"label": submission.label_id, "status": status}
            await record(connection, INGESTED, details, document_id=document_id)
        return Outcome(document_id, title, len(chunks), status)

    async def holds(self, workspace_id: int, submission: Submission) -> bool:
        """Whether this is, or once was, a version of its document."""
        values = {"uri": submission.uri, "content_hash": _digest(submission)}
        async with self._database.writing_in(workspace_id) as connection:
            return (await connection.execute(_HELD, values)).first() is not None

    async def _same_content(
        self, connection: AsyncConnection, document_id: int, label_id: int, submission: Submission
    ) -> Outcome:
        title = submission.title or submission.name
        facts = {"department": submission.department, "added_by": submission.added_by}
        await connection.execute(_STATE, {**facts, "id": document_id})
        if label_id == submission.label_id:
            return Outcome(document_id, title, 0, "unchanged")
        await relabel_documents(connection, [document_id], submission.label_id)
        return Outcome(document_id, title, 0, "relabelled")

    def _embed(self, title: str, chunks: Sequence[Chunk]) -> Vectors:
        return self._embeddings.encode([embedding_text(title, p.heading_path, p.text) for p in chunks])


def _digest(submission: Submission) -> bytes:
    """Of the content, and of the title and date that were stated for it: either makes another version."""
    content = hashlib.sha256(submission.data).digest()
    stated = [submission.title, submission.dated and submission.dated.isoformat()]
    return hashlib.sha256(content + json.dumps(stated).encode()).digest() if any(stated) else content


async def _with_its_readers(connection: AsyncConnection, submission: Submission) -> Submission:
    """Under the label that says what was chosen: the one that did may have been changed since."""
    if submission.policy is None:
        return submission
    return replace(submission, label_id=await intern_label(connection, submission.policy))


def _refuse_opening(known: Row[Any] | None, submission: Submission) -> None:
    """What somebody closed to everybody is not opened by handing it in again."""
    if known is not None and known.readers == str(NOBODY) and known.label_id != submission.label_id:
        raise ClosedToAll(
            f"{submission.name} is closed to everybody, and nothing was changed. Give it readers first:"
            " `/access`, or `ostiary access change`."
        )


async def _store(
    connection: AsyncConnection,
    submission: Submission,
    document: ParsedDocument,
    title: str,
    digest: bytes,
    chunks: Sequence[Chunk],
    vectors: Vectors,
) -> int:
    label = {"label_id": submission.label_id}
    document_id = (
        await connection.execute(
            _UPSERT_DOCUMENT,
            {
                **label,
                "uri": submission.uri,
                "title": title,
                "department": submission.department,
                "added_by": submission.added_by,
            },
        )
    ).scalar_one()
    this = {"document_id": document_id}
    for statement in (_RETIRE_VERSION, _RETIRE_CHUNKS, _DROP_VECTORS):
        await connection.execute(statement, this)
    await relabel_documents(connection, [document_id], submission.label_id)
    version = {
        "content_hash": digest,
        "title": title,
        "media_type": document.media_type,
        "dated": submission.dated or document.dated,
        "author": document.author,
    }
    version_id = (await connection.execute(_ADD_VERSION, {**this, **label, **version})).scalar_one()
    rows = {"version_id": version_id, "title": title, "chunks": _as_json(chunks, vectors)}
    await connection.execute(_ADD_CHUNKS, {**this, **label, **rows})
    return int(document_id)


def _as_json(chunks: Sequence[Chunk], vectors: Vectors) -> str:
    return json.dumps(
        [
            {
                "ordinal": piece.ordinal,
                "text": _storable(piece.text),
                "headings": [_storable(heading) for heading in piece.heading_path],
                "page": piece.page,
                "tokens": piece.tokens,
                "emb": as_pgvector(vector),
            }
            for piece, vector in zip(chunks, vectors, strict=True)
        ]
    )


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL. Taken out here, since in JSON a NUL looks like a text that speaks of one."""
    return text.replace("\0", "")
