"""The audit log: what changes records itself, in one chain, and nothing can be taken out of it unseen."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from auth.audit import (
    MOST_FAULTS,
    WITHDRAWN,
    Anchor,
    Sought,
    events_of_change,
    record,
    search,
    verify,
    withdrawn_before,
)
from auth.database import Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.granting import define_role, grant, revoke
from auth.labelling import change_label, intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.retention import NotOver, withdraw

ADA = PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER)


@pytest.fixture
async def changed(database: Database, workspace_id: int) -> None:
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        await upsert_people(connection, [ADA])
        await define_role(connection, "finance")
        await define_role(connection, "staff", inherits=["finance"])
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        ada = (await find_people(connection, ["UADA"]))["UADA"]
        await grant(connection, ada, "finance", granted_by="UBOSS", reason="she counts")
        label_id = await intern_label(connection, parse_policy("finance"))
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        await change_label(connection, label_id, parse_policy("finance,staff"))
        await revoke(connection, ada, "finance")
    async with database.writing_in(workspace_id, actor="UADA") as connection:
        await record(connection, "question.answered", {"documents": [7]}, person="UADA")


def meddle(urls: DatabaseUrls, statement: str) -> None:
    """As somebody who owns the machine: past triggers and walls."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


@pytest.mark.usefixtures("changed")
async def test_every_change_records_who_did_what_to_whom(database: Database, workspace_id: int) -> None:
    async with database.writing_in(workspace_id) as connection:
        found = await search(connection, Sought(who="UADA", kind="grant"))
    assert [(event.kind, event.actor, event.person) for event in found] == [
        ("grant.removed", "UBOSS", "UADA"),
        ("grant.added", "UBOSS", "UADA"),
    ]
    assert found[1].details is not None
    assert found[1].details["becomes"]["reason"] == "she counts"


@pytest.mark.usefixtures("changed")
async def test_what_one_transaction_changed_stands_together(database: Database, workspace_id: int) -> None:
    async with database.writing_in(workspace_id) as connection:
        revoked = (await search(connection, Sought(kind="grant.removed")))[0]
        together = await events_of_change(connection, revoked.change_id)
    assert [event.kind for event in together] == ["access_label.changed", "grant.removed"]


@pytest.mark.usefixtures("changed")
async def test_an_untouched_log_is_whole(database: Database, workspace_id: int) -> None:
    async with database.writing_in(workspace_id) as connection:
        verdict = await verify(connection)
    assert verdict.faults == ()
    assert verdict.events == verdict.head.seq > 8


async def test_what_is_rolled_back_leaves_no_event_and_no_gap(database: Database, workspace_id: int) -> None:
    async with database.writing_in(workspace_id) as connection:
        before = await verify(connection)

    async def change_ones_mind() -> None:
        async with database.writing_in(workspace_id) as connection:
            await record(connection, "question.answered", {})
            raise RuntimeError("never mind")

    with pytest.raises(RuntimeError, match="never mind"):
        await change_ones_mind()
    async with database.writing_in(workspace_id) as connection:
        assert await verify(connection) == before


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    ("meddling", "found"),
    [
        ("DELETE FROM auth.audit_event WHERE kind = 'grant.added'", "are missing"),
        ("DELETE FROM auth.audit_event WHERE kind = 'question.answered'", "events were removed"),
        ("DELETE FROM auth.audit_event WHERE seq = 1", "are missing"),
        ("UPDATE auth.audit_event SET actor = 'UNOBODY' WHERE kind = 'grant.added'", "was altered"),
        ("UPDATE auth.audit_event SET at = at - interval '1 day' WHERE seq = 3", "was altered"),
        ("UPDATE auth.audit_event SET details = '{}' WHERE kind = 'grant.added'", "was altered"),
        ("UPDATE auth.audit_event SET details = NULL WHERE kind = 'grant.added'", "lost its details"),
        ("UPDATE auth.audit_event SET seq = seq + 100 WHERE kind = 'question.answered'", "are missing"),
        ("UPDATE auth.audit_event SET seq = -seq WHERE seq = 1", "it was forged"),
        (
            "CREATE OR REPLACE FUNCTION auth.event_hash(e auth.audit_event) RETURNS bytea LANGUAGE sql AS"
            " 'SELECT e.hash'; UPDATE auth.audit_event SET actor = 'UNOBODY' WHERE kind = 'grant.added'",
            "was altered",
        ),
    ],
)
async def test_any_removed_or_altered_event_is_found(
    database: Database, workspace_id: int, urls: DatabaseUrls, meddling: str, found: str
) -> None:
    meddle(urls, meddling)
    async with database.writing_in(workspace_id) as connection:
        verdict = await verify(connection)
    assert any(found in fault for fault in verdict.faults), verdict.faults


