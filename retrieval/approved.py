"""Approved answers: documents made from other documents, readable where all of those are.

They are stored and found like any document, at an address of their own. The database makes one stale, in the same
transaction, as soon as a document that it was made from gets another version or other readers, or is withdrawn or
removed: a stale one answers no more until it is approved again. Takes connections of `Database.writing_in`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.labelling import read_labels
from auth.labels import Policy, conjunction
from retrieval.ingestion import Outcome
from retrieval.withdrawing import ANSWERS

SCHEME = "answer:"

# Held until the transaction ends: whoever would change one of them comes after the answer, and makes it stale.
_MADE_FROM = text(
    "SELECT c.id AS chunk_id, d.id AS document_id, c.version_id, d.label_id,"
    f" c.is_current AND {ANSWERS.format(d='d')} AS stands"
    " FROM retrieval.chunk c"
    " JOIN retrieval.document d ON d.workspace_id = c.workspace_id AND d.id = c.document_id"
    f" WHERE c.workspace_id = {WORKSPACE} AND c.id = ANY(:ids) ORDER BY d.id, c.id FOR SHARE OF d"
)
_FORGET = text(
    f"DELETE FROM retrieval.approved_source WHERE workspace_id = {WORKSPACE} AND answer_id = :answer_id"
)
_ADD = text(
    "INSERT INTO retrieval.approved_source (workspace_id, answer_id, source_id, version_id, label_id)"
    f" VALUES ({WORKSPACE}, :answer_id, :document_id, :version_id, :label_id)"
)
_SOURCES = text(
    f"SELECT source_id FROM retrieval.approved_source WHERE workspace_id = {WORKSPACE} AND answer_id = :answer_id"
    " ORDER BY 1"
)

_ANSWERS = text(
    "WITH RECURSIVE made (id) AS (SELECT unnest(CAST(:ids AS bigint[]))"
    " UNION SELECT s.answer_id FROM retrieval.approved_source s JOIN made ON s.source_id = made.id"
    f"  WHERE s.workspace_id = {WORKSPACE})"
    f" SELECT DISTINCT answer_id FROM retrieval.approved_source WHERE workspace_id = {WORKSPACE}"
    "  AND source_id IN (SELECT id FROM made)"
)


class SourcesChanged(OstiaryError):
    """What an answer was made from is not what it was any more; the message says to ask again."""


@dataclass(frozen=True)
class Source:
    """A document that an answer was made from, in the version and under the label that it had."""

    document_id: int
    version_id: int
    label_id: int


@dataclass(frozen=True)
class Grounds:
    """What an answer was made from, and who may read all of it."""

    sources: tuple[Source, ...]
    readers: Policy


async def grounds_of(
    connection: AsyncConnection, chunk_ids: Collection[int], label_ids: Collection[int]
) -> Grounds:
    """The documents of these chunks, and the readers that they and these labels have in common.

    Raises SourcesChanged where a chunk, or a label, is not there any more or answers no more.
    """
    wanted = sorted(set(chunk_ids))
    rows = (await connection.execute(_MADE_FROM, {"ids": wanted})).all()
    labels = await read_labels(connection)
    if (
        not rows
        or len(rows) < len(wanted)
        or not all(row.stands for row in rows)
        or set(label_ids) - set(labels)
    ):
        raise SourcesChanged(
            "What this answer was made from has changed since. Ask again, and approve the new answer."
        )
    sources = {row.document_id: Source(row.document_id, row.version_id, row.label_id) for row in rows}
    under = {source.label_id for source in sources.values()} | set(label_ids)
    return Grounds(tuple(sources.values()), conjunction(labels[label_id] for label_id in under))


@dataclass(frozen=True)
class MadeFrom:
    """Written down with the answer that is stored: where its grounds are others by then, nothing is stored."""

    chunk_ids: tuple[int, ...]
    label_ids: frozenset[int]
    grounds: Grounds

    async def open(self, connection: AsyncConnection) -> None:
        """Raises SourcesChanged."""
        if await grounds_of(connection, self.chunk_ids, self.label_ids) != self.grounds:
            raise SourcesChanged(
                "What this answer was made from was changed just now. Ask again, and approve the new answer."
            )

    async def enter(self, connection: AsyncConnection, outcome: Outcome) -> None:
        """The sources of the answer that was stored, in place of those that an earlier one had."""
        await connection.execute(_FORGET, {"answer_id": outcome.document_id})
        await connection.execute(_ADD, [_row(outcome.document_id, source) for source in self.grounds.sources])


async def sources_of(connection: AsyncConnection, answer_id: int) -> list[int]:
    """The documents that an approved answer was made from; none where the document is no approved answer."""
    return [row.source_id for row in await connection.execute(_SOURCES, {"answer_id": answer_id})]


async def answers_from(connection: AsyncConnection, document_ids: Collection[int]) -> set[int]:
    """The approved answers that were made from these documents, or from answers that were."""
    rows = await connection.execute(_ANSWERS, {"ids": sorted(set(document_ids))})
    return {row.answer_id for row in rows}


def _row(answer_id: int, source: Source) -> Mapping[str, int]:
    return {"answer_id": answer_id, **vars(source)}
