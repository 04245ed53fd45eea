"""Documents go in, and each reader finds what their clearance holds."""

import pytest

from auth.clearance import Clearance
from auth.database import Database
from auth.granting import define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.rights import read_standing
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.retriever import Library

HANDBOOK = (
    b"# Leave\n\nEmployees receive 27 days of paid leave a year.\n\n# Travel\n\nBook trains, not planes."
)
SALARIES = b"# Salary bands\n\nA senior engineer is paid between 78,000 and 96,000 a year."


class Shelf:
    """A library with roles `people` and `leadership`, and a way to read it."""

    def __init__(self, database: Database, workspace_id: int, embeddings: LocalEmbeddings) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.library = Library(database, embeddings)
        self.embeddings = embeddings

    async def label(self, readers: str) -> int:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await intern_label(connection, parse_policy(readers))

    async def clearance(self, *roles: str) -> Clearance:
        async with self.database.writing_in(self.workspace_id) as connection:
            return (await read_standing(self.database, connection, self.workspace_id)).clearance(
                frozenset(roles)
            )

    async def titles(self, question: str, *roles: str) -> set[str]:
        return {p.title for p in await self.library.passages(question, await self.clearance(*roles))}


@pytest.fixture
async def shelf(database: Database, workspace_id: int, embeddings: LocalEmbeddings) -> Shelf:
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "people")
        await define_role(connection, "leadership")
    return Shelf(database, workspace_id, embeddings)


@pytest.fixture
async def ingestor(shelf: Shelf):
    async with ParserProcess() as parser:
        yield Ingestor(shelf.database, shelf.embeddings, parser)


async def test_a_reader_finds_what_the_label_admits_and_nothing_else(
    shelf: Shelf, ingestor: Ingestor
) -> None:
    handbook = Submission("handbook", "handbook.md", HANDBOOK, await shelf.label("everyone"), "Handbook")
    salaries = Submission("salaries", "pay.md", SALARIES, await shelf.label("people+leadership"), "Salaries")
    assert (await ingestor.ingest(shelf.workspace_id, handbook)).status == "added"
    await ingestor.ingest(shelf.workspace_id, salaries)

    question = "What is a senior engineer paid?"
    assert await shelf.titles(question, "everyone") == {"Handbook"}
    assert await shelf.titles(question, "everyone", "people") == {"Handbook"}
    assert await shelf.titles(question, "everyone", "people", "leadership") == {"Handbook", "Salaries"}
    assert await shelf.titles(question) == set()


async def test_a_long_document_is_found_by_its_title_and_by_a_line_deep_in_it(
    shelf: Shelf, ingestor: Ingestor
) -> None:
    filler = "The committee met, heard what there was to hear, and agreed on the next meeting. " * 12
    sections = "\n\n".join(f"# Meeting {number}\n\n{filler}" for number in range(30))
    long = f"{sections}\n\n# Meeting 31\n\nThe lighthouse at Skagen is to be painted green."
    label = await shelf.label("people")
    for uri, title, content in (
        ("minutes", "Minutes of the harbour board", long),
        ("other", "Minutes of the tennis club", sections),
    ):
        submission = Submission(uri, f"{uri}.md", content.encode(), label, title=title)
        await ingestor.ingest(shelf.workspace_id, submission)
    people = await shelf.clearance("people")
    named = await shelf.library.passages("What is in the minutes of the harbour board?", people)
    deep = await shelf.library.passages("Which colour will the lighthouse have?", people)
    assert named[0].title == "Minutes of the harbour board"
    assert "painted green" in deep[0].text
