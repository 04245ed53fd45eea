"""Approved answers are read where all of their sources are, and answer no more once one of those is another."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import psycopg
import pytest
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import WORKSPACE, Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, upsert_people
from auth.granting import define_role, grant
from auth.labelling import change_label, intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.rights import rights_of
from auth.roles import ADMIN
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import RemoveDocuments
from bot.approving import Approvals, CannotApprove
from retrieval.approved import SourcesChanged, sources_of
from retrieval.cataloguing import own_documents
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.relabelling import relabel_documents
from retrieval.retriever import Library
from retrieval.withdrawing import withdraw_documents

CANARY = "zanzibarquartz"
QUESTION = "What does the winter retreat cost, and who pays for it?"
ANSWER = f"The winter retreat costs {CANARY} 9,000 euros [1]. Finance pays for it [2]."
PEOPLE = {"UADA": (ADMIN, "red", "blue"), "UBOTH": ("red", "blue"), "URED": ("red",), "UBLUE": ("blue",)}
FROM_ONE = "public"


class Desk:
    """Two documents with readers of their own, and an answer that was made from both."""

    def __init__(self, database: Database, workspace_id: int, library: Library, ingestor: Ingestor) -> None:
        self.database, self.workspace_id = database, workspace_id
        self.library, self.ingestor = library, ingestor
        self.approvals = Approvals(database, workspace_id, ingestor)
        self.sources: list[int] = []
        self.labels: list[int] = []

    async def ingest(self, uri: str, said: str, readers: str) -> int:
        async with self.database.writing_in(self.workspace_id) as connection:
            label_id = await intern_label(connection, parse_policy(readers))
        submission = Submission(uri, f"{uri}.md", said.encode(), label_id)
        outcome = await self.ingestor.ingest(self.workspace_id, submission)
        self.labels.append(label_id)
        return outcome.document_id

    async def furnish(self) -> None:
        async with self.database.writing_in(self.workspace_id) as connection:
            for role in ("red", "blue"):
                await define_role(connection, role)
            facts = [PersonFacts(user, user.lower(), user, PersonKind.MEMBER) for user in PEOPLE]
            await upsert_people(connection, facts)
            people = await find_people(connection, PEOPLE)
            for user, roles in PEOPLE.items():
                for role in roles:
                    await grant(connection, people[user], role, granted_by="test")
        self.sources = [
            await self.ingest("costs", "# Costs\n\nThe retreat costs 9,000 euros.", "red"),
            await self.ingest("payer", "# Payer\n\nFinance pays for the retreat.", "blue"),
        ]

    async def answered(
        self, channel_type: str = "channel", asker: str = "UBOTH", part: str = "channel"
    ) -> int:
        """The number of a question that was answered from both."""
        async with self.database.writing_in(self.workspace_id) as connection:
            chunks = [row.id for row in await connection.execute(_CHUNKS, {"ids": self.sources})]
            question = {"kind": channel_type, "asker": asker, "text": QUESTION}
            number = (await connection.execute(_ASK, question)).scalar_one()
            answer = {
                "question_id": number,
                "part": part,
                "text": ANSWER,
                "labels": self.labels,
                "chunks": chunks,
            }
            await connection.execute(_ANSWER, answer)
        return int(number)

    async def answer_to(self, question_id: int) -> int:
        async with self.database.writing_in(self.workspace_id) as connection:
            found = await connection.execute(
                text("SELECT id FROM bot.answer WHERE question_id = :id"), {"id": question_id}
            )
            return int(found.scalar_one())

    async def clearance(self, user: str) -> Clearance:
        rights = await rights_of(self.database, self.workspace_id, user)
        assert rights is not None
        return rights.clearance

    async def finds(self, user: str) -> bool:
        found = await self.library.passages(QUESTION, await self.clearance(user))
        return any(CANARY in passage.text for passage in found)


_DELETE = text(f"DELETE FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = :id")
_CHUNKS = text(
    f"SELECT id FROM retrieval.chunk WHERE workspace_id = {WORKSPACE} AND is_current AND document_id = ANY(:ids)"
)
_ASK = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, asker_slack_id, text)"
    f" VALUES ({WORKSPACE}, gen_random_uuid()::text, 'C1', :kind, gen_random_uuid()::text, :asker, :text) RETURNING id"
)
_ANSWER = text(
    "INSERT INTO bot.answer (workspace_id, question_id, part, text, label_ids, chunk_ids, policy_version, clearance,"
    "  model, message_ts)"
    f" VALUES ({WORKSPACE}, :question_id, :part, :text, :labels, :chunks, 1, '', 'test', '1.1')"
)


@pytest.fixture
async def desk(database: Database, workspace_id: int, embeddings: LocalEmbeddings) -> AsyncIterator[Desk]:
    async with ParserProcess() as parser:
        library = Library(database, embeddings)
        made = Desk(database, workspace_id, library, Ingestor(database, embeddings, parser))
        await made.furnish()
        yield made


async def test_it_is_found_by_those_alone_who_may_read_all_that_it_was_made_from(desk: Desk) -> None:
    outcome = await desk.approvals.approve(await desk.answered(), "UADA")
    assert outcome.title == QUESTION
    assert [await desk.finds(user) for user in ("UBOTH", "URED", "UBLUE")] == [True, False, False]


Change = Callable[[Desk], Awaitable[object]]


async def _new_version(desk: Desk) -> None:
    await desk.ingest("costs", "# Costs\n\nThe retreat costs nothing any more.", "red")


async def _relabel(desk: Desk) -> None:
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await relabel_documents(connection, desk.sources[:1], desk.labels[1])


async def _other_readers_of_the_label(desk: Desk) -> None:
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await change_label(connection, desk.labels[0], parse_policy(f"red+{ADMIN}"))


async def _withdraw(desk: Desk) -> None:
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await withdraw_documents(connection, desk.sources[:1], "vanished")


async def _delete(desk: Desk) -> None:
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await connection.execute(_DELETE, {"id": desk.sources[0]})


CHANGES = (_new_version, _relabel, _other_readers_of_the_label, _withdraw, _delete)
TRIGGERS = ("source_moved", "source_gone", "source_changed", "source_restored", "source_reread")
_TABLES = {"source_moved": "retrieval.document", "source_gone": "retrieval.document"}


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "guard taken out"])
@pytest.mark.parametrize("change", CHANGES)
async def test_it_answers_no_more_once_a_source_is_another(
    desk: Desk, change: Change, guarded: bool, urls: DatabaseUrls
) -> None:
    await desk.approvals.approve(await desk.answered(), "UADA")
    if not guarded:
        _take_out(urls, TRIGGERS)
    await change(desk)
    assert await desk.finds("UADA") is not guarded


def _take_out(urls: DatabaseUrls, triggers: Sequence[str]) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        for name in triggers:
            table = "auth.access_label" if name == "source_reread" else "retrieval.version"
            connection.execute(f"ALTER TABLE {_TABLES.get(name, table)} DISABLE TRIGGER {name}")  # type: ignore[call-overload]


async def test_it_answers_no_more_once_it_is_given_other_readers_itself(desk: Desk) -> None:
    outcome = await desk.approvals.approve(await desk.answered(), "UADA")
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await relabel_documents(connection, [outcome.document_id], desk.labels[0])
    assert [await desk.finds(user) for user in ("UADA", "URED")] == [False, False]


async def test_what_changed_since_the_answer_cannot_be_approved(desk: Desk) -> None:
    question = await desk.answered()
    await _new_version(desk)
    with pytest.raises(SourcesChanged, match="Ask again"):
        await desk.approvals.approve(question, "UADA")


async def test_a_stale_one_answers_again_when_its_question_is_approved_again(desk: Desk) -> None:
    first = await desk.approvals.approve(await desk.answered(), "UADA")
    await _new_version(desk)
    second = await desk.approvals.approve(await desk.answered(), "UADA")
    assert await desk.finds("UBOTH")
    async with desk.database.writing_in(desk.workspace_id) as connection:
        assert await sources_of(connection, second.document_id) == desk.sources
        states = text("SELECT withdrawn FROM retrieval.document WHERE id = :id")
        assert (await connection.execute(states, {"id": first.document_id})).scalar() == "stale"


async def test_approved_in_other_words_it_is_replaced_under_the_same_readers(desk: Desk) -> None:
    question = await desk.answered()
    first = await desk.approvals.approve(question, "UADA")
    again = await desk.approvals.approve(question, "UADA", "Who pays?", f"Finance pays, says {CANARY}.")
    assert again.document_id == first.document_id
    assert [await desk.finds(user) for user in ("UBOTH", "URED")] == [True, False]


@pytest.mark.parametrize("user", ["URED", "UNOBODY"])
async def test_whoever_may_not_read_it_is_told_what_they_would_be_told_of_none(desk: Desk, user: str) -> None:
    question = await desk.answered()
    for number in (question, question + 1):
        with pytest.raises(CannotApprove) as told:
            await desk.approvals.approve(number, user)
        assert str(told.value) == f"There is no answer to question {number} that you can read."


async def test_whoever_owns_not_all_of_its_sources_cannot_approve_it(desk: Desk) -> None:
    question = await desk.answered()
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await own_documents(connection, desk.sources[:1], "red", None)
    with pytest.raises(CannotApprove, match="do not own all"):
        await desk.approvals.approve(question, "UBOTH")
    async with desk.database.writing_in(desk.workspace_id) as connection:
        await own_documents(connection, desk.sources[1:], "blue", None)
    await desk.approvals.approve(question, "UBOTH")


@pytest.mark.parametrize(
    ("channel_type", "part"), [("im", "channel"), ("group", "channel"), ("channel", "asker")]
)
async def test_what_was_asked_among_others_keeps_its_words_and_what_an_asker_was_told_alone_is_theirs(
    desk: Desk, channel_type: str, part: str
) -> None:
    question = await desk.answered(channel_type, "UBOTH", part)
    with pytest.raises(CannotApprove, match="no answer to question"):
        await desk.approvals.approve(question, "UADA")
    if part == "asker":
        return
    with pytest.raises(CannotApprove, match="not asked in a public channel"):
        await desk.approvals.approve(question, "UADA", shown_id=await desk.answer_to(question))
    outcome = await desk.approvals.approve(
        question, "UADA", "What does it cost?", shown_id=await desk.answer_to(question)
    )
    assert outcome.title == "What does it cost?"


async def test_an_approved_answer_is_removed_like_a_document(desk: Desk) -> None:
    outcome = await desk.approvals.approve(await desk.answered(), "UADA")
    administration = Administration(desk.database, desk.workspace_id)
    await administration.carry_out(RemoveDocuments((outcome.document_id,)), COMMAND_LINE)
    assert not await desk.finds("UBOTH")


async def test_what_was_approved_goes_with_a_source_that_is_removed_for_good(desk: Desk) -> None:
    await desk.approvals.approve(await desk.answered(), "UADA")
    administration = Administration(desk.database, desk.workspace_id)
    done = await administration.carry_out(RemoveDocuments((desk.sources[0],)), COMMAND_LINE)
    assert any("1 approved answer made from it went with it." in note for note in done.effect.notes)
    async with desk.database.writing_in(desk.workspace_id) as connection:
        left = text("SELECT count(*) FROM retrieval.document WHERE starts_with(uri, 'answer:')")
        assert (await connection.execute(left)).scalar_one() == 0
