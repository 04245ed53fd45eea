"""A summary, a digest, a comparison carries no word of what its audience may not read: canaries are planted."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from auth.clearance import Clearance
from auth.database import Database
from auth.granting import define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.rights import read_standing
from bot.assistant import Assistant, Reply
from retrieval import documents
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.relabelling import relabel_documents
from retrieval.retriever import Library
from retrieval.search import LABEL_FILTER
from tests.leaks.test_conversation import Take
from tests.parrot import Parrot

TODAY = date(2026, 11, 22)
CANARY = "zqcanary"
OPEN = (
    "# Canteen rules\n\nThe canteen serves lunch from noon to two.\n\n## Guests\n\nGuests eat for {price} euros."
    " A guest is signed in by whoever invites them.\n"
)
CLOSED = (
    f"# Canteen {CANARY} plan\n\nThe canteen of {CANARY} will be closed in spring.\n\n## Guests\n\nGuests of {CANARY}"
    " pay {price} euros. The caterer of {CANARY} was told nothing about it.\n"
).replace("{CANARY}", CANARY)
QUESTIONS = (
    f"Summarise the canteen {CANARY} plan",
    "Summarise the canteen plan",
    "Summarise the canteen rules",
    "What's new?",
    "Latest on the canteen",
    "What changed since March?",
    f"What changed in the canteen {CANARY} plan?",
    "What changed in the canteen rules?",
    f"Compare the canteen rules with the canteen {CANARY} plan",
    "Compare the canteen rules and the canteen plan",
)


class Shelf:
    """A library with a rule for everybody and a plan for red, both changed once."""

    def __init__(self, database: Database, workspace_id: int, library: Library, ingestor: Ingestor) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.assistant = Assistant(library, Parrot(), today=lambda: TODAY)  # type: ignore[arg-type]
        self._ingestor = ingestor
        self.labels: dict[str, int] = {}

    async def fill(self) -> None:
        for readers, name, text in (("everyone", "rules", OPEN), ("red", "plan", CLOSED)):
            async with self.database.writing_in(self.workspace_id) as connection:
                self.labels[readers] = await intern_label(connection, parse_policy(readers))
            for day, price in ((date(2026, 10, 1), 6), (date(2026, 11, 2), 7)):
                data = text.replace("{price}", str(price)).encode()
                await self._ingestor.ingest(
                    self.workspace_id,
                    Submission(
                        uri=f"test:{name}.md",
                        name=f"{name}.md",
                        data=data,
                        label_id=self.labels[readers],
                        dated=day,
                    ),
                )

    async def clearance(self, *readers: str) -> Clearance:
        async with self.database.deciding_in(self.workspace_id) as connection:
            standing = await read_standing(self.database, connection, self.workspace_id)
        labels = frozenset(self.labels[name] for name in readers)
        return Clearance(self.workspace_id, labels, standing.policy_version)

    async def ask(self, question: str, *readers: str) -> Reply:
        return await self.assistant.answer(question, await self.clearance(*readers))


@pytest.fixture
async def shelf(database: Database, workspace_id: int, embeddings: LocalEmbeddings) -> AsyncIterator[Shelf]:
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "red")
    async with ParserProcess() as parser:
        library = Library(database, embeddings)
        made = Shelf(database, workspace_id, library, Ingestor(database, embeddings, parser))
        await made.fill()
        yield made


def told(reply: Reply) -> str:
    """All that would be shown or kept of it."""
    cited = " ".join(f"{p.title} {p.text} {p.url} {p.heading_path}" for p in reply.answer.cited)
    return f"{reply.answer.text} {cited}"


async def test_none_of_them_tells_what_the_audience_may_not_read(shelf: Shelf) -> None:
    for question in QUESTIONS:
        reply = await shelf.ask(question, "everyone")
        assert CANARY not in told(reply), question
        assert reply.label_ids <= {shelf.labels["everyone"]}, question
        nobody = await shelf.ask(question)
        assert not nobody.found, question


async def test_each_of_them_tells_it_to_its_readers(shelf: Shelf) -> None:
    """Or the test above would prove nothing."""
    for question in (QUESTIONS[0], *QUESTIONS[3:7], *QUESTIONS[8:9]):
        reply = await shelf.ask(question, "everyone", "red")
        assert CANARY in told(reply), question
        assert shelf.labels["red"] in reply.label_ids, question


@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[3], QUESTIONS[6]])
async def test_without_the_locks_it_would_be_told(
    shelf: Shelf, question: str, take_out_both_locks: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_out_both_locks()
    for name in ("_NAMED", "_VERSIONS", "_WHOLE", "_NEWS"):
        monkeypatch.setattr(documents, name, getattr(documents, name).replace(LABEL_FILTER, "true"))
    monkeypatch.setattr(documents, "insist_on", lambda *_: None)
    assert CANARY in told(await shelf.ask(question, "everyone"))


@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[3], QUESTIONS[6]])
async def test_what_was_made_is_told_to_nobody_who_lost_the_right_meanwhile(
    shelf: Shelf, question: str
) -> None:
    reply = await shelf.ask(question, "everyone", "red")
    both, less = await shelf.clearance("everyone", "red"), await shelf.clearance("everyone")
    assert await shelf.assistant.may_still_be_told(reply, both)
    assert not await shelf.assistant.may_still_be_told(reply, less)


async def test_a_document_that_is_closed_takes_its_older_versions_along(shelf: Shelf) -> None:
    before = await shelf.ask(QUESTIONS[6], "everyone", "red")
    plan = before.answer.cited[0].document_id
    async with shelf.database.writing_in(shelf.workspace_id) as connection:
        closed = await intern_label(connection, parse_policy("ostiary-admin"))
        await relabel_documents(connection, [plan], closed)
    clearance = await shelf.clearance("everyone", "red")
    assert not await shelf.assistant.may_still_be_told(before, clearance)
    assert CANARY not in told(await shelf.ask(QUESTIONS[6], "everyone", "red"))


async def test_in_a_channel_everybody_gets_what_all_may_read_and_the_asker_the_rest_alone(
    shelf: Shelf,
) -> None:
    asker, audience = await shelf.clearance("everyone", "red"), await shelf.clearance("everyone")
    parts = await shelf.assistant.answer_in_place("What's new?", asker, audience)
    assert parts.everybody is not None
    assert CANARY not in told(parts.everybody)
    assert parts.asker is not None
    assert CANARY in told(parts.asker)
    same = await shelf.assistant.answer_in_place("Summarise the canteen rules", asker, audience)
    assert (same.everybody is not None, same.asker) == (True, None)
