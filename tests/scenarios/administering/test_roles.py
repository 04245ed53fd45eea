"""`/roles`: who holds which role, and what gives it."""

import pytest

from auth.granting import define_role
from bot.slack.admin import mapping_screens as forms
from bot.slack.admin import role_screens as roles
from bot.slack.admin.screens import UNDO
from tests.scenarios.administering.moves import (
    command,
    events,
    give,
    modal,
    press,
    roles_of,
    submit,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office


async def test_the_overview_names_every_role_with_its_holders(office: Office) -> None:
    view = await command(office, "/roles")
    assert values_of(view, roles.OPEN) == ["engineering", "everyone", "guest", "ostiary-admin", "people"]
    assert "*engineering*\n1 person holds it." in view.plain


async def test_a_role_is_given_in_a_modal_and_the_gift_undone_by_its_button(office: Office) -> None:
    await command(office, "/roles")
    await press(office, roles.GIVE)
    await submit(office, {"person": "enzo", "role": "people", "reason": "She counts", "until": "2099-12-31"})
    done = modal(office)
    assert "Gave @enzo the role people until the end of 31 December 2099, because: She counts." in done.plain
    assert "@enzo gains 1 document." in done.plain
    assert "people" in await roles_of(office, "enzo")
    undone = await press(office, UNDO)
    assert "It is undone." in undone.plain
    assert "people" not in await roles_of(office, "enzo")


async def test_a_role_is_shown_with_its_holders_and_taken_away_there(office: Office) -> None:
    await command(office, "/roles")
    role = await press(office, roles.OPEN, "engineering")
    assert "@enzo (Enzo): by the directory file" in role.plain
    gone = await press(office, roles.TAKE, "U0ENZO engineering")
    assert "Took the role engineering from @enzo." in gone.plain
    assert "engineering" not in await roles_of(office, "enzo")
    assert "Nobody holds it." in (await press(office, roles.OPEN, "engineering")).plain


async def test_a_role_is_created_changed_and_deleted(office: Office) -> None:
    await command(office, "/roles")
    await press(office, roles.NEW)
    await submit(office, {"name": "Finance", "description": "Money", "brings": ["people"]})
    assert "Defined the role finance, which brings people." in modal(office).plain
    await press(office, roles.OPEN, "finance")
    await press(office, roles.EDIT)
    await submit(office, {"description": "All of the money", "brings": []})
    changed = await press(office, roles.OPEN, "finance")
    assert "All of the money" in changed.plain
    assert "Brings" not in changed.plain
    deleted = await press(office, roles.DELETE)
    assert "Deleted the role finance." in deleted.plain
    assert "finance" not in values_of(await press(office, roles.HOME), roles.OPEN)


async def test_a_new_role_does_not_overwrite_one_that_is_there(office: Office) -> None:
    await command(office, "/roles")
    await press(office, roles.NEW)
    outcome = await submit(office, {"name": "people", "description": "Others"})
    assert outcome.field_errors == {"name": "There is a role called people already."}


async def test_roles_that_would_bring_each_other_are_refused_at_the_form(office: Office) -> None:
    await typed(office, "/roles", "grant people @enzo")
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    await press(office, roles.EDIT)
    await submit(office, {"brings": ["engineering"]})
    await press(office, roles.OPEN, "people")
    await command(office, "/roles")
    await press(office, roles.OPEN, "engineering")
    await press(office, roles.EDIT)
    outcome = await submit(office, {"brings": ["people"]})
    assert "circle" in next(iter(outcome.field_errors.values()))


async def test_a_role_that_is_in_use_is_not_deleted_and_the_modal_says_why(office: Office) -> None:
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    refused = await press(office, roles.DELETE)
    assert "is granted to somebody" in refused.plain
    assert "Change that first, then delete it." in refused.plain


async def test_what_somebody_may_read_is_told_with_the_titles_that_the_admin_may_read(
    office: Office,
) -> None:
    await command(office, "/roles")
    await press(office, roles.MAY_READ)
    readable = await press(office, roles.MAY_READ_OF, "enzo")
    assert "engineering: by the directory file" in readable.plain
    assert "1 document for every full member" in readable.plain
    assert "Leave" in readable.plain
    assert "Salary" not in readable.plain


async def test_a_title_that_the_admin_may_not_read_is_not_told(office: Office) -> None:
    await give(office, "gus", "people")
    await give(office, "enzo", "ostiary-admin")
    answer = await typed(office, "/roles", "may-read @gus", person="enzo")
    assert "1 document for people" in answer.plain
    assert "Salary" not in answer.plain


@pytest.mark.parametrize("written", ["@enzo", "enzo", "<@U0ENZO>", "<@U0ENZO|enzo>"])
async def test_a_role_is_given_in_words_and_the_gift_undone_by_its_button(
    office: Office, written: str
) -> None:
    answer = await typed(
        office, "/roles", f"grant people {written} because she &amp; he count until 2099-12-31"
    )
    assert (
        "Gave @enzo the role people until the end of 31 December 2099, because: she & he count."
        in answer.plain
    )
    await office.visitor.click("pia", answer.ts, "#general", UNDO)
    assert "people" not in await roles_of(office, "enzo")
    (undone,) = [m for m in office.visitor.visible_to("pia", "#general") if m.ts == answer.ts]
    assert "It is undone." in undone.plain


async def test_who_holds_a_role_and_by_which_ways_is_told_in_words(office: Office) -> None:
    await typed(office, "/roles", "grant people @enzo because he asked")
    answer = await typed(office, "/roles", "who people")
    assert "2 people hold people:" in answer.plain
    assert "@enzo (Enzo): by hand from @pia, because: he asked" in answer.plain


async def test_a_role_is_taken_away_in_words(office: Office) -> None:
    assert (
        "Took the role engineering from @enzo."
        in (await typed(office, "/roles", "revoke engineering @enzo")).plain
    )
    assert "engineering" not in await roles_of(office, "enzo")


REFUSALS = {
    "grant": "I did not understand that.",
    "grant people @enzo or else": "I did not understand 'or else'.",
    "grant people @enzo until 2026-02-31": "There is no day 2026-02-31.",
    "grant people @enzo until 2001-01-01": "It would have ended already",
    "grant people @nobody": "Nobody here is called '@nobody'.",
    "grant kings @enzo": "There is no role called kings.",
    "grant everyone @gus": "Slack's own membership decides who holds it.",
    "revoke people @enzo": "@enzo does not hold people.",
    "revoke ostiary-admin @pia": "Then nobody would hold ostiary-admin",
    "who kings": "There is no role called kings.",
}


async def test_what_cannot_be_done_is_answered_with_a_sentence_and_changes_nothing(office: Office) -> None:
    before = await events(office)
    for words, said in REFUSALS.items():
        assert said in (await typed(office, "/roles", words)).plain
    assert await events(office) == before


async def test_help_names_every_way_to_write_the_command(office: Office) -> None:
    assert "/roles may-read @somebody" in (await typed(office, "/roles", "help")).plain


async def test_a_user_group_that_is_mapped_grants_at_once_and_no_longer_once_unmapped(
    office: Office,
) -> None:
    await office.visitor.create_group("finance-team", ["enzo"], group_id="S0FINANCE")
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    await press(office, roles.MAP_GROUP)
    await submit(office, {"group": "S0FINANCE"})
    assert "Mapped the user group @finance-team to the role people." in modal(office).plain
    assert "@enzo gains 1 document." in modal(office).plain
    assert "people" in await roles_of(office, "enzo")
    page = await press(office, roles.OPEN, "people")
    assert "@enzo (Enzo): through the user group @finance-team" in page.plain
    gone = await press(office, roles.UNMAP)
    assert "Unmapped the user group @finance-team from the role people." in gone.plain
    assert "people" not in await roles_of(office, "enzo")
    await press(office, UNDO)
    assert "people" in await roles_of(office, "enzo")


async def test_a_workspace_without_user_groups_is_told_so(office: Office) -> None:
    seed = office.sandbox.sandbox.workspace.seed
    object.__setattr__(seed, "paid_plan", False)
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    view = await press(office, roles.MAP_GROUP)
    assert "This workspace has no user groups: Slack's paid plans have them." in view.plain
    assert view.submit is None


async def test_a_channel_that_is_mapped_grants_to_guests_only_where_that_is_ticked(office: Office) -> None:
    for guests, expected in ((None, False), (["yes"], True)):
        await command(office, "/roles")
        await press(office, roles.OPEN, "engineering")
        await press(office, roles.MAP_CHANNEL)
        await submit(office, {"channel": "#guests"} | ({"guests": guests} if guests else {}))
        assert "Mapped the channel #guests to the role engineering" in modal(office).plain
        assert ("engineering" in await roles_of(office, "gus")) is expected
        assert "engineering" in await roles_of(office, "pia")


async def test_a_channel_that_the_bot_is_not_in_is_refused(office: Office) -> None:
    await office.visitor.leave("ostiary", "#guests")
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    await press(office, roles.MAP_CHANNEL)
    outcome = await submit(office, {"channel": "#guests"})
    assert "I am not in that channel." in outcome.field_errors["channel@people"]


async def test_a_public_channel_says_that_whoever_likes_can_join_and_never_leads_to_administering(
    office: Office,
) -> None:
    await command(office, "/roles")
    await press(office, roles.OPEN, "engineering")
    await press(office, roles.MAP_CHANNEL)
    await submit(office, {"channel": "#general"})
    assert "Whoever joins the channel #general holds it from then on." in modal(office).plain
    await command(office, "/roles")
    await press(office, roles.OPEN, "ostiary-admin")
    await press(office, roles.MAP_CHANNEL)
    outcome = await submit(office, {"channel": "#general"})
    assert "Whoever likes can join the channel #general" in str(outcome.field_errors)
    assert "ostiary-admin" not in await roles_of(office, "enzo")


async def test_a_flag_that_is_mapped_counts_at_once(office: Office) -> None:
    await command(office, "/roles")
    await press(office, roles.OPEN, "people")
    await press(office, roles.MAP_FLAG)
    await submit(office, {"flag": "guest"})
    assert "every guest" in modal(office).plain
    assert "people" in await roles_of(office, "gus")


async def test_more_roles_than_a_menu_takes_are_searched(office: Office) -> None:
    for number in range(110):
        async with office.database.writing_in(office.workspace_id, "test") as connection:
            await define_role(connection, f"team-{number:03}", f"Team {number}")
    view = await command(office, "/roles")
    found = await office.visitor.suggestions("pia", roles.OPEN, "team-10", view_id=view.id)
    assert [option["value"] for option in found] == [f"team-{number}" for number in range(100, 110)]
    assert "team-107" in (await press(office, roles.OPEN, "team-107")).plain


def test_forms_have_ids_of_their_own() -> None:
    names = [forms.GROUP_FORM, forms.CHANNEL_FORM, forms.FLAG_FORM, roles.GIVE_FORM, roles.ROLE_FORM]
    assert len(set(names)) == len(names)
