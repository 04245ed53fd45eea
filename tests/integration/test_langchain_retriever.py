"""The retriever that LangChain chains are given reads for one clearance, which it cannot be built without."""

import pytest
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError

from auth.clearance import Clearance
from auth.database import Database
from auth.granting import define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.retriever import ClearedRetriever, Library

QUESTION = "What is a senior engineer paid?"
SALARIES = b"# Salary bands\n\nA senior engineer is paid between 78,000 and 96,000 a year."


@pytest.fixture
def library(database: Database, embeddings: LocalEmbeddings) -> Library:
    return Library(database, embeddings)


@pytest.fixture
async def people_label(library: Library, workspace_id: int) -> int:
    """The label of a document that is in the library, for people alone."""
    async with library.database.writing_in(workspace_id) as connection:
        await define_role(connection, "people")
        label_id = await intern_label(connection, parse_policy("people"))
    async with ParserProcess() as parser:
        pay = Submission("pay", "pay.md", SALARIES, label_id, "Salaries")
        await Ingestor(library.database, library.embeddings, parser).ingest(workspace_id, pay)
    return label_id


async def test_a_chain_gets_what_the_clearance_of_its_retriever_admits(
    library: Library, workspace_id: int, people_label: int
) -> None:
    may, may_not = (Clearance(workspace_id, labels, 1) for labels in (frozenset({people_label}), frozenset()))
    count = RunnableLambda(lambda documents: [document.metadata["title"] for document in documents])
    assert await (ClearedRetriever(library=library, clearance=may) | count).ainvoke(QUESTION) == ["Salaries"]
    assert await (ClearedRetriever(library=library, clearance=may_not) | count).ainvoke(QUESTION) == []


async def test_a_clearance_that_is_passed_along_with_a_question_changes_nothing(
    library: Library, workspace_id: int, people_label: int
) -> None:
    closed = ClearedRetriever(library=library, clearance=Clearance(workspace_id, frozenset(), 1))
    wide = Clearance(workspace_id, frozenset({people_label}), 1)
    assert await closed.ainvoke(QUESTION, clearance=wide) == []
    assert await closed.ainvoke(QUESTION, {"configurable": {"clearance": wide}}) == []


def test_no_retriever_is_built_without_a_clearance(library: Library) -> None:
    with pytest.raises(ValidationError, match="clearance"):
        ClearedRetriever(library=library)  # type: ignore[call-arg]


def test_the_clearance_of_a_retriever_cannot_be_exchanged(library: Library, workspace_id: int) -> None:
    retriever = ClearedRetriever(library=library, clearance=Clearance(workspace_id, frozenset(), 1))
    with pytest.raises(ValidationError, match="frozen"):
        retriever.clearance = Clearance(workspace_id, frozenset({1}), 1)


def test_asking_without_awaiting_is_refused_in_a_sentence(library: Library, workspace_id: int) -> None:
    retriever = ClearedRetriever(library=library, clearance=Clearance(workspace_id, frozenset(), 1))
    with pytest.raises(NotImplementedError, match="use `ainvoke`"):
        retriever.invoke(QUESTION)
