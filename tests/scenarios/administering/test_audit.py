"""`/audit`: what happened, in sentences, to those who may know."""

from bot.slack.admin import audit_screens as audit
from bot.slack.admin.screens import UNDO_LATER
from tests.scenarios.administering.moves import (
    command,
    document,
    give,
    modal,
    press,
    roles_of,
    submit,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office


async def test_what_somebody_did_is_found_by_their_name(office: Office) -> None:
    await typed(office, "/roles", "grant people @enzo because he asked")
    view = await command(office, "/audit", "@pia")
    assert "By or about @pia, the latest first." in view.plain
    assert "@pia gave @enzo the role people, saying: he asked." in view.plain


async def test_a_search_names_person_document_kind_and_days(office: Office) -> None:
    await typed(office, "/roles", "grant people @enzo because he asked")
    number = str(await document(office, "Salary bands"))
    form = await command(office, "/audit")
    (option,) = await office.visitor.suggestions("pia", audit.DOCUMENT_FIELD, "salary", view_id=form.id)
    assert option["value"] == number
    await submit(office, {"document": number})
    assert f"added document {number} (Salary bands), for people" in modal(office).plain
    assert "gave" not in modal(office).plain
    await press(office, audit.HOME)
    days = {"since": "2001-01-01", "until": "2001-01-02"}
    await submit(office, {"who": "enzo", "kind": "grant.", **days})
    assert "Nothing like this is in the log." in modal(office).plain
    assert "from 1 January 2001, until 2 January 2001" in modal(office).plain


async def test_a_last_day_before_the_first_is_refused_at_its_field(office: Office) -> None:
    await command(office, "/audit")
    outcome = await submit(office, {"since": "2026-03-02", "until": "2026-03-01"})
    assert outcome.field_errors == {"until": "The last day is before the first one."}


async def test_pages_are_turned_back_and_forth(office: Office) -> None:
    for number in range(2 * audit.PAGE):
        await give(office, "enzo" if number % 2 else "gus", "people")
        await typed(office, "/roles", f"revoke people @{'enzo' if number % 2 else 'gus'}")
    await command(office, "/audit")
    await submit(office, {"kind": "grant."})
    first = modal(office)
    assert first.plain.count("the role people") == audit.PAGE
    second = await press(office, f"{audit.PAGES}:older")
    assert second.plain != first.plain
    third = await press(office, f"{audit.PAGES}:older")
    assert len({first.plain, second.plain, third.plain}) == 3
    assert (await press(office, f"{audit.PAGES}:newer")).plain == second.plain
    assert (await press(office, f"{audit.PAGES}:newer")).plain == first.plain
    assert not values_of(modal(office), f"{audit.PAGES}:newer")


async def test_neither_title_nor_address_is_told_to_an_admin_who_may_not_read_the_document(
    office: Office,
) -> None:
    await give(office, "enzo", "ostiary-admin")
    number = await document(office, "Salary bands")
    view = await command(office, "/audit", str(number), person="enzo")
    assert f"added document {number}, for people" in view.plain
    assert "Salary" not in view.plain


async def test_a_change_that_is_found_in_the_log_is_undone_from_there(office: Office) -> None:
    await typed(office, "/roles", "grant people @enzo because he asked")
    await command(office, "/audit", "@enzo")
    view = await press(office, UNDO_LATER)
    assert "Nothing is changed yet." in view.plain
    assert "@enzo" in view.plain
    assert "people" in await roles_of(office, "enzo")
    await submit(office)
    assert "It is undone." in modal(office).plain
    assert "people" not in await roles_of(office, "enzo")


async def test_answers_and_refusals_are_in_the_log(office: Office) -> None:
    await office.visitor.dm("enzo", "How many days of paid leave do employees receive a year?")
    await office.visitor.wait_for_reply("enzo", "@ostiary", containing="27 days", timeout=60)
    view = await command(office, "/audit", "@enzo")
    number = await document(office, "Leave")
    assert f"document {number} (Leave)" in view.plain
    assert "answered @enzo" in view.plain
