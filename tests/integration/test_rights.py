"""Rights as they stand in the database at the moment of use: who is known, what they hold, who is listening."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from auth.channels import Channel, UnknownChannel, audience_of_channel, remember_channel
from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.granting import UnknownRole, define_role, grant, revoke
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.rights import Audience, audience_clearance, read_standing, rights_of
from auth.roles import RoleCycle

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE = (
    PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER),
    PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER),
    PersonFacts("UGUS", "gus", "Gus", PersonKind.GUEST),
)
GRANTED = {"UADA": ("finance", "staff"), "UBEN": ("finance", "staff"), "UGUS": ()}
POLICIES = ("everyone", "finance", "staff", "guest", "everyone,guest", "everyone+!finance", "nobody")

Labels = dict[str, int]


@pytest.fixture
async def labels(database: Database, workspace_id: int) -> Labels:
    """Ada and Ben hold everything there is to hold, Gus is a guest; the id of a label for each policy."""
    async with database.writing_in(workspace_id) as connection:
        for role in ("finance", "staff"):
            await define_role(connection, role)
        await upsert_people(connection, PEOPLE)
        people = await find_people(connection, [fact.slack_user_id for fact in PEOPLE])
        for slack_user_id, roles in GRANTED.items():
            for role in roles:
                await grant(connection, people[slack_user_id], role, granted_by="test")
        return {policy: await intern_label(connection, parse_policy(policy)) for policy in POLICIES}


def readable(clearance: Clearance, labels: Labels) -> set[str]:
    return {policy for policy, label_id in labels.items() if clearance.covers([label_id])}


async def may_read(database: Database, workspace_id: int, labels: Labels, slack_user_id: str) -> set[str]:
    rights = await rights_of(database, workspace_id, slack_user_id, NOW)
    assert rights is not None
    return readable(rights.clearance, labels)


async def may_all_read(database: Database, workspace_id: int, labels: Labels, audience: Audience) -> set[str]:
    return readable(await audience_clearance(database, workspace_id, audience, NOW), labels)


async def test_somebody_unknown_has_no_rights(database: Database, workspace_id: int, labels: Labels) -> None:
    assert await rights_of(database, workspace_id, "UNOBODY") is None


async def test_somebody_of_another_workspace_is_unknown_in_this_one(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    assert await rights_of(database, other, "UADA") is None
    clearance = await audience_clearance(database, other, Audience(frozenset({"UADA"})))
    assert clearance.label_ids == frozenset()


async def test_a_grant_ends_at_its_moment_without_anybody_doing_anything(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        ada = (await find_people(connection, ["UADA"]))["UADA"]
        await grant(connection, ada, "finance", granted_by="test", expires_at=NOW)
    before = await rights_of(database, workspace_id, "UADA", NOW - timedelta(seconds=1))
    assert before is not None
    assert "finance" in readable(before.clearance, labels)
    assert "finance" not in await may_read(database, workspace_id, labels, "UADA")


async def test_a_revoked_role_is_gone_from_every_source_at_once(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        ada = (await find_people(connection, ["UADA"]))["UADA"]
        await grant(connection, ada, "finance", granted_by="test", source="file")
        await revoke(connection, ada, "finance")
    assert "finance" not in await may_read(database, workspace_id, labels, "UADA")
    assert "everyone+!finance" in await may_read(database, workspace_id, labels, "UADA")


async def test_somebody_whom_slack_deactivated_reads_nothing_from_then_on(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER, active=False)])
    assert await may_read(database, workspace_id, labels, "UADA") == set()


async def test_a_member_who_becomes_a_guest_loses_what_is_for_everyone(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UADA", "ada", "Ada", PersonKind.GUEST)])
    assert await may_read(database, workspace_id, labels, "UADA") == {
        "everyone,guest",
        "guest",
        "finance",
        "staff",
    }


async def test_every_change_of_rights_is_another_policy_version(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async def version() -> int:
        async with database.writing_in(workspace_id) as connection:
            return (await read_standing(database, connection, workspace_id)).policy_version

    async with database.writing_in(workspace_id) as connection:
        ada = (await find_people(connection, ["UADA"]))["UADA"]
    versions = [await version()]
    async with database.writing_in(workspace_id) as connection:
        await revoke(connection, ada, "finance")
    versions.append(await version())
    async with database.writing_in(workspace_id) as connection:
        await grant(connection, ada, "finance", granted_by="test")
    versions.append(await version())
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, [replace(PEOPLE[0], active=False)])
    versions.append(await version())
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "staff", inherits=["finance"])
    versions.append(await version())
    assert versions == sorted(set(versions))


async def test_what_changes_nothing_is_no_other_policy_version(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async def version() -> int:
        async with database.deciding_in(workspace_id) as connection:
            return (await read_standing(database, connection, workspace_id)).policy_version

    before = await version()
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, PEOPLE)
        await intern_label(connection, parse_policy("finance"))
    assert await version() == before


async def test_a_circle_of_roles_is_refused_and_changes_nothing(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "staff", inherits=["finance"])
    with pytest.raises(RoleCycle, match="staff -> finance -> staff"):
        async with database.writing_in(workspace_id) as connection:
            await define_role(connection, "finance", inherits=["staff"])
    async with database.writing_in(workspace_id) as connection:
        standing = await read_standing(database, connection, workspace_id)
    assert standing.inheritance == {"staff": frozenset({"finance"})}


async def test_a_role_that_does_not_exist_can_be_neither_granted_nor_named_nor_inherited(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        ada = (await find_people(connection, ["UADA"]))["UADA"]
        with pytest.raises(UnknownRole, match="no role called finanse"):
            await grant(connection, ada, "finanse", granted_by="test")
        with pytest.raises(UnknownRole, match="no role called finanse"):
            await intern_label(connection, parse_policy("finanse"))
        with pytest.raises(UnknownRole, match="no role called contractr"):
            await intern_label(connection, parse_policy("everyone+!contractr"))
    with pytest.raises(UnknownRole, match="no role called finanse"):
        async with database.writing_in(workspace_id) as connection:
            await define_role(connection, "staff", inherits=["finanse"])


async def test_an_audience_reads_what_each_of_it_may_read(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    both = Audience(frozenset({"UADA", "UBEN"}))
    assert await may_all_read(database, workspace_id, labels, both) == {
        "everyone",
        "everyone,guest",
        "finance",
        "staff",
    }
    with_guest = Audience(frozenset({"UADA", "UGUS"}))
    assert await may_all_read(database, workspace_id, labels, with_guest) == {"everyone,guest"}


async def test_one_member_nobody_knows_leaves_an_audience_nothing(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    with_stranger = Audience(frozenset({"UADA", "UNOBODY"}))
    assert await may_all_read(database, workspace_id, labels, with_stranger) == set()


async def test_an_audience_that_could_not_be_made_out_reads_nothing(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    unclear = Audience(frozenset({"UADA"}), complete=False)
    assert await may_all_read(database, workspace_id, labels, unclear) == set()


async def test_an_audience_of_nobody_reads_nothing(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    assert await may_all_read(database, workspace_id, labels, Audience(frozenset())) == set()


async def test_a_public_channel_counts_every_full_member_and_not_only_who_is_in_it(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.writing_in(workspace_id) as connection:
        cleo = PersonFacts("UCLEO", "cleo", "Cleo", PersonKind.MEMBER)
        await upsert_people(connection, [cleo])
        await define_role(connection, "new-here")
        await grant(
            connection, (await find_people(connection, ["UCLEO"]))["UCLEO"], "new-here", granted_by="test"
        )
        labels["everyone+!new-here"] = await intern_label(connection, parse_policy("everyone+!new-here"))
    public = Audience(frozenset({"UADA"}), every_member=True)
    assert await may_all_read(database, workspace_id, labels, public) == {"everyone", "everyone,guest"}


async def test_a_public_channel_counts_whoever_joins_the_company_tomorrow(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    """Every member there is today holds staff; the next one will not."""
    public = Audience(frozenset({"UADA"}), every_member=True)
    assert "staff" not in await may_all_read(database, workspace_id, labels, public)


async def test_a_guest_in_a_public_channel_narrows_it(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    public = Audience(frozenset({"UADA", "UGUS"}), every_member=True)
    assert await may_all_read(database, workspace_id, labels, public) == {"everyone,guest"}


async def audience_in(
    database: Database, workspace_id: int, channel: Channel, asker: str = "UADA"
) -> Audience:
    async with database.writing_in(workspace_id) as connection:
        await remember_channel(connection, channel)
        return await audience_of_channel(connection, "#planning", asker)


async def test_the_asker_belongs_to_the_audience_of_a_remembered_channel(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    channel = Channel("C1", "planning", is_public=False, is_shared=False, members=["UADA", "UBEN"])
    audience = await audience_in(database, workspace_id, channel, asker="UGUS")
    assert audience == Audience(frozenset({"UADA", "UBEN", "UGUS"}))


async def test_a_remembered_public_channel_is_open_to_every_member(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    channel = Channel("C1", "planning", is_public=True, is_shared=False, members=["UADA"])
    assert (await audience_in(database, workspace_id, channel)).every_member


async def test_nothing_may_be_said_in_a_remembered_channel_that_is_shared(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    channel = Channel("C1", "planning", is_public=False, is_shared=True, members=["UADA"])
    audience = await audience_in(database, workspace_id, channel)
    assert await may_all_read(database, workspace_id, labels, audience) == set()


async def test_a_channel_that_nobody_remembers_is_refused_with_those_known(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        await remember_channel(connection, Channel("C9", "secret-plans", False, False, ["U1"]))
    async with database.writing_in(workspace_id) as connection:
        await remember_channel(connection, Channel("C1", "planning", False, False, ["UADA"]))
        with pytest.raises(UnknownChannel) as refused:
            await audience_of_channel(connection, "#secret-plans", "UADA")
    assert str(refused.value) == "There is no channel called #secret-plans. Known channels: #planning."


async def test_an_id_that_would_stand_for_two_is_no_audience(
    database: Database, workspace_id: int, labels: Labels
) -> None:
    """Ada and Ben in one id, and somebody unknown beside them: as many as there are names, and not those people."""
    with pytest.raises(ValueError, match="line break"):
        await may_all_read(database, workspace_id, labels, Audience(frozenset({"UADA\nUBEN", "UNOBODY"})))


@pytest.mark.parametrize("name", ["staff finance", "Staff", "nobody", ""])
async def test_no_role_is_stored_whose_name_could_be_read_as_another(
    database: Database, workspace_id: int, name: str
) -> None:
    insert = text("INSERT INTO auth.role (workspace_id, name) VALUES (:w, :name)")
    async with database.writing_in(workspace_id) as connection:
        with pytest.raises(IntegrityError, match="ck_role_name"):
            await connection.execute(insert, {"w": workspace_id, "name": name})
        await connection.rollback()


async def test_the_version_is_told_after_the_line_to_the_server_was_cut(
    database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    before = await database.policy_version(workspace_id)
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    assert await database.policy_version(workspace_id) == before
