"""The directory as it was: put together from the audit log, it decides as the present did at that moment."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audiences import intern_audience
from auth.audit import ANSWER_SENT, record
from auth.database import WORKSPACE, Database
from auth.directory import PersonFacts, find_people, list_people, upsert_people
from auth.granting import define_role, grant, revoke
from auth.history import (
    OutsideHistory,
    UnrecordedDocument,
    find_document,
    state_at,
    who_could_see,
    who_was_told,
)
from auth.labelling import change_label, intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.rights import Audience, audience_clearance, rights_of
from auth.sources import SourceKind, leave_source, map_source, shut_source, source_was_read, unmap_source

ADA = PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER)
BEN = PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER)
GUS = PersonFacts("UGUS", "gus", "Gus", PersonKind.GUEST)
EVERYBODY = [ADA, BEN, GUS]
_ADD_DOCUMENT = text(
    f"INSERT INTO retrieval.document (workspace_id, label_id, uri, title) VALUES ({WORKSPACE}, :label_id, :uri, 'T')"
    " RETURNING id"
)


@dataclass
class Office:
    """A workspace whose changes the tests make, one transaction each."""

    database: Database
    workspace_id: int

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        async with self.database.writing_in(self.workspace_id, actor="UBOSS") as connection:
            yield connection

    async def grant(self, who: str, role: str, expires_at: datetime | None = None) -> None:
        async with self.changing() as connection:
            person = (await find_people(connection, [who]))[who]
            await grant(connection, person, role, granted_by="UBOSS", expires_at=expires_at)

    async def revoke(self, who: str, role: str) -> None:
        async with self.changing() as connection:
            await revoke(connection, (await find_people(connection, [who]))[who], role)

    async def document(self, policy: str, uri: str = "file:pay.md") -> int:
        async with self.changing() as connection:
            label_id = await intern_label(connection, parse_policy(policy))
            return int(
                (await connection.execute(_ADD_DOCUMENT, {"label_id": label_id, "uri": uri})).scalar_one()
            )

    async def relabel(self, document_id: int, policy: str) -> None:
        async with self.changing() as connection:
            label_id = await intern_label(connection, parse_policy(policy))
            move = text(
                f"UPDATE retrieval.document SET label_id = :label WHERE workspace_id = {WORKSPACE} AND id = :id"
            )
            await connection.execute(move, {"label": label_id, "id": document_id})

    async def delete(self, document_id: int) -> None:
        async with self.changing() as connection:
            delete = text(f"DELETE FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = :id")
            await connection.execute(delete, {"id": document_id})

    async def saw_today(self, document_id: int) -> list[tuple[str, set[str]]]:
        async with self.changing() as connection:
            found = await who_could_see(connection, document_id, datetime.now(UTC).date())
        return [(could.handle, set(could.roles)) for could in found]


@pytest.fixture
async def office(database: Database, workspace_id: int) -> Office:
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        await upsert_people(connection, EVERYBODY)
        for role in ("finance", "staff", "contractor"):
            await define_role(connection, role)
    return Office(database, workspace_id)


async def a_change(office: Office, rng: random.Random) -> None:
    """Something that an admin may do, or Slack may tell."""
    people, roles = ["UADA", "UBEN", "UGUS"], ["finance", "staff", "contractor"]
    who, role, now = rng.choice(people), rng.choice(roles), datetime.now(UTC)
    source = rng.choice(
        [(SourceKind.USER_GROUP, "S1"), (SourceKind.CHANNEL, "C1"), (SourceKind.FLAG, "admin")]
    )
    policy = rng.choice(["everyone", "finance", "staff+finance", "everyone+!contractor", "guest", "nobody"])
    async with office.changing() as connection:
        known = (await find_people(connection, [who]))[who]
        match rng.randrange(9):
            case 0 | 1:
                until = rng.choice([None, now - timedelta(days=1), now + timedelta(days=1)])
                await grant(connection, known, role, granted_by="UBOSS", expires_at=until)
            case 2:
                await revoke(connection, known, role)
            case 3:
                fact = next(fact for fact in EVERYBODY if fact.slack_user_id == who)
                kind, active = rng.choice(list(PersonKind)), rng.random() < 0.8
                admin = rng.random() < 0.5
                await upsert_people(
                    connection, [replace(fact, kind=kind, active=active, is_workspace_admin=admin)]
                )
            case 4:
                inherits = ["staff"] if rng.random() < 0.5 else []
                await define_role(connection, rng.choice(["finance", "contractor"]), inherits=inherits)
            case 5:
                label_id = await intern_label(connection, parse_policy(policy))
                if rng.random() < 0.3:
                    await change_label(connection, label_id, parse_policy(f"{role}+!guest"))
            case 6:
                guests_too = rng.random() < 0.5
                source_id = await map_source(
                    connection, *source, "source", role, mapped_by="UBOSS", guests_too=guests_too
                )
                await source_was_read(connection, source_id, rng.sample(people, 2), now)
            case 7:
                await unmap_source(connection, *source, role)
            case 8:
                await leave_source(connection, *source, [who], datetime.now(UTC))
                if rng.random() < 0.2 and source[0] is not SourceKind.FLAG:
                    await shut_source(connection, *source, now)


@pytest.mark.parametrize("seed", range(4))
async def test_the_past_decides_as_the_present_did(office: Office, seed: int) -> None:
    rng = random.Random(seed)
    audiences = [
        Audience(frozenset({"UADA", "UBEN"})),
        Audience(frozenset({"UGUS"}), every_member=True),
        Audience(frozenset({"UADA", "UNOBODY"})),
        Audience(frozenset({"UADA"}), complete=False),
    ]
    known = []
    for _ in range(40):
        await refused_or(a_change(office, rng))
        now = datetime.now(UTC)
        rights = [
            await rights_of(office.database, office.workspace_id, f.slack_user_id, now) for f in EVERYBODY
        ]
        everywhere = [
            await audience_clearance(office.database, office.workspace_id, audience, now)
            for audience in audiences
        ]
        known.append((now, rights, everywhere))
    async with office.changing() as connection:
        for now, rights, everywhere in known:
            past = await state_at(connection, at=now)
            for fact, right in zip(EVERYBODY, rights, strict=True):
                assert right is not None
                held = past.roles_of(past.by_slack_id[fact.slack_user_id], now)
                assert held == right.roles
                assert past.standing.clearance(held) == right.clearance
            assert [past.audience_clearance(a, now).label_ids for a in audiences] == [
                clearance.label_ids for clearance in everywhere
            ]


async def refused_or(change: object) -> None:
    from auth.errors import OstiaryError

    try:
        await change  # type: ignore[misc]
    except OstiaryError:
        return  # a circle, a label that is taken: refused as a whole, as if it had not been asked for


async def test_the_state_of_now_is_the_directory_of_now(office: Office) -> None:
    await office.grant("UADA", "finance")
    document_id = await office.document("finance")
    async with office.changing() as connection:
        past = await state_at(connection)
        people = await list_people(connection)
    assert sorted(past.people.values(), key=lambda person: person.name) == people
    assert past.documents[document_id].uri == "file:pay.md"
    assert str(past.labels[past.documents[document_id].label_id]) == "finance"
    assert {"everyone", "finance", "staff"} <= set(past.roles)


async def test_a_policy_version_names_a_moment(office: Office) -> None:
    document_id = await office.document("finance")
    before = await rights_of(office.database, office.workspace_id, "UADA")
    await office.grant("UADA", "finance")
    after = await rights_of(office.database, office.workspace_id, "UADA")
    assert before is not None
    assert after is not None
    now = datetime.now(UTC)
    async with office.changing() as connection:
        for rights in (before, after):
            past = await state_at(connection, policy_version=rights.clearance.policy_version)
            assert past.audience_clearance(Audience(frozenset({"UADA"})), now) == rights.clearance
            assert document_id in past.documents


async def test_what_a_transaction_changed_counts_from_its_end_and_as_a_whole(office: Office) -> None:
    async with office.changing() as connection:
        people = await find_people(connection, ["UADA", "UBEN"])
        for person in people.values():
            await grant(connection, person, "finance", granted_by="UBOSS")
    async with office.changing() as connection:
        events = (
            await connection.execute(
                text("SELECT at FROM auth.audit_event WHERE relation = 'grant' ORDER BY seq")
            )
        ).all()
        midst = await state_at(connection, at=events[0].at)
        end = await state_at(connection, at=events[-1].at)
    assert not any(midst.granted.values())
    assert len(end.granted) == 2


async def test_whoever_held_the_role_on_that_day_could_see_it(office: Office) -> None:
    document_id = await office.document("finance,contractor")
    await office.grant("UADA", "finance")
    assert await office.saw_today(document_id) == [("ada", {"finance"})]
    await office.revoke("UADA", "finance")
    assert await office.saw_today(document_id) == [("ada", {"finance"})]


async def test_a_role_that_came_after_the_document_was_gone_opened_nothing(office: Office) -> None:
    document_id = await office.document("finance")
    await office.grant("UADA", "finance")
    await office.delete(document_id)
    await office.grant("UBEN", "finance")
    assert await office.saw_today(document_id) == [("ada", {"finance"})]


async def test_a_document_is_seen_by_its_readers_before_and_after_it_was_given_others(office: Office) -> None:
    document_id = await office.document("finance")
    await office.grant("UADA", "finance")
    await office.grant("UBEN", "staff")
    await office.relabel(document_id, "staff")
    assert await office.saw_today(document_id) == [("ada", {"finance"}), ("ben", {"staff"})]


async def test_a_change_of_a_label_reaches_everything_under_it(office: Office) -> None:
    document_id = await office.document("finance")
    async with office.changing() as connection:
        label_id = await intern_label(connection, parse_policy("finance"))
        await change_label(connection, label_id, parse_policy("guest"))
    assert await office.saw_today(document_id) == [("gus", {"guest"})]


async def test_an_interval_says_from_when_until_when(office: Office) -> None:
    document_id = await office.document("finance")
    await office.grant("UADA", "finance")
    await office.revoke("UADA", "finance")
    async with office.changing() as connection:
        times = (
            await connection.execute(
                text("SELECT at FROM auth.audit_event WHERE relation = 'grant' ORDER BY seq")
            )
        ).all()
        found = await who_could_see(connection, document_id, times[0].at.date())
    assert [(could.since, could.until) for could in found] == [(times[0].at, times[1].at)]


async def test_a_grant_that_ran_out_within_the_day_ends_the_interval(office: Office) -> None:
    document_id = await office.document("finance")
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    await office.grant("UADA", "finance", expires_at=soon)
    async with office.changing() as connection:
        found = await who_could_see(connection, document_id, soon.date(), now=soon + timedelta(seconds=5))
    assert [(could.handle, could.until) for could in found] == [("ada", soon)]


async def test_a_role_through_a_group_opens_while_the_group_is_fresh(office: Office) -> None:
    document_id = await office.document("finance")
    async with office.changing() as connection:
        group = (SourceKind.USER_GROUP, "S1")
        source_id = await map_source(connection, *group, "finance", "finance", mapped_by="UBOSS")
        await source_was_read(connection, source_id, ["UADA", "UGUS"], datetime.now(UTC))
    async with office.changing() as connection:
        await shut_source(connection, *group, datetime.now(UTC))
    async with office.changing() as connection:
        found = await who_could_see(connection, document_id, datetime.now(UTC).date())
        now = await state_at(connection)
    assert [could.handle for could in found] == ["ada"]
    assert found[0].until < datetime.now(UTC)
    assert not now.grants_of(now.by_slack_id["UADA"])


async def test_a_day_before_the_log_began_or_that_has_not_begun_is_refused(office: Office) -> None:
    document_id = await office.document("finance")
    async with office.changing() as connection:
        for day in (date(2020, 1, 1), datetime.now(UTC).date() + timedelta(days=2)):
            with pytest.raises(OutsideHistory, match="says nothing of"):
                await who_could_see(connection, document_id, day)


async def test_a_day_after_a_deletion_nobody_could_see_the_document(office: Office) -> None:
    document_id = await office.document("everyone")
    await office.delete(document_id)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    async with office.changing() as connection:
        assert await who_could_see(connection, document_id, tomorrow.date(), now=tomorrow) == []


async def test_a_document_is_found_by_its_id_and_its_address_even_when_it_is_gone(office: Office) -> None:
    first = await office.document("finance", "file:a.md")
    await office.delete(first)
    deleted_at = datetime.now(UTC)
    second = await office.document("finance", "file:a.md")
    async with office.changing() as connection:
        assert await find_document(connection, str(first)) == first
        assert await find_document(connection, "file:a.md") == second
        assert await find_document(connection, "file:a.md", before=deleted_at) == first
        assert await find_document(connection, "file:a.md", before=datetime(2020, 1, 1, tzinfo=UTC)) == second
        for unknown in ("file:b.md", "999", "9" * 30, "²"):
            with pytest.raises(UnrecordedDocument, match="was ever here"):
                await find_document(connection, unknown)


async def test_who_heard_an_answer_made_from_a_document_is_told(office: Office) -> None:
    document_id = await office.document("finance")
    async with office.changing() as connection:
        audience_id = await intern_audience(connection, Audience(frozenset({"UADA", "UBEN"})))
        about = {"question": 3, "answer": 4, "part": "channel", "asker": "UADA", "audience": audience_id}
        await record(connection, ANSWER_SENT, {**about, "documents": [document_id]}, person="UADA")
        await record(connection, ANSWER_SENT, {**about, "documents": [document_id + 1]}, person="UADA")
        told = await who_was_told(connection, document_id)
    assert [(t.answer_id, t.asker, t.members, t.every_member) for t in told] == [
        (4, "UADA", ("UADA", "UBEN"), False)
    ]