@pytest.mark.usefixtures("changed")
async def test_of_very_many_faults_the_first_are_named_and_the_rest_counted(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    async with database.writing_in(workspace_id) as connection:
        for number in range(MOST_FAULTS + 20):
            await record(connection, "question.refused", {"question": number})
    meddle(urls, "UPDATE auth.audit_event SET actor = 'UNOBODY' WHERE kind = 'question.refused'")
    async with database.writing_in(workspace_id) as connection:
        verdict = await verify(connection)
    assert len(verdict.faults) == MOST_FAULTS + 1
    assert verdict.faults[-1] == "There are 20 more faults."


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("page", [1, 2, 3, 1000])
async def test_where_pages_end_no_fault_hides_and_none_appears(
    database: Database, workspace_id: int, urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("auth.audit.PAGE", page)
    async with database.writing_in(workspace_id) as connection:
        assert (await verify(connection)).faults == ()
    meddle(urls, "DELETE FROM auth.audit_event WHERE seq = 4")
    async with database.writing_in(workspace_id) as connection:
        faults = (await verify(connection)).faults
    assert faults[0] == "Events before 5 are missing."


async def test_a_log_that_grows_while_it_is_checked_is_whole(database: Database, workspace_id: int) -> None:
    async def grow() -> None:
        for number in range(60):
            async with database.writing_in(workspace_id) as connection:
                await record(connection, "question.refused", {"question": number})

    growing = asyncio.create_task(grow())
    while not growing.done():
        async with database.writing_in(workspace_id) as connection:
            assert (await verify(connection)).faults == ()
    await growing


@pytest.mark.usefixtures("changed")
async def test_an_end_cut_off_with_its_note_is_found_by_what_was_noted_outside(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    async with database.writing_in(workspace_id) as connection:
        anchor = (await verify(connection)).head
    meddle(
        urls,
        "DELETE FROM auth.audit_event WHERE kind = 'question.answered'; UPDATE auth.audit_head h SET"
        " (seq, hash) = (SELECT e.seq, e.hash FROM auth.audit_event e ORDER BY e.seq DESC LIMIT 1)",
    )
    async with database.writing_in(workspace_id) as connection:
        assert (await verify(connection)).faults == ()
        assert "noted outside" in (await verify(connection, (anchor,))).faults[0]
        assert (await verify(connection, (Anchor(1, "00"),))).faults


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE auth.audit_event SET actor = 'UNOBODY'",
        "DELETE FROM auth.audit_event",
        "TRUNCATE auth.audit_event",
        "INSERT INTO auth.audit_event (workspace_id, seq, kind) VALUES (1, 1, 'forged')",
        "UPDATE auth.audit_head SET seq = 0",
        "INSERT INTO auth.audit_head VALUES (99, 1, '')",
    ],
)
def test_the_app_role_can_only_add_to_the_log(urls: DatabaseUrls, statement: str) -> None:
    assert urls.app
    with psycopg.connect(urls.app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE auth.audit_event SET kind = 'x'",
        "UPDATE auth.audit_event SET details = NULL WHERE relation IS NOT NULL",
        "DELETE FROM auth.audit_event",
    ],
)
def test_not_even_the_owner_rewrites_the_log(urls: DatabaseUrls, statement: str) -> None:
    with psycopg.connect(urls.admin) as connection:
        connection.execute("SET ROLE ostiary_owner")
        with pytest.raises(psycopg.errors.RaiseException, match="only ever added to"):
            connection.execute(statement)


async def happen(database: Database, workspace_id: int) -> datetime:
    """Three things happen; returns a moment after the second."""
    async with database.writing_in(workspace_id) as connection:
        for number in (1, 2):
            await record(connection, "question.refused", {"question": number}, person="UADA")
    async with database.writing_in(workspace_id) as connection:
        await record(connection, "question.refused", {"question": 3}, person="UADA")
        return (await search(connection, Sought(kind="question.refused")))[0].at


