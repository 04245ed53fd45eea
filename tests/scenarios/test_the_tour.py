"""The tour of the demo company: every question, as the person and in the place that company.toml names."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from auth.channels import audience_of_channel
from auth.clearance import Clearance
from auth.database import Database
from auth.directory import person_called
from auth.rights import audience_clearance, nothing, rights_of
from auth.server import RunningServer
from bot.answering import Answerer
from bot.assistant import Assistant, Reply
from bot.demo.company import TourQuestion, load_company, read_company
from bot.generation import GeneratorChatModel, LocalGenerator
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from retrieval.retriever import Library
from tests.conftest import fresh_database

TOUR = read_company().tour


@dataclass(frozen=True)
class Company:
    """The demo company in a database, and an assistant that serves it."""

    database: Database
    workspace_id: int
    assistant: Assistant

    async def clearances(self, asked: TourQuestion) -> tuple[Clearance, Clearance]:
        """What the asker, and what everybody in the place, may read."""
        async with self.database.writing_in(self.workspace_id) as connection:
            person = await person_called(connection, asked.handle)
        rights = await rights_of(self.database, self.workspace_id, person.slack_user_id)
        asker = rights.clearance if rights else nothing(self.workspace_id)
        if asked.where == "dm":
            return asker, asker
        async with self.database.writing_in(self.workspace_id) as connection:
            audience = await audience_of_channel(connection, asked.where, person.slack_user_id)
        return asker, await audience_clearance(self.database, self.workspace_id, audience)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company(
    server: RunningServer, embeddings: LocalEmbeddings, language_model: LocalGenerator
) -> AsyncIterator[Company]:
    with fresh_database(server, __name__) as urls:
        database = Database(urls)
        async with ParserProcess() as parser:
            workspace_id = await load_company(
                database, Ingestor(database, embeddings, parser), lambda _done, _of: None
            )
        answerer = Answerer(
            GeneratorChatModel.over(language_model), embeddings.encode, likelihood=language_model
        )
        yield Company(database, workspace_id, Assistant(Library(database, embeddings), answerer))
        await database.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "asked", TOUR, ids=lambda asked: f"{asked.handle} in {asked.where}: {asked.question}"
)
async def test_each_is_told_what_they_may_read_and_nothing_else(
    company: Company, asked: TourQuestion
) -> None:
    parts = await company.assistant.answer_in_place(asked.question, *await company.clearances(asked))
    for_all, for_asker = words_of(parts.everybody), words_of(parts.asker)
    said = for_all + for_asker
    assert not [words for words in asked.must_not if folded(words) in said]
    if asked.expects == "":
        assert said == ""
    elif asked.expects is not None:
        told = {"channel": for_all, "asker": for_asker}.get(asked.seen_by or "", said)
        assert folded(asked.expects) in told
        assert asked.seen_by != "asker" or folded(asked.expects) not in for_all


def words_of(reply: Reply | None) -> str:
    return folded(reply.answer.text) if reply else ""


def folded(words: str) -> str:
    return " ".join(words.split()).casefold()
