"""What changes in Slack counts for the next question: user groups, channels, flags, people; and what was missed."""

import asyncio
from collections.abc import Callable

import pytest

from auth.granting import define_role
from auth.rights import rights_of
from auth.sources import SourceKind, list_sources, map_source
from bot.slack.app import slack_client
from bot.slack.people import Roster
from bot.slack.standing import StandingReader
from bot.slack.team import Team
from tests.scenarios.conftest import Office

HELD_S = 15


async def roles(office: Office, user_id: str) -> frozenset[str]:
    rights = await rights_of(office.database, office.workspace_id, user_id)
    assert rights is not None
    return rights.roles


async def until_roles(office: Office, user_id: str, so: Callable[[frozenset[str]], bool]) -> None:
    async with asyncio.timeout(HELD_S):
        while not so(await roles(office, user_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def standing(office: Office) -> StandingReader:
    client = slack_client(office.sandbox.bot_token, office.sandbox.api_url)
    team = Team(office.workspace_id, "T0TEST", "Test", office.sandbox.bot_user_id)
    return StandingReader(client, office.database, team, Roster(client, office.database, team))


async def mapped(office: Office, kind: SourceKind, reference: str, role: str = "people") -> None:
    async with office.database.writing_in(office.workspace_id) as connection:
        await map_source(connection, kind, reference, "the source", role, mapped_by="U0PIA")
    await standing(office).read_all()


@pytest.fixture
async def group(parrot_office: Office) -> str:
    """A user group that the role `people` comes from, nobody in it yet but Pia."""
    created = await parrot_office.visitor.create_group("hr", ["pia"])
    await mapped(parrot_office, SourceKind.USER_GROUP, created)
    return created


async def test_whoever_joins_a_user_group_holds_its_role_and_whoever_leaves_does_not(
    parrot_office: Office, group: str
) -> None:
    await parrot_office.visitor.add_to_group(group, "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    await parrot_office.visitor.remove_from_group(group, "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" not in held)


async def test_a_user_group_that_is_disabled_gives_nothing(parrot_office: Office, group: str) -> None:
    await parrot_office.visitor.add_to_group(group, "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    await parrot_office.visitor.disable_group(group)
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" not in held)
    await parrot_office.visitor.enable_group(group)
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)


async def test_a_guest_in_a_user_group_holds_nothing_through_it(parrot_office: Office, group: str) -> None:
    await parrot_office.visitor.add_to_group(group, "gus", "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    assert await roles(parrot_office, "U0GUS") == {"guest"}


async def test_members_of_a_channel_hold_its_role_while_they_are_in_it(parrot_office: Office) -> None:
    await mapped(parrot_office, SourceKind.CHANNEL, "C0PEOPLE")
    assert "people" not in await roles(parrot_office, "U0ENZO")
    await parrot_office.visitor.invite("#people", "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    await parrot_office.visitor.leave("enzo", "#people")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" not in held)


async def test_a_channel_that_is_shared_with_another_company_gives_nothing(parrot_office: Office) -> None:
    await parrot_office.visitor.invite("#people", "enzo")
    await mapped(parrot_office, SourceKind.CHANNEL, "C0PEOPLE")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    await parrot_office.visitor.share_channel("#people")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" not in held)
    await parrot_office.visitor.unshare_channel("#people")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)


async def test_a_channel_that_the_bot_was_removed_from_unheard_gives_nothing(parrot_office: Office) -> None:
    """Of a public channel Slack still lists the members, but the bot would not hear who leaves."""
    await mapped(parrot_office, SourceKind.CHANNEL, "C0GENERAL")
    assert "people" in await roles(parrot_office, "U0ENZO")
    parrot_office.sandbox.subscriptions.clear()
    await parrot_office.visitor.leave("ostiary", "#general")
    await standing(parrot_office).read_all()
    assert "people" not in await roles(parrot_office, "U0ENZO")


@pytest.mark.parametrize(("channel", "administers"), [("C0PEOPLE", True), ("C0GENERAL", False)])
async def test_whoever_likes_can_join_a_public_channel_and_never_administers_by_it(
    parrot_office: Office, channel: str, administers: bool
) -> None:
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        await define_role(connection, "lead", inherits=["ostiary-admin"])
    await parrot_office.visitor.invite("#people", "enzo")
    await mapped(parrot_office, SourceKind.CHANNEL, channel, "lead")
    assert ("ostiary-admin" in await roles(parrot_office, "U0ENZO")) is administers


async def test_a_workspace_flag_gives_its_role_while_it_is_set(parrot_office: Office) -> None:
    await parrot_office.visitor.set_flags("enzo", is_admin=True)
    await mapped(parrot_office, SourceKind.FLAG, "admin")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    await parrot_office.visitor.set_flags("enzo", is_admin=False)
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" not in held)


async def test_whoever_is_deactivated_or_made_a_guest_loses_what_they_held(parrot_office: Office) -> None:
    await parrot_office.visitor.change_kind("enzo", "guest")
    await until_roles(parrot_office, "U0ENZO", lambda held: held == {"guest", "engineering"})
    await parrot_office.visitor.deactivate("enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: not held)


async def test_what_no_event_told_of_is_repaired_by_reading_everything_anew(
    parrot_office: Office, group: str
) -> None:
    parrot_office.sandbox.subscriptions.clear()
    await parrot_office.visitor.add_to_group(group, "enzo")
    await parrot_office.visitor.remove_from_group(group, "pia")
    await parrot_office.visitor.deactivate("gus")
    assert "people" not in await roles(parrot_office, "U0ENZO")
    await standing(parrot_office).read_all()
    assert "people" in await roles(parrot_office, "U0ENZO")
    assert await roles(parrot_office, "U0GUS") == frozenset()


async def test_an_event_that_comes_late_brings_nobody_back(parrot_office: Office, group: str) -> None:
    """Delivered again after a minute: it tells of a joining that was undone since."""
    await parrot_office.visitor.add_to_group(group, "enzo")
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
    parrot_office.sandbox.subscriptions.clear()
    await parrot_office.visitor.remove_from_group(group, "enzo")
    desk = standing(parrot_office)
    await desk.read_again(SourceKind.USER_GROUP, group)  # what a late `added_users` leads to
    assert "people" not in await roles(parrot_office, "U0ENZO")


async def test_a_plan_without_user_groups_leaves_the_role_to_nobody(parrot_office: Office) -> None:
    await mapped(parrot_office, SourceKind.USER_GROUP, "S0GONE")
    assert "people" not in await roles(parrot_office, "U0ENZO")
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        (source,) = await list_sources(connection)
    assert source.in_words == "the user group @the source"


async def test_what_happened_while_the_line_was_down_is_looked_up_when_it_is_back(
    parrot_office: Office, group: str
) -> None:
    parrot_office.sandbox.subscriptions.clear()
    await parrot_office.visitor.add_to_group(group, "enzo")
    await parrot_office.sandbox.drop_sockets()
    await until_roles(parrot_office, "U0ENZO", lambda held: "people" in held)
