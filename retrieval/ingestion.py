"""From bytes to something that can be found: parse, chunk, embed, and store a version whole or not at all.

Takes connections that write; reads nothing back but ids and hashes, which is all the app role may read.
"""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, Protocol

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from auth.database import ITSELF, WORKSPACE, Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import NOBODY, Policy
from retrieval.chunking import Chunk, CountTokens, chunk, embedding_text, token_counter
from retrieval.embedding import LocalEmbeddings
from retrieval.encoding_line import EncodingLine
from retrieval.failing import forget_failure
from retrieval.language import language_of
from retrieval.likeness import Fingerprint, fingerprint, remember_likeness
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.isolated import ParserProcess
from retrieval.relabelling import relabel_documents
from retrieval.reranking.token_codes import EncodedPassage, encode_passages
from retrieval.storing import Place, store_chunks
from retrieval.withdrawing import settle_document
from retrieval.word_counts import count_words

INGESTED = "document.ingested"
NEVER_GIVEN = 0
"""No label has this id: a document to which nobody's submission gave a label keeps the readers that it has."""
Status = Literal["added", "updated", "relabelled", "unchanged"]
Stage = Literal["parsing", "embedding", "storing"]

_KNOWN = text(
    "SELECT d.id, d.label_id, v.content_hash, l.policy AS readers FROM retrieval.document d"
    " JOIN auth.access_label l ON l.workspace_id = d.workspace_id AND l.id = d.label_id"
    " LEFT JOIN retrieval.version v"
    "   ON v.workspace_id = d.workspace_id AND v.document_id = d.id AND v.is_current"
    f" WHERE d.workspace_id = {WORKSPACE} AND d.uri = :uri FOR UPDATE OF d"
)
_HOLD_ADDRESS = text(f"SELECT pg_advisory_xact_lock(hashtextextended(:uri, {WORKSPACE}))")
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
    "  media_type, language, dated, author, stated, size, encoder)"
    f" VALUES ({WORKSPACE}, :document_id, :label_id, true, :content_hash, :title, :media_type, :language,"
    "  :dated, :author, :stated, :size, :encoder)"
    " RETURNING id"
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
    given_label_id: int | None = None
    """The label that whoever hands it in gave it the last time. A document that has another one by now was given
    other readers by somebody, and keeps them. None: it gets `label_id`, whatever it has."""
    expires_at: datetime | None = None
    """From when on it no longer answers, aware; None leaves that as it is."""

    @property
    def stated(self) -> list[str]:
        """What was not left to the document itself."""
        return [name for name, given in (("title", self.title), ("dated", self.dated)) if given]


@dataclass(frozen=True)
class Outcome:
    """What became of a submission: how many chunks can now be found, and what changed."""

    document_id: int
    title: str
    chunks: int
    status: Status
    answers: bool = True
    """Whether it is answered from: not where its time is over."""
    keeps_readers: bool = False
    """Whether it has the readers that somebody gave it, and not those that it was handed in for."""


class Entry(Protocol):
    """Something to be written down together with a document, in the transaction that stores it."""

    async def open(self, connection: AsyncConnection) -> None:
        """Before anything is stored. What it raises leaves everything as it was."""

    async def enter(self, connection: AsyncConnection, outcome: Outcome) -> None:
        """Once it is stored."""


@dataclass(frozen=True)
class Progress:
    """How far a submission came: `done` of `total`, which are passages once it has been parsed."""

    stage: Stage
    done: int
    total: int


OnProgress = Callable[[Progress], None]
"""Called in the event loop, before each stage and after each step of it. What it raises ends the ingestion."""


def _unwatched(_progress: Progress) -> None:
    """Progress that nobody watches."""


class _Abandoned(Exception):
    """Ends work in a thread for which nobody waits any more."""


