"""Roles from user groups, channels and flags: held while what Slack said is recent, lost with it."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.database import Database
from auth.directory import PersonFacts, upsert_people
from auth.granting import UnknownRole, define_role
from auth.people import PersonKind
from auth.rights import Audience, audience_clearance, rights_of
from auth.sources import (
    SourceKind,
    UnknownSource,
    leave_source,
    list_sources,
    map_source,
    mark_lapsed,
    shut_source,
    source_was_read,
    unmap_source,
)

GROUP, CHANNEL, FLAG = SourceKind.USER_GROUP, SourceKind.CHANNEL, SourceKind.FLAG
PEOPLE = (
    PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER, is_workspace_admin=True),
    PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER, is_workspace_admin=True, is_workspace_owner=True),
    PersonFacts("UCAT", "cat", "Cat", PersonKind.MEMBER),
    PersonFacts("UGUS", "gus", "Gus", PersonKind.GUEST),
    PersonFacts("USOL", "sol", "Sol", PersonKind.SINGLE_CHANNEL_GUEST),
    PersonFacts("UOUT", "out", "Out", PersonKind.OUTSIDER),
    PersonFacts("UBOT", "bot", "Bot", PersonKind.BOT, is_workspace_admin=True),
    PersonFacts("UOLD", "old", "Old", PersonKind.MEMBER, active=False, is_workspace_admin=True),
)
EVERYBODY = {person.slack_user_id for person in PEOPLE}


class Company:
    """People and a role `finance` that comes from somewhere."""

    def __init__(self, database: Database, workspace_id: int) -> None:
        self.database = database
        self.workspace_id = workspace_id

    async def map(self, kind: SourceKind, reference: str = "S1", *, guests_too: bool = False) -> int:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await map_source(
                connection, kind, reference, "Money", "finance", mapped_by="UADA", guests_too=guests_too
            )

    async def read(self, source_id: int, *members: str, at: datetime | None = None) -> None:
        async with self.database.writing_in(self.workspace_id) as connection:
            await source_was_read(connection, source_id, members, at or datetime.now(UTC))

    async def holders(self, now: datetime | None = None) -> set[str]:
        found = set()
        for user_id in EVERYBODY:
            rights = await rights_of(self.database, self.workspace_id, user_id, now)
            assert rights is not None
            found |= {user_id} if "finance" in rights.roles else set()
        return found


@pytest.fixture
async def company(database: Database, workspace_id: int) -> Company:
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, PEOPLE)
        await define_role(connection, "finance")
    return Company(database, workspace_id)


@pytest.mark.parametrize("kind", [GROUP, CHANNEL])
async def test_members_hold_the_role_but_neither_guests_nor_outsiders_nor_bots_nor_the_deactivated(
    company: Company, kind: SourceKind
) -> None:
    await company.read(await company.map(kind), *EVERYBODY - {"UCAT"})
    assert await company.holders() == {"UADA", "UBEN"}


async def test_guests_hold_it_only_where_whoever_mapped_it_said_so(company: Company) -> None:
    await company.read(await company.map(GROUP, guests_too=True), *EVERYBODY)
    assert await company.holders() == {"UADA", "UBEN", "UCAT", "UGUS", "USOL"}


@pytest.mark.parametrize(
    ("flag", "holders"),
    [
        ("admin", {"UADA", "UBEN"}),
        ("owner", {"UBEN"}),
        ("member", {"UADA", "UBEN", "UCAT"}),
        ("guest", {"UGUS", "USOL"}),
    ],
)
async def test_a_flag_of_the_workspace_is_held_by_those_who_have_it(
    company: Company, flag: str, holders: set[str]
) -> None:
    await company.read(await company.map(FLAG, flag))
    assert await company.holders() == holders


async def test_a_source_that_was_never_read_grants_nothing(company: Company) -> None:
    await company.map(FLAG, "member")
    assert await company.holders() == set()


async def test_a_source_older_than_it_lives_grants_nothing(company: Company) -> None:
    now = datetime.now(UTC)
    await company.read(await company.map(GROUP), "UADA", at=now)
    assert await company.holders(now + timedelta(minutes=59)) == {"UADA"}
    assert await company.holders(now + timedelta(minutes=60)) == set()
    audience = Audience(frozenset({"UADA"}))
    clearance = await audience_clearance(company.database, company.workspace_id, audience, now)
    assert clearance.label_ids == frozenset()


async def test_that_a_source_grew_too_old_stands_in_the_record_once(company: Company) -> None:
    await company.read(await company.map(GROUP), "UADA", at=datetime.now(UTC) - timedelta(hours=2))
    async with company.database.writing_in(company.workspace_id) as connection:
        assert await mark_lapsed(connection) == ["the user group @Money"]
        assert await mark_lapsed(connection) == []


async def test_whoever_left_loses_the_role_at_once(company: Company) -> None:
    await company.read(await company.map(GROUP), "UADA", "UCAT")
    async with company.database.writing_in(company.workspace_id) as connection:
        await leave_source(connection, GROUP, "S1", ["UADA"], datetime.now(UTC))
    assert await company.holders() == {"UCAT"}


async def test_a_reading_that_comes_late_brings_nobody_back(company: Company) -> None:
    source_id = await company.map(GROUP)
    began = datetime.now(UTC)
    await company.read(source_id, "UCAT", at=began + timedelta(seconds=2))
    await company.read(source_id, "UADA", "UCAT", at=began)
    assert await company.holders() == {"UCAT"}


async def test_a_source_that_was_shut_grants_nothing_until_it_is_read_again(company: Company) -> None:
    source_id = await company.map(CHANNEL)
    now = datetime.now(UTC)
    await company.read(source_id, "UADA", at=now)
    async with company.database.writing_in(company.workspace_id) as connection:
        await shut_source(connection, CHANNEL, "S1", now + timedelta(seconds=2))
    assert await company.holders() == set()
    await company.read(source_id, "UADA", at=now + timedelta(seconds=1))  # began before it was shut
    assert await company.holders() == set()
    await company.read(source_id, "UADA", at=now + timedelta(seconds=3))
    assert await company.holders() == {"UADA"}


async def test_a_mapping_taken_back_takes_the_role_from_all_who_held_it_so(company: Company) -> None:
    await company.read(await company.map(GROUP), "UADA")
    async with company.database.writing_in(company.workspace_id) as connection:
        assert await unmap_source(connection, GROUP, "S1", "finance")
        assert not await unmap_source(connection, GROUP, "S1", "finance")
        assert await list_sources(connection) == []
    assert await company.holders() == set()


async def test_only_what_exists_can_be_mapped(company: Company) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        with pytest.raises(UnknownSource, match="no flag 'boss'"):
            await map_source(connection, FLAG, "boss", "", "finance", mapped_by="UADA")
        with pytest.raises(UnknownRole, match="finanse"):
            await map_source(connection, GROUP, "S1", "", "finanse", mapped_by="UADA")
