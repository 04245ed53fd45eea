"""Each answer's proof: right answers stay right whatever changes later, and every wrong one is found and named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, upsert_people
from auth.granting import define_role, grant, revoke
from auth.labelling import change_label, intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.retention import withdraw
from auth.rights import Audience, audience_clearance
from auth.sources import SourceKind, map_source, mark_lapsed, source_was_read
from bot.proofs import Report, check_answers
from bot.slack.questions import IncomingQuestion, PreparedAnswer, claim, keep_answer, mark_sent, read_question
from retrieval.passages import Passage

ADA = PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER)
BEN = PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER)
BOTH = Audience(frozenset({"UADA", "UBEN"}))
ALONE = Audience(frozenset({"UADA"}))
PUBLIC = Audience(frozenset({"UADA"}), every_member=True)
_ADD_DOCUMENT = text(
    f"INSERT INTO retrieval.document (workspace_id, label_id, uri, title) VALUES ({WORKSPACE}, :label_id, :uri, 'T')"
    " RETURNING id"
)


@dataclass
class Office:
    """Two people with the role finance, a document for finance and one for everyone; Ada asks."""

    database: Database
    workspace_id: int
    urls: DatabaseUrls
    labels: dict[str, int]
    documents: dict[str, int]
    asked: int = 0

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        async with self.database.writing_in(self.workspace_id, actor="UBOSS") as connection:
            yield connection

    async def revoke(self, who: str, role: str) -> None:
        async with self.changing() as connection:
            await revoke(connection, (await find_people(connection, [who]))[who], role)

    async def grant(self, who: str, role: str, expires_at: datetime | None = None) -> None:
        async with self.changing() as connection:
            person = (await find_people(connection, [who]))[who]
            await grant(connection, person, role, granted_by="UBOSS", expires_at=expires_at)

    async def answer(
        self,
        audience: Audience,
        sources: Sequence[str],
        *,
        part: str = "channel",
        heard_by: Audience | None = None,
        sent: bool = True,
    ) -> int:
        """Keep and send an answer as the bot does; `heard_by` says whom its clearance was really worked out for."""
        self.asked += 1
        number = self.asked
        checked_at = datetime.now(UTC)
        clearance = await audience_clearance(self.database, self.workspace_id, heard_by or audience)
        cited = [Passage(10 + number, self.documents[p], self.labels[p], "T", "...") for p in sources]
        labels = [self.labels[policy] for policy in sources]
        prepared = PreparedAnswer(part, "...", labels, cited, clearance, audience, checked_at, "packaged")
        async with self.changing() as connection:
            incoming = IncomingQuestion(
                f"E{number}", "C1", "channel", f"{number}.1", None, "UADA", "How much?"
            )
            question_id = await claim(connection, incoming)
            assert question_id is not None
            await keep_answer(connection, await read_question(connection, question_id), prepared)
        if sent:
            async with self.changing() as connection:
                await mark_sent(connection, question_id, part, f"{number}.2")
        return question_id

    def meddle(self, statement: str) -> None:
        """As somebody who owns the machine: past triggers and walls."""
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement)

    async def check(self, since: datetime | None = None) -> Report:
        return await check_answers(self.database, self.workspace_id, since)

    async def reasons(self) -> str:
        """Why the one wrong answer is wrong."""
        (wrong,) = (await self.check()).wrong
        return str(wrong)


@pytest.fixture
async def office(database: Database, workspace_id: int, urls: DatabaseUrls) -> Office:
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        await upsert_people(connection, [ADA, BEN])
        for role in ("finance", "staff"):
            await define_role(connection, role)
        people = await find_people(connection, ["UADA", "UBEN"])
        for person in people.values():
            await grant(connection, person, "finance", granted_by="UBOSS")
        labels = {
            p: await intern_label(connection, parse_policy(p)) for p in ("finance", "everyone", "staff")
        }
        documents = {}
        for policy, label_id in labels.items():
            values = {"label_id": label_id, "uri": f"file:{policy}.md"}
            documents[policy] = int((await connection.execute(_ADD_DOCUMENT, values)).scalar_one())
    return Office(database, workspace_id, urls, labels, documents)


async def test_answers_that_were_right_are_found_right(office: Office) -> None:
    await office.answer(BOTH, ["finance", "everyone"])
    await office.answer(PUBLIC, ["everyone"])
    await office.answer(ALONE, ["finance"], part="asker")
    assert await office.check() == Report(checked=3, wrong=())


async def test_what_changes_later_makes_no_answer_wrong(office: Office) -> None:
    await office.answer(BOTH, ["finance"])
    await office.revoke("UBEN", "finance")
    await office.answer(ALONE, ["finance"], part="asker")
    async with office.changing() as connection:
        await change_label(connection, office.labels["finance"], parse_policy("staff+finance"))
        await connection.execute(
            text("UPDATE retrieval.document SET label_id = :everyone"),
            {"everyone": office.labels["everyone"]},
        )
    await office.answer(BOTH, ["everyone"])
    async with office.changing() as connection:
        await connection.execute(text("DELETE FROM retrieval.document"))
    assert await office.check() == Report(checked=3, wrong=())


async def test_a_label_that_was_widened_afterwards_excuses_nothing(office: Office) -> None:
    await office.answer(BOTH, ["staff"])
    async with office.changing() as connection:
        await change_label(connection, office.labels["staff"], parse_policy("finance,staff"))
    assert (
        "It was made from what is for staff; not all who heard it could read that." in await office.reasons()
    )


async def test_a_member_who_could_not_read_is_found(office: Office) -> None:
    await office.revoke("UBEN", "finance")
    await office.answer(BOTH, ["finance"], heard_by=ALONE)
    said = await office.reasons()
    assert "Its clearance is not what those who heard it could read together." in said
    assert "It was made from what is for finance; not all who heard it could read that." in said
    assert "It cites what is for finance" in said


async def test_a_member_whose_role_ran_out_before_is_found(office: Office) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    await office.revoke("UBEN", "finance")
    await office.grant("UBEN", "finance", expires_at=soon)
    await office.answer(BOTH, ["finance"])
    assert (await office.check()).wrong == ()
    office.meddle(f"UPDATE bot.answer SET checked_at = '{soon + timedelta(seconds=1)}'")
    assert "Its clearance is not what" in await office.reasons()


async def test_a_document_whose_own_label_was_narrower_is_found(office: Office) -> None:
    async with office.changing() as connection:
        move = text("UPDATE retrieval.document SET label_id = :staff WHERE id = :id")
        await connection.execute(move, {"staff": office.labels["staff"], "id": office.documents["finance"]})
    await office.answer(BOTH, ["finance"])
    said = await office.reasons()
    assert f"Document {office.documents['finance']} was for staff; not all who heard the answer" in said


async def test_an_answer_from_a_document_that_was_deleted_before_is_found(office: Office) -> None:
    async with office.changing() as connection:
        delete = text("DELETE FROM retrieval.document WHERE id = :id")
        await connection.execute(delete, {"id": office.documents["finance"]})
    await office.grant("UBEN", "staff")
    await office.answer(BOTH, ["finance"])
    assert "was deleted before." in await office.reasons()


async def test_a_part_for_the_asker_that_others_heard_is_found(office: Office) -> None:
    await office.answer(BOTH, ["finance"], part="asker")
    assert "It was for its asker alone, and others heard it." in await office.reasons()


async def test_rights_that_were_out_of_date_when_looked_at_are_found(office: Office) -> None:
    await office.answer(BOTH, ["finance"])
    await office.grant("UBEN", "staff")
    much_later = datetime.now(UTC) + timedelta(minutes=5)
    office.meddle(f"UPDATE bot.answer SET checked_at = '{much_later}'")
    assert "Rights had changed: its policy version" in await office.reasons()


async def test_an_answer_of_somebody_unknown_must_be_made_from_nothing(office: Office) -> None:
    await office.answer(Audience(frozenset({"UADA", "UNOBODY"})), ["everyone"])
    assert "It was made from what is for" in await office.reasons()


async def test_what_was_kept_and_never_sent_is_not_checked(office: Office) -> None:
    await office.answer(BOTH, ["staff"], sent=False)
    assert await office.check() == Report(checked=0, wrong=())


async def test_only_answers_since_a_moment_are_checked_if_one_is_given(office: Office) -> None:
    await office.answer(BOTH, ["staff"])
    later = datetime.now(UTC)
    await office.answer(BOTH, ["finance"])
    assert await office.check(since=later) == Report(checked=1, wrong=())


@pytest.mark.parametrize(
    ("meddling", "found"),
    [
        ("UPDATE bot.answer SET clearance = '0123456789abcdef'", "Its clearance is not what"),
        ("UPDATE bot.answer SET clearance = '0123456789abcdef'", "says otherwise of: clearance."),
        ("UPDATE bot.answer SET label_ids = label_ids || 3::bigint", "It was made from what is for staff"),
        ("UPDATE bot.answer SET cited_label_ids = '{3}'", "It cites what is for staff"),
        ("UPDATE bot.answer SET label_ids = '{999}'", "label 999, which was not there"),
        ("UPDATE bot.answer SET document_ids = '{3}'", "Document 3 was for staff"),
        ("UPDATE bot.answer SET document_ids = '{}'", "says otherwise of: documents."),
        (
            "UPDATE bot.answer SET document_ids = '{999}'",
            "Document 999, which it was made from, was not there yet.",
        ),
        ("UPDATE bot.answer SET chunk_ids = '{}', model = 'x'", "says otherwise of: chunks, model."),
        ("UPDATE bot.answer SET policy_version = 999", "There was no policy version 999"),
        ("UPDATE bot.answer SET checked_at = NULL", "without a last look"),
        ("UPDATE bot.answer SET checked_at = '2020-01-01'", "yet when it was checked"),
        ("UPDATE bot.answer SET audience_id = NULL", "It is not known who heard it."),
        ("UPDATE auth.audience SET members = members || '{UEVE}'", "The record of who heard it was altered."),
        ("UPDATE bot.question SET asker_slack_id = 'UEVE'", "Its asker is not among those who heard it."),
        ("DELETE FROM auth.audit_event WHERE kind = 'answer.sent'", "no event of its sending"),
        ("UPDATE auth.audit_event SET details = NULL WHERE kind = 'answer.sent'", "no event of its sending"),
        (
            "UPDATE auth.audit_event SET details = details || '{\"labels\": []}' WHERE kind = 'answer.sent'",
            "says otherwise of: labels.",
        ),
    ],
)
async def test_a_proof_that_was_tampered_with_is_found(office: Office, meddling: str, found: str) -> None:
    await office.answer(BOTH, ["finance", "everyone"])
    assert (await office.check()).wrong == ()
    office.meddle(meddling)
    assert found in await office.reasons()


async def test_an_answer_from_before_there_were_proofs_is_counted_and_not_called_wrong(
    office: Office,
) -> None:
    await office.answer(BOTH, ["finance"])
    office.meddle("UPDATE bot.answer SET checked_at = NULL, audience_id = NULL, created_at = '2020-01-01'")
    assert await office.check() == Report(checked=0, wrong=(), unproven=1)


async def test_an_answer_whose_event_was_withdrawn_is_checked_by_all_that_is_left(office: Office) -> None:
    await office.answer(BOTH, ["finance"])
    await office.answer(BOTH, ["staff"])
    await withdraw(office.urls, office.workspace_id, datetime.now(UTC), "UBOSS")
    report = await office.check()
    assert (report.checked, report.withdrawn, len(report.wrong)) == (2, 2, 1)
    assert "It was made from what is for staff" in str(report.wrong[0])


async def test_a_group_that_was_too_old_already_before_the_log_says_so_makes_no_answer_wrong(
    office: Office,
) -> None:
    async with office.changing() as connection:
        group = (SourceKind.USER_GROUP, "S1")
        lives = timedelta(seconds=1)
        source_id = await map_source(connection, *group, "staff", "staff", mapped_by="UBOSS", lives=lives)
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        await source_was_read(connection, source_id, ["UADA", "UBEN"], long_ago)
    await office.answer(BOTH, ["finance"])  # the group grants nothing any more
    async with office.changing() as connection:
        await mark_lapsed(connection)
    await office.answer(BOTH, ["finance"])
    assert await office.check() == Report(checked=2, wrong=())


async def test_many_answers_through_many_changes_are_each_judged_by_their_own_moment(office: Office) -> None:
    wrong = []
    for number in range(12):
        if number % 3 == 0:
            await office.grant("UBEN", "staff")
            await office.grant("UADA", "staff")
        elif number % 3 == 1:
            await office.revoke("UBEN", "staff")
        question_id = await office.answer(BOTH, ["staff"])
        if number % 3:
            wrong.append(question_id)
    report = await office.check()
    assert (report.checked, [found.question_id for found in report.wrong]) == (12, wrong)
