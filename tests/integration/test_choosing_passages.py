"""What a reader is given of what was found: joined where it adjoins, fresh first where that counts, never more."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from auth.clearance import Clearance
from auth.database import Database
from auth.granting import define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from retrieval.cataloguing import define_collection, fade_collection, file_documents
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.relabelling import relabel_documents
from retrieval.retriever import Library, as_document

QUESTION = "Who is the new head of sales?"
TODAY = date(2026, 7, 1)


@pytest.fixture
def library(database: Database, embeddings: LocalEmbeddings) -> Library:
    return Library(database, embeddings, today=lambda: TODAY)


@pytest.fixture
async def ingestor(library: Library) -> AsyncIterator[Ingestor]:
    async with ParserProcess() as parser:
        yield Ingestor(library.database, library.embeddings, parser)


@pytest.fixture
async def labels(database: Database, workspace_id: int) -> tuple[int, int]:
    """The labels of `everyone` and of `hr`."""
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "hr")
        return (
            await intern_label(connection, parse_policy("everyone")),
            await intern_label(connection, parse_policy("hr")),
        )


def news(name: str, said: str, dated: date, label_id: int) -> Submission:
    return Submission(name, f"{name}.md", f"# {name}\n\n{said}".encode(), label_id, dated=dated)


async def heads(library: Library, reader: Clearance) -> list[str]:
    passages = await library.passages(QUESTION, reader)
    return [name for passage in passages for name in ("Ada", "Grace") if name in passage.text]


async def test_in_a_collection_that_fades_the_newer_comes_first_and_elsewhere_age_does_not_count(
    library: Library, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    reader = Clearance(workspace_id, frozenset(labels), 1)
    closer = news("New head of sales", "The new head of sales is Ada.", date(2024, 1, 15), labels[0])
    newer = news(
        "From the board", "Sales will be headed by Grace from July on.", date(2026, 6, 20), labels[0]
    )
    ids = [(await ingestor.ingest(workspace_id, submission)).document_id for submission in (closer, newer)]
    assert await heads(library, reader) == ["Ada", "Grace"]
    async with library.database.writing_in(workspace_id) as connection:
        # A collection that this reader is not told of: what fades in it fades for all.
        collection_id = await define_collection(connection, "news", labels[1], None, None, timedelta(days=1))
        await file_documents(connection, ids, collection_id)
    assert await heads(library, reader) == ["Ada", "Grace"]
    async with library.database.writing_in(workspace_id) as connection:
        await fade_collection(connection, collection_id, 30)
    assert await heads(library, reader) == ["Grace", "Ada"]


async def test_a_joined_passage_is_readable_only_as_long_as_all_of_its_chunks_are(
    library: Library, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    said = " ".join(
        f"Guest number {n} parks on deck {n % 9} of the garage behind the bakery." for n in range(36)
    )
    outcome = await ingestor.ingest(
        workspace_id, Submission("p", "p.md", said.encode(), labels[0], "Parking")
    )
    reader = Clearance(workspace_id, frozenset({labels[0]}), 1)
    (passage,) = await library.passages("Where do guests park?", reader)
    assert len(passage.chunk_ids) == outcome.chunks > 2
    assert "number 0 " in passage.text
    assert "number 35 " in passage.text
    assert passage.text.index("number 0 ") < passage.text.index("number 35 ")
    assert as_document(passage).metadata["chunk_ids"] == list(passage.chunk_ids)
    assert await library.admits(reader, passage.chunk_ids)
    async with library.database.writing_in(workspace_id) as connection:
        await relabel_documents(connection, [outcome.document_id], labels[1])
    assert not await library.admits(reader, passage.chunk_ids)