class Ingestor:
    """Takes submissions into the database. One per process; safe to use concurrently."""

    def __init__(self, database: Database, embeddings: LocalEmbeddings, parser: ParserProcess) -> None:
        self._database = database
        self._embeddings = embeddings
        self._parser = parser
        self._count_tokens = token_counter(embeddings.tokenizer)
        self._encoding: EncodingLine[EncodedPassage] = EncodingLine(
            lambda texts: encode_passages(embeddings, texts), embeddings.device.texts
        )

    async def ingest(
        self,
        workspace_id: int,
        submission: Submission,
        on_progress: OnProgress | None = None,
        *,
        entry: Entry | None = None,
    ) -> Outcome:
        """Store a submission as the current version of its document; an `entry` is written in with it.

        One transaction at the end: until it commits the old version answers, afterwards the new one does.
        Raises UnreadableDocument or NothingToRead, and leaves everything as it was; so does cancelling it.
        """
        report = on_progress or _unwatched
        await count_words(self._database, workspace_id)  # for what came before: the search goes by it
        digest = _digest(submission)
        async with self._opened(workspace_id, submission, entry) as (connection, submission, known):
            if known is not None and known.content_hash == digest:
                return await self._same_content(connection, known, submission, entry)
        report(Progress("parsing", 0, 1))
        document = await self._parser.parse(submission.data, submission.name)
        chunks = await self._chunk(document)
        report(Progress("parsing", 1, 1))
        if not chunks:
            raise NothingToRead(f"{submission.name} was read, but there is no text in it to answer from.")
        title = submission.title or document.title or submission.name
        passages = await self._embed(title, chunks, report)
        language = await asyncio.to_thread(language_of, document)
        words = "\n".join(piece.text for piece in chunks)
        likeness = await asyncio.to_thread(fingerprint, submission.data, words)
        report(Progress("storing", 0, len(chunks)))
        async with self._opened(workspace_id, submission, entry) as (connection, submission, known):
            if known is not None and known.content_hash == digest:  # somebody else was faster
                return await self._same_content(connection, known, submission, entry)
            status: Status = "updated" if known else "added"
            is_kept = _is_kept(known, submission)
            submission = replace(submission, label_id=_label_of(known, submission))
            document_id = await _store(
                connection, submission, document, title, language, digest, chunks, passages, likeness,
                self._embeddings.fingerprint,
            )  # fmt: skip
            answers = await settle_document(connection, document_id, submission.expires_at)
            await forget_failure(connection, submission.uri)
            outcome = Outcome(document_id, title, len(chunks), status, answers, is_kept)
            if entry is not None:
                await entry.enter(connection, outcome)
            details = {"label": submission.label_id, "status": status}
            await record(connection, INGESTED, details, document_id=document_id)
        report(Progress("storing", len(chunks), len(chunks)))
        return outcome

    @asynccontextmanager
    async def _opened(
        self, workspace_id: int, submission: Submission, entry: Entry | None
    ) -> AsyncIterator[tuple[AsyncConnection, Submission, Row[Any] | None]]:
        """A transaction, the submission under the label that it has by now, and the document as it stands."""
        async with self._database.writing_in(workspace_id, submission.actor) as connection:
            if entry is not None:
                await entry.open(connection)
            submission = await _with_its_readers(connection, submission)
            yield connection, submission, await _known(connection, submission)

    async def holds(self, workspace_id: int, submission: Submission) -> bool:
        """Whether this is, or once was, a version of its document."""
        values = {"uri": submission.uri, "content_hash": _digest(submission)}
        async with self._database.writing_in(workspace_id) as connection:
            return (await connection.execute(_HELD, values)).first() is not None

    async def _same_content(
        self, connection: AsyncConnection, known: Row[Any], submission: Submission, entry: Entry | None
    ) -> Outcome:
        outcome = await self._settled(connection, known, submission)
        if entry is not None:
            await entry.enter(connection, outcome)
        return outcome

    async def _settled(self, connection: AsyncConnection, known: Row[Any], submission: Submission) -> Outcome:
        title = submission.title or submission.name
        if submission.given_label_id is None:
            facts = {"department": submission.department, "added_by": submission.added_by}
            await connection.execute(_STATE, {**facts, "id": known.id})
        answers = await settle_document(connection, known.id, submission.expires_at)
        await forget_failure(connection, submission.uri)
        label_id = _label_of(known, submission)
        if known.label_id == label_id:
            is_kept = _is_kept(known, submission)
            return Outcome(known.id, title, 0, "unchanged", answers, is_kept)
        await relabel_documents(connection, [known.id], label_id)
        return Outcome(known.id, title, 0, "relabelled", answers)

    async def _chunk(self, document: ParsedDocument) -> tuple[Chunk, ...]:
        """In a thread, which stops at its next count of tokens if this is cancelled."""
        is_wanted = threading.Event()
        is_wanted.set()
        try:
            return await asyncio.to_thread(chunk, document, _while_wanted(is_wanted, self._count_tokens))
        finally:
            is_wanted.clear()

    async def _embed(self, title: str, chunks: Sequence[Chunk], report: OnProgress) -> list[EncodedPassage]:
        texts = [embedding_text(title, piece.heading_path, piece.text) for piece in chunks]
        return await self._encoding.encode(
            texts, lambda done: report(Progress("embedding", done, len(texts)))
        )


def _while_wanted(is_wanted: threading.Event, count: CountTokens) -> CountTokens:
    def count_if_wanted(texts: Sequence[str]) -> list[int]:
        if not is_wanted.is_set():
            raise _Abandoned
        return count(texts)

    return count_if_wanted


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


async def _known(connection: AsyncConnection, submission: Submission) -> Row[Any] | None:
    """The document as it stands; nobody gives it other readers until this transaction ends. Raises ClosedToAll.

    Of an address that is new, the first to come stores it, and who comes at the same time finds it known.
    """
    await connection.execute(_HOLD_ADDRESS, {"uri": submission.uri})
    known = (await connection.execute(_KNOWN, {"uri": submission.uri})).first()
    _refuse_opening(known, submission)
    return known


def _is_kept(known: Row[Any] | None, submission: Submission) -> bool:
    given = submission.given_label_id
    return known is not None and given is not None and known.label_id != given


def _label_of(known: Row[Any] | None, submission: Submission) -> int:
    return int(known.label_id) if known is not None and _is_kept(known, submission) else submission.label_id


def _refuse_opening(known: Row[Any] | None, submission: Submission) -> None:
    """What somebody closed to everybody is not opened by handing it in again."""
    if known is not None and known.readers == str(NOBODY) and _label_of(known, submission) != known.label_id:
        raise ClosedToAll(
            f"{submission.name} is closed to everybody, and nothing was changed. Give it readers first:"
            " `/access`, or `ostiary access change`."
        )


async def _store(
    connection: AsyncConnection,
    submission: Submission,
    document: ParsedDocument,
    title: str,
    language: str,
    digest: bytes,
    chunks: Sequence[Chunk],
    passages: Sequence[EncodedPassage],
    likeness: Fingerprint,
    encoder: str,
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
        "language": language,
        "dated": submission.dated or document.dated,
        "author": document.author,
        "stated": submission.stated,
        "size": len(submission.data),
        "encoder": encoder,
    }
    version_id = (await connection.execute(_ADD_VERSION, {**this, **label, **version})).scalar_one()
    place = Place(document_id, version_id, submission.label_id, language)
    await store_chunks(connection, place, title, chunks, passages)
    await remember_likeness(connection, document_id, version_id, submission.label_id, likeness)
    return int(document_id)
