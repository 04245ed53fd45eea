"""Only who administers at that moment changes anything, and nobody is locked out by accident."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from auth.audit import Sought, search
from auth.labels import parse_policy
from auth.roles import ADMIN
from bot.administering.administration import COMMAND_LINE, Administration, LastAdministrator, NotAllowed
from bot.administering.changes import DefineRole, GrantRole, RelabelDocuments, RevokeRole
from tests.integration.administering.conftest import Company


async def test_somebody_who_does_not_administer_changes_nothing_and_learns_nothing(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(GrantRole(company.people["priya"], "hr"), "UODILE")
    assert done.change_id
    state, log = await company.state(), await company.log()
    change = RelabelDocuments((company.documents["salaries"],), parse_policy("everyone"))
    for actor in ("UPRIYA", "UBEN", "UGUS", "UNOBODY", "", "ostiary"):
        assert not await administration.may_administer(actor)
        for attempt in (
            administration.carry_out(change, actor),
            administration.preview(change, actor),
            administration.undo(done.change_id, actor),
        ):
            with pytest.raises(NotAllowed, match="Only people who hold the role ostiary-admin"):
                await attempt
    assert (await company.state(), await company.log()) == (state, log)


async def test_slacks_own_admins_do_not_administer_by_that(
    company: Company, administration: Administration
) -> None:
    assert company.people["ben"].is_workspace_admin
    assert not await administration.may_administer("UBEN")


async def test_whoever_was_revoked_cannot_use_what_they_opened_before(
    company: Company, administration: Administration
) -> None:
    assert await administration.may_administer("UODILE")
    await administration.carry_out(RevokeRole(company.people["odile"], ADMIN), COMMAND_LINE)
    with pytest.raises(NotAllowed):
        await administration.carry_out(GrantRole(company.people["odile"], ADMIN), "UODILE")


async def test_the_last_administrator_is_revoked_at_the_machine_alone(
    company: Company, administration: Administration
) -> None:
    odile = company.people["odile"]
    with pytest.raises(LastAdministrator, match="Give it to somebody else first"):
        await administration.carry_out(RevokeRole(odile, ADMIN), "UODILE")
    await administration.carry_out(GrantRole(company.people["ben"], ADMIN), "UODILE")
    done = await administration.carry_out(RevokeRole(odile, ADMIN), "UBEN")
    assert "@odile can no longer administer Ostiary." in done.effect.notes
    assert (await administration.carry_out(RevokeRole(company.people["ben"], ADMIN), COMMAND_LINE)).change_id


async def test_somebody_administers_for_good_not_until_a_day(
    company: Company, administration: Administration
) -> None:
    odile, ben = company.people["odile"], company.people["ben"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(LastAdministrator, match="without an end"):
        await administration.carry_out(GrantRole(odile, ADMIN, expires_at=tomorrow), "UODILE")
    await administration.carry_out(GrantRole(ben, ADMIN, expires_at=tomorrow), "UODILE")
    with pytest.raises(LastAdministrator):
        await administration.carry_out(RevokeRole(odile, ADMIN), "UBEN")
    await administration.carry_out(GrantRole(ben, ADMIN), "UODILE")
    assert (await administration.carry_out(RevokeRole(odile, ADMIN), "UBEN")).change_id


async def test_undoing_does_not_take_the_last_administrator_away_either(
    company: Company, administration: Administration
) -> None:
    made = await administration.carry_out(GrantRole(company.people["ben"], ADMIN), "UODILE")
    await administration.carry_out(RevokeRole(company.people["odile"], ADMIN), "UBEN")
    assert made.change_id
    with pytest.raises(LastAdministrator):
        await administration.undo(made.change_id, "UBEN")


async def test_two_who_revoke_each_other_at_once_leave_one(
    company: Company, administration: Administration
) -> None:
    people = company.people
    await administration.carry_out(GrantRole(people["ben"], ADMIN), "UODILE")
    outcomes = await asyncio.gather(
        administration.carry_out(RevokeRole(people["ben"], ADMIN), "UODILE"),
        administration.carry_out(RevokeRole(people["odile"], ADMIN), "UBEN"),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "NotAllowed"]
    assert len(await administration.holders(ADMIN)) == 1


async def test_two_halves_of_a_circle_made_at_once_do_not_both_stand(
    company: Company, administration: Administration
) -> None:
    outcomes = await asyncio.gather(
        administration.carry_out(DefineRole("hr", inherits=("finance",)), "UODILE"),
        administration.carry_out(DefineRole("finance", inherits=("hr",)), "UODILE"),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "RoleCycle"]


async def test_every_change_stands_in_the_audit_log_under_who_made_it(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(
        GrantRole(company.people["ben"], "hr", reason="she is away"), "UODILE"
    )
    async with company.database.writing_in(company.workspace_id) as connection:
        (event,) = await search(connection, Sought(who="UBEN", kind="grant"))
    assert (event.actor, event.change_id) == ("UODILE", done.change_id)
    assert event.details
    assert event.details["becomes"]["reason"] == "she is away"
