"""Documents and failures that are out of the ordinary: stored as they are, and never told to a log."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.clearance import Clearance
from auth.database import Database
from auth.labelling import intern_label
from auth.labels import parse_policy
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess

ESCAPES = [
    r"A NUL is written \u0000 in JSON and ends a string in C.",
    r'The path C:\u0000", "text": "forged", "page": 7, "x": "y begins it.',
    r"It ends with \u0000",
]


@pytest.fixture
async def ingestor(database: Database, embeddings: LocalEmbeddings) -> AsyncIterator[Ingestor]:
    async with ParserProcess() as parser:
        yield Ingestor(database, embeddings, parser)


@pytest.mark.parametrize("said", ESCAPES)
async def test_a_document_about_escapes_is_stored_to_the_letter(
    database: Database, workspace_id: int, ingestor: Ingestor, said: str
) -> None:
    async with database.writing_in(workspace_id) as connection:
        label_id = await intern_label(connection, parse_policy("everyone"))
    await ingestor.ingest(workspace_id, Submission("escapes", "escapes.txt", said.encode(), label_id))
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        stored = (await connection.execute(text("SELECT text, page FROM retrieval.chunk"))).all()
    assert [tuple(row) for row in stored] == [(said, None)]


async def test_an_error_of_the_database_does_not_repeat_what_was_to_be_stored(
    database: Database, workspace_id: int
) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with database.writing_in(workspace_id) as connection:
            await connection.execute(
                text("SELECT 1 / :divisor, CAST(:said AS text)"), {"divisor": 0, "said": "Ada earns 94,000."}
            )
    assert "division by zero" in str(failed.value)
    assert "94,000" not in str(failed.value)
