"""A workspace with sources in it, read by the real refresher into a real database."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import Database
from auth.granting import define_role
from auth.labelling import intern_label, read_labels
from auth.labels import parse_policy
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import AddSource
from bot.administering.making import Change
from bot.source_jobs import readers
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from retrieval.search import search
from retrieval.sources.kept import Counts, Item, Kind, Source, items_of, list_sources, source_with
from retrieval.sources.reading import Reader
from retrieval.sources.refreshing import Refresher, Run

ROLES = ("finance", "hr", "leadership")
_STANDING = text(
    "SELECT d.uri, l.policy AS readers, c.name AS collection,"
    " (SELECT count(*) FROM retrieval.version v WHERE v.document_id = d.id) AS versions,"
    " (SELECT count(*) FROM retrieval.version v WHERE v.document_id = d.id AND v.is_current AND d.withdrawn IS NULL)"
    "  AS current,"
    " (SELECT count(*) FROM retrieval.chunk k WHERE k.document_id = d.id AND k.is_current AND k.label_id IS NOT NULL)"
    "  AS chunks,"
    " (SELECT count(*) FROM retrieval.chunk_vec e WHERE e.document_id = d.id AND e.label_id IS NOT NULL) AS vectors"
    " FROM retrieval.document d JOIN auth.access_label l ON l.id = d.label_id"
    " LEFT JOIN retrieval.collection c ON c.id = d.collection_id ORDER BY d.uri"
)
_COUNTED = text("SELECT coalesce(sum(chunks), 0) FROM retrieval.label_count")


@dataclass(frozen=True)
class Standing:
    """How a document stands: its readers, its versions, whether it answers."""

    uri: str
    readers: str
    collection: str | None
    versions: int
    current: int
    chunks: int
    vectors: int


@dataclass
class Keeping:
    """Sources kept in a workspace, and what came of them."""

    database: Database
    workspace_id: int
    embeddings: LocalEmbeddings
    ingestor: Ingestor
    readers: dict[Kind, Reader]

    @property
    def refresher(self) -> Refresher:
        return Refresher(self.database, self.ingestor, self.readers)

    @property
    def administration(self) -> Administration:
        return Administration(self.database, self.workspace_id)

    async def carry_out(self, change: Change) -> int | None:
        return (await self.administration.carry_out(change, COMMAND_LINE)).change_id

    async def add(
        self,
        kind: Kind,
        reference: Path | str,
        policy: str = "everyone",
        *,
        arguments: Mapping[str, Any] | None = None,
        by_value: Mapping[str, str] | None = None,
        every: timedelta | None = None,
        collection: str | None = None,
    ) -> int:
        readable = {value: parse_policy(given) for value, given in (by_value or {}).items()}
        await self.carry_out(
            AddSource(
                kind,
                str(reference),
                parse_policy(policy),
                arguments or {},
                readable,
                collection=collection,
                every=every,
            )
        )
        async with self.database.writing_in(self.workspace_id) as connection:
            return (await list_sources(connection))[-1].id

    async def read(self, source_id: int, *, by_hand: bool = False) -> Run:
        return await self.refresher.refresh(self.workspace_id, source_id, by_hand=by_hand)

    async def counts(self, source_id: int) -> Counts:
        """Read it, in peace; what that brought."""
        run = await self.read(source_id)
        assert (run.error, run.failures) == (None, [])
        return run.counts

    async def source(self, source_id: int) -> Source:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await source_with(connection, source_id)

    async def items(self, source_id: int) -> dict[str, Item]:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await items_of(connection, source_id)

    async def documents(self) -> dict[str, Standing]:
        """Every document there is, by the end of its address."""
        async with self.database.writing_in(self.workspace_id) as connection:
            rows = [Standing(**row._mapping) for row in await connection.execute(_STANDING)]
            counted = (await connection.execute(_COUNTED)).scalar_one()
        assert counted == sum(row.vectors for row in rows)
        assert all(row.chunks == row.vectors and row.current <= 1 for row in rows)
        return {row.uri.rpartition("/")[2]: row for row in rows}

    async def found(self, question: str, policy: str = "everyone") -> list[str]:
        """The passages that somebody gets who may read what is for `policy` alone."""
        async with self.database.writing_in(self.workspace_id) as connection:
            label_id = await intern_label(connection, parse_policy(policy))
        clearance = Clearance(self.workspace_id, frozenset({label_id}), 1)
        vector = self.embeddings.encode([question])[0]
        return [c.passage.text for c in await search(self.database, clearance, question, vector)]

    async def labels(self) -> set[str]:
        async with self.database.writing_in(self.workspace_id) as connection:
            return {str(policy) for policy in (await read_labels(connection)).values()}

    def last_written(self) -> list[tuple[Any, ...]]:
        """The transaction that wrote last to each table of documents."""
        tables = ("document", "version", "chunk", "chunk_vec")
        with psycopg.connect(self.database.urls.admin) as connection:
            return [
                connection.execute(
                    f"SELECT max(xmin::text::bigint), count(*) FROM retrieval.{table}"
                ).fetchone()  # type: ignore[misc]
                for table in tables
            ]


@pytest.fixture
async def keeping(
    database: Database, workspace_id: int, embeddings: LocalEmbeddings
) -> AsyncIterator[Keeping]:
    async with database.writing_in(workspace_id) as connection:
        for role in ROLES:
            await define_role(connection, role)
    async with ParserProcess() as parser:
        ingestor = Ingestor(database, embeddings, parser)
        yield Keeping(database, workspace_id, embeddings, ingestor, readers(2**20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents, one of them in a folder of its own."""
    made = tmp_path / "handbook"
    (made / "pay").mkdir(parents=True)
    (made / "parking.md").write_text("# Parking\n\nGuests park on deck three of the garage.")
    (made / "pay" / "bands.md").write_text("# Bands\n\nA junior engineer earns fifty thousand a year.")
    return made