@pytest.mark.usefixtures("changed")
async def test_withdrawn_details_are_gone_and_the_chain_holds(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    third = await happen(database, workspace_id)
    async with database.writing_in(workspace_id) as connection:
        anchor = (await verify(connection)).head
    assert await withdraw(urls, workspace_id, third, "UBOSS") == 3  # one stood there before
    async with database.writing_in(workspace_id) as connection:
        refused = await search(connection, Sought(kind="question.refused"))
        verdict = await verify(connection, (anchor,))
        said = (await search(connection, Sought(kind=WITHDRAWN)))[0]
    assert [event.details for event in refused] == [{"question": 3}, None, None]
    assert [event.person for event in refused] == ["UADA"] * 3
    assert (verdict.faults, verdict.withdrawn) == ((), 3)
    assert (said.actor, said.details) == ("UBOSS", {"before": third.isoformat(), "events": 3})


@pytest.mark.usefixtures("changed")
async def test_withdrawing_leaves_every_change_of_rights_and_every_withdrawal_on_record(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    for _ in range(2):
        third = await happen(database, workspace_id)
        await withdraw(urls, workspace_id, third, "UBOSS")
    async with database.writing_in(workspace_id) as connection:
        for event in await search(connection, Sought(), limit=1000):
            if event.relation is not None or event.kind == WITHDRAWN:
                assert event.details
        assert await withdrawn_before(connection) == third


@pytest.mark.usefixtures("changed")
async def test_withdrawing_nothing_records_nothing(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    async with database.writing_in(workspace_id) as connection:
        before = await verify(connection)
    assert await withdraw(urls, workspace_id, datetime(2020, 1, 1, tzinfo=UTC), "UBOSS") == 0
    async with database.writing_in(workspace_id) as connection:
        assert await verify(connection) == before


@pytest.mark.usefixtures("changed")
async def test_what_is_not_past_cannot_be_withdrawn(workspace_id: int, urls: DatabaseUrls) -> None:
    with pytest.raises(NotOver, match="yet to come"):
        await withdraw(urls, workspace_id, datetime.now(UTC) + timedelta(minutes=1), "UBOSS")


@pytest.mark.usefixtures("changed")
async def test_another_workspace_keeps_its_details(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        await record(connection, "question.refused", {"question": 1})
    await withdraw(urls, workspace_id, datetime.now(UTC), "UBOSS")
    async with database.writing_in(other) as connection:
        assert (await search(connection, Sought()))[0].details == {"question": 1}


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    ("meddling", "found"),
    [
        ("UPDATE auth.audit_event SET details = NULL WHERE kind = 'grant.added'", "lost its details"),
        ("UPDATE auth.audit_event SET details = NULL WHERE kind = 'audit.withdrawn'", "lost its details"),
        ("UPDATE auth.audit_event SET details_hash = '' WHERE kind = 'question.answered'", "was altered"),
        ("UPDATE auth.audit_event SET details = '{}' WHERE kind = 'question.answered'", "was altered"),
    ],
)
async def test_a_withdrawal_covers_no_other_loss(
    database: Database, workspace_id: int, urls: DatabaseUrls, meddling: str, found: str
) -> None:
    await withdraw(urls, workspace_id, datetime.now(UTC), "UBOSS")
    meddle(urls, meddling)
    async with database.writing_in(workspace_id) as connection:
        verdict = await verify(connection)
    assert any(found in fault for fault in verdict.faults), verdict.faults


async def test_many_at_once_form_one_chain(database: Database, workspace_id: int) -> None:
    async def one(number: int) -> None:
        async with database.writing_in(workspace_id, actor=f"U{number}") as connection:
            await upsert_people(connection, [PersonFacts(f"U{number}", "x", "X", PersonKind.MEMBER)])
            await define_role(connection, f"role{number % 5}", description=str(number))
            await record(connection, "question.answered", {"number": number})

    await asyncio.gather(*(one(number) for number in range(40)))
    async with database.writing_in(workspace_id) as connection:
        verdict = await verify(connection)
        last = (await search(connection, Sought(who="U7", kind="question")))[0]
        together = await events_of_change(connection, last.change_id)
    assert verdict.faults == ()
    assert {event.actor for event in together} == {"U7"}


@pytest.mark.usefixtures("changed")
async def test_an_end_that_was_cut_off_is_still_missing_after_the_next_event(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    meddle(urls, "DELETE FROM auth.audit_event WHERE kind = 'question.answered'")
    async with database.writing_in(workspace_id) as connection:
        await record(connection, "question.answered", {})
    async with database.writing_in(workspace_id) as connection:
        assert any("missing" in fault for fault in (await verify(connection)).faults)


async def test_transactions_that_change_different_things_never_wait_for_each_other_crosswise(
    database: Database, workspace_id: int
) -> None:
    async def with_a_version(number: int) -> None:
        async with database.writing_in(workspace_id) as connection:
            await upsert_people(connection, [PersonFacts(f"U{number}", "x", "X", PersonKind.MEMBER)])

    async def without_and_with(number: int) -> None:
        async with database.writing_in(workspace_id) as connection:
            await define_role(connection, f"role{number}", inherits=["everyone"])

    await asyncio.gather(*(f(number) for number in range(30) for f in (with_a_version, without_and_with)))
    async with database.writing_in(workspace_id) as connection:
        assert (await verify(connection)).faults == ()
