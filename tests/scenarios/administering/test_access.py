"""`/access`: who may read which document and why; every change shows its effect before it is made."""

import pytest

from auth.rights import rights_of
from bot.slack.admin import access_screens as access
from bot.slack.admin import collection_screens as collections
from bot.slack.admin.screens import UNDO
from tests.scenarios.administering.moves import (
    command,
    document,
    events,
    give,
    modal,
    offered,
    press,
    submit,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office


async def may_read(office: Office, handle: str) -> int:
    """Under how many labels somebody may read."""
    rights = await rights_of(office.database, office.workspace_id, office.visitor.who(handle).user_id)
    assert rights is not None
    return len(rights.clearance.label_ids)


async def test_documents_are_found_by_words_of_their_titles(office: Office) -> None:
    view = await command(office, "/access", "salary")
    assert "*Salary bands*\nFor people" in view.plain
    assert "Leave" not in view.plain


async def test_an_admin_who_may_not_read_a_document_sees_its_number_and_readers_alone(office: Office) -> None:
    await give(office, "enzo", "ostiary-admin")
    number = await document(office, "Salary bands")
    view = await command(office, "/access", person="enzo")
    assert f"*Document {number}*\nFor people" in view.plain
    opened = await press(office, access.DOCUMENT, str(number), person="enzo")
    assert f"Document {number}" in opened.plain
    assert "Salary" not in view.plain + opened.plain
    assert "I found nothing" in (await command(office, "/access", "salary", person="enzo")).plain


async def test_it_is_explained_why_somebody_cannot_and_why_somebody_can_read_a_document(
    office: Office,
) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/access")
    await press(office, access.DOCUMENT, str(number))
    assert f"@enzo cannot read document {number}" in (await press(office, access.WHY, "enzo")).plain
    assert "@pia holds people by the directory file" in (await press(office, access.WHY, "pia")).plain


async def test_other_readers_take_effect_after_a_dry_run_and_go_by_the_undo_button(office: Office) -> None:
    number, before = await document(office, "Salary bands"), await events(office)
    await command(office, "/access", "salary")
    await press(office, access.DOCUMENT, str(number))
    await press(office, access.CHANGE)
    await submit(office, {"readers": ["people", "engineering"], "rule": "any"})
    dry = modal(office)
    assert "Nothing is changed yet." in dry.plain
    assert "@enzo gains 1 document." in dry.plain
    assert await events(office) == before
    assert await may_read(office, "enzo") == 1
    await submit(office)
    assert f"Gave document {number} the readers engineering,people." in modal(office).plain
    assert await may_read(office, "enzo") == 2
    assert "It is undone." in (await press(office, UNDO)).plain
    assert await may_read(office, "enzo") == 1


async def test_readers_can_be_all_of_some_roles_but_not_those_who_hold_another(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/access")
    await press(office, access.DOCUMENT, str(number))
    await press(office, access.CHANGE)
    await submit(office, {"readers": ["people", "engineering"], "rule": "all", "except": ["guest"]})
    await submit(office)
    assert f"Gave document {number} the readers engineering+people+!guest." in modal(office).plain


async def test_readers_can_be_written_out(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/access")
    await press(office, access.DOCUMENT, str(number))
    await press(office, access.CHANGE)
    await submit(office, {"readers": [], "written": "nobody"})
    assert "@pia loses 1 document." in modal(office).plain


@pytest.mark.parametrize(
    ("entered", "field", "said"),
    [
        ({"readers": []}, "readers", "Choose at least one role."),
        ({"written": "people or so"}, "written", "could not be understood"),
        ({"written": "kings"}, "written", "There is no role called kings."),
    ],
)
async def test_readers_that_cannot_be_are_refused_at_the_form(
    office: Office, entered: dict[str, str | list[str]], field: str, said: str
) -> None:
    await command(office, "/access")
    await press(office, access.DOCUMENT, str(await document(office, "Salary bands")))
    await press(office, access.CHANGE)
    outcome = await submit(office, dict(entered))
    ((at, sentence),) = outcome.field_errors.items()
    assert at.startswith(field)
    assert said in sentence


async def test_everything_with_the_same_readers_follows_a_change_in_one_place(office: Office) -> None:
    await command(office, "/access")
    view = await press(office, access.LABELS)
    assert "*For people*\n1 document" in view.plain
    (people,) = [b for b in view.blocks if "*For people*" in b.get("text", {}).get("text", "")]
    await press(office, access.CHANGE, people["accessory"]["value"])
    await submit(office, {"readers": ["engineering"]})
    await submit(office)
    assert "@enzo gains 1 document." in modal(office).plain
    assert "@pia loses 1 document." in modal(office).plain
    assert await may_read(office, "pia") == 1


async def test_a_collection_is_defined_with_its_owners_and_what_they_lend(office: Office) -> None:
    await define_handbook(office)
    assert "Defined the collection Handbook" in modal(office).plain
    listed = await press(office, access.COLLECTIONS)
    assert "*Handbook*\nFor people · 0 documents" in listed.plain
    assert "Holders of people may lend people for an hour." in listed.plain


async def define_handbook(office: Office) -> None:
    await command(office, "/access")
    await press(office, access.COLLECTIONS)
    await press(office, collections.DEFINE)
    loan = {"owner": "people", "lent": "people", "lent_for": "3600"}
    await submit(office, {"name": "Handbook", "readers": ["people"], **loan})
    assert "Nothing is changed yet." in modal(office).plain
    await submit(office)


async def test_documents_are_filed_and_follow_the_readers_of_their_collection(office: Office) -> None:
    await define_handbook(office)
    number = str(await document(office, "Leave"))
    await command(office, "/access")
    await press(office, access.DOCUMENT, number)
    await press(office, access.FILE)
    handbook = offered(modal(office), "Handbook")
    await submit(office, {"collection": handbook})
    assert "1 of them keeps other readers" in modal(office).plain
    await submit(office)
    assert f"Filed document {number} in" in modal(office).plain
    await command(office, "/access")
    await press(office, access.COLLECTIONS)
    await press(office, access.COLLECTION, handbook)
    await press(office, access.CHANGE)
    await submit(office, {"readers": ["people"]})
    assert "@enzo loses 1 document." in modal(office).plain
    await submit(office)
    await command(office, "/access")
    assert "For people." in (await press(office, access.DOCUMENT, number)).plain


async def test_a_document_is_searched_while_its_title_is_typed(office: Office) -> None:
    view = await command(office, "/access")
    found = await office.visitor.suggestions("pia", access.DOCUMENT, "sal", view_id=view.id)
    assert [option["text"]["text"] for option in found] == ["Salary bands"]
    number = await document(office, "Salary bands")
    assert "Salary bands" in (await press(office, access.DOCUMENT, str(number))).plain


async def test_a_collection_that_is_there_is_not_defined_anew(office: Office) -> None:
    await define_handbook(office)
    await command(office, "/access")
    await press(office, access.COLLECTIONS)
    await press(office, collections.DEFINE)
    outcome = await submit(office, {"name": "Handbook", "readers": ["everyone"]})
    assert outcome.field_errors == {"name": "There is a collection called Handbook already."}


async def test_help_is_told_to_whoever_asks_for_it(office: Office) -> None:
    assert "/access words of a title" in (await typed(office, "/access", "help")).plain


async def test_a_document_is_removed_after_a_dry_run_and_without_an_undo_button(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/access", "salary")
    await press(office, access.DOCUMENT, str(number))
    view = await press(office, access.REMOVE, str(number))
    assert f"What would be done: removed document {number} for good." in view.plain
    assert "This cannot be undone." in view.plain
    await submit(office)
    assert f"Removed document {number} for good." in modal(office).plain
    assert not values_of(modal(office), UNDO)
    assert "I found nothing" in (await command(office, "/access", "salary")).plain
