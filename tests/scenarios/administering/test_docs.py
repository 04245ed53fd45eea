"""`/docs`: what there is, how it stands, what happened to it, and what failed; for administrators alone."""

from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import text

from auth.database import WORKSPACE
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.slack.admin import access_screens as access
from bot.slack.admin import document_screens as docs
from bot.slack.admin import failure_screens as failures
from bot.slack.admin import narrowing_screens as narrowing
from bot.slack.admin.counter import ADMINS_ONLY
from bot.slack.admin.screens import UNDO
from bot.slack.taking_again import AGAIN, NOT_FOR_YOU
from retrieval.failing import record_failure
from tests.scenarios.administering.moves import (
    command,
    document,
    give,
    modal,
    press,
    submit,
    take_everything_from_pia,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office

PATIENCE_S = 60
_UNLIKE = text(f"DELETE FROM retrieval.likeness WHERE workspace_id = {WORKSPACE} AND document_id = :id")
_LIKE = text(
    "INSERT INTO retrieval.likeness (workspace_id, version_id, document_id, label_id, bytes_hash, signature, bands)"
    " SELECT l.workspace_id, v.id, v.document_id, v.label_id, '\\x00', l.signature, l.bands"
    " FROM retrieval.likeness l JOIN retrieval.version v ON v.workspace_id = l.workspace_id AND v.document_id = :id"
    f" WHERE l.workspace_id = {WORKSPACE} AND l.document_id = :of"
)


async def test_documents_are_listed_with_how_they_stand(office: Office) -> None:
    view = await command(office, "/docs")
    assert "*Salary bands*\nAnswering · for people · number" in view.plain
    assert "Leave" not in (await command(office, "/docs", "salary")).plain


async def test_somebody_who_is_no_administrator_learns_nothing(office: Office) -> None:
    assert (await typed(office, "/docs", "salary", "enzo")).plain == ADMINS_ONLY
    await command(office, "/docs")
    await take_everything_from_pia(office)
    assert (await press(office, failures.FAILURES)).plain == ADMINS_ONLY


async def test_an_admin_who_may_not_read_a_document_sees_neither_its_title_nor_what_is_like_it(
    office: Office,
) -> None:
    await give(office, "enzo", "ostiary-admin")
    salaries = await document(office, "Salary bands")
    view = await command(office, "/docs", str(salaries), person="enzo")
    assert f"*Document {salaries}*" in view.plain
    assert "1 passage" in view.plain
    assert "text/" not in view.plain
    assert "text/" in (await command(office, "/docs", str(salaries))).plain
    told = await press(office, docs.HISTORY, str(salaries), person="enzo")
    assert "took in document" in told.plain
    assert "Salary" not in view.plain + told.plain
    assert "There is nothing like this" in (await command(office, "/docs", "salary", person="enzo")).plain


async def test_a_document_is_given_its_end_after_a_dry_run_and_undone(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/docs", str(number))
    await press(office, docs.END)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    await submit(office, {"day": yesterday})
    assert "Nothing is changed yet." in modal(office).plain
    assert "@pia loses 1 document." in modal(office).plain
    await submit(office)
    assert f"Let document {number} answer until the end of" in modal(office).plain
    await command(office, "/docs")
    await press(office, narrowing.NARROW)
    await submit(office, {"state": "expired"})
    assert "*Salary bands*\nExpired: it answered until the end of" in modal(office).plain
    await press(office, docs.ONE, str(number))
    await press(office, docs.END)
    await submit(office, {"for_good": ["yes"]})
    await submit(office)
    assert "@pia gains 1 document." in modal(office).plain
    await press(office, UNDO)
    assert "@pia" in modal(office).plain or "It is undone" in modal(office).plain


async def test_neither_a_day_nor_for_good_is_refused_at_the_form(office: Office) -> None:
    await command(office, "/docs", str(await document(office, "Salary bands")))
    await press(office, docs.END)
    ((at, sentence),) = (await submit(office, {})).field_errors.items()
    assert at.startswith("day")
    assert sentence == "Choose a day, or tick: for good."


async def test_a_document_is_given_an_owner_who_is_shown(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/docs", str(number))
    await press(office, docs.WHOSE)
    await submit(office, {"person": "enzo"})
    await submit(office)
    assert f"Made @enzo the owner of document {number}." in modal(office).plain
    assert "It belongs to @enzo." in (await press(office, docs.ONE, str(number))).plain
    assert "made @enzo the owner of Salary bands" in (await press(office, docs.HISTORY)).plain.replace(
        f"document {number} (Salary bands)", "Salary bands"
    )


async def test_readers_and_removal_are_reached_from_a_document(office: Office) -> None:
    number = await document(office, "Salary bands")
    await command(office, "/docs", str(number))
    await press(office, access.REMOVE)
    assert "This cannot be undone." in modal(office).plain
    await submit(office)
    assert f"Removed document {number} for good." in modal(office).plain


async def test_what_is_nearly_the_same_is_said_to_whoever_may_read_both(office: Office) -> None:
    salaries, leave = [await document(office, title) for title in ("Salary bands", "Leave")]
    async with office.database.writing_in(office.workspace_id) as connection:
        await connection.execute(_UNLIKE, {"id": leave})
        await connection.execute(_LIKE, {"id": leave, "of": salaries})
    view = await command(office, "/docs", str(leave))
    assert f"It looks 100 % like Salary bands (document {salaries})." in view.plain
    await give(office, "enzo", "ostiary-admin")
    assert "It looks" not in (await command(office, "/docs", str(leave), person="enzo")).plain


async def test_what_failed_is_told_and_let_go_of(office: Office) -> None:
    async with office.database.writing_in(office.workspace_id) as connection:
        label_id = await intern_label(connection, parse_policy("people"))
        await record_failure(connection, "file:///x.pdf", label_id, "x.pdf is encrypted.", "command line")
    await give(office, "enzo", "ostiary-admin")
    await command(office, "/docs", person="enzo")
    closed = await press(office, failures.FAILURES, person="enzo")
    assert "x.pdf" not in closed.plain
    assert "for people" in closed.plain
    await command(office, "/docs")
    view = await press(office, failures.FAILURES)
    assert "x.pdf is encrypted." in view.plain
    assert "on the command line · for people" in view.plain
    (value,) = values_of(view, failures.DISMISS)
    assert "Nothing failed." in (await press(office, failures.DISMISS, value)).plain


async def test_a_file_is_taken_in_again_for_its_readers(office: Office) -> None:
    await office.visitor.command("pia", "#general", "/ingest")
    file_id = await office.visitor.upload("pia", "deck.md", b"# Parking\n\nGuests park on deck 3.")
    await submit(office, {"files": [file_id], "readers": ["people"]})
    await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=PATIENCE_S)
    await command(office, "/docs", "parking")
    (number,) = values_of(modal(office), docs.ONE)
    await press(office, docs.ONE, number)
    assert AGAIN in (await press(office, docs.AGAIN)).plain
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="unchanged", timeout=PATIENCE_S)
    assert said.plain == "Parking is known already, unchanged, for people."


async def test_an_admin_who_may_not_read_a_document_is_told_of_taking_it_in_again_by_its_number(
    office: Office,
) -> None:
    await office.visitor.command("pia", "#general", "/ingest")
    file_id = await office.visitor.upload("pia", "merger.md", b"# Merger\n\nWe buy Brindle.")
    await submit(office, {"files": [file_id], "readers": ["people"]})
    await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=PATIENCE_S)
    number = await document(office, f"slack-file:{file_id}")
    await give(office, "enzo", "ostiary-admin")
    await command(office, "/docs", str(number), person="enzo")
    await press(office, docs.AGAIN, str(number), person="enzo")
    said = await office.visitor.wait_for_reply("enzo", "@ostiary", containing="unchanged", timeout=PATIENCE_S)
    assert said.plain == f"Document {number} is known already, unchanged, for people."
    with psycopg.connect(office.database.urls.admin) as connection:
        connection.execute("SELECT set_config('ostiary.workspace_id', %s, true)", (str(office.workspace_id),))
        connection.execute(
            "UPDATE retrieval.document SET uri = 'https://brindle.example:1/merger' WHERE id = %s", (number,)
        )
    await command(office, "/docs", str(number), person="enzo")
    await press(office, docs.AGAIN, str(number), person="enzo")
    said = await office.visitor.wait_for_reply("enzo", "@ostiary", containing="not taken", timeout=PATIENCE_S)
    assert said.plain == f"Document {number} was not taken in again. {NOT_FOR_YOU}"
    await command(office, "/docs", person="enzo")
    assert "brindle" not in (await press(office, failures.FAILURES, person="enzo")).plain
    await command(office, "/docs")
    assert "brindle" in (await press(office, failures.FAILURES)).plain
