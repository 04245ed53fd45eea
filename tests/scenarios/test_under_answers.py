"""Thumbs, passages and asking again: whoever presses is authorised at that moment, whatever they see."""

from typing import Any

from sqlalchemy import text

from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.removal import RemoveDocuments
from bot.directory_file import load_directory
from bot.sandbox.seen import SeenMessage, SeenView
from bot.slack.answer_views import ASK_AGAIN, FEEDBACK, NOT_THERE, REASON, SHOW_AROUND, SHOW_PASSAGES, WORDS
from bot.slack.asking import NO_LONGER
from tests.scenarios.conftest import Office, without_roles

BAND = "What do the salary bands say?"
LEAVE = "How many days of leave?"
SECRET = "78,000"
PATIENCE_S = 30


async def asked(office: Office, person: str, channel: str, question: str) -> SeenMessage:
    """Ask, and wait for the answer."""
    asked = await office.visitor.post(person, channel, f"@ostiary {question}")
    return await office.visitor.wait_for_reply(person, channel, asked.ts, timeout=PATIENCE_S)


async def rows(office: Office, statement: str) -> list[tuple[Any, ...]]:
    async with office.database.writing_in(office.workspace_id) as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def opened(office: Office, person: str) -> SeenView:
    await office.visitor.wait_for(lambda: office.visitor.views_open_for(person), PATIENCE_S)
    return office.visitor.views_open_for(person)[-1]


def value_of(answer: SeenMessage, action_id: str) -> str:
    elements = [e for block in answer.blocks for e in block.get("elements", ())]
    return str(next(e["value"] for e in elements if e.get("action_id") == action_id))


async def thumb(office: Office, person: str, answer: SeenMessage, verdict: str) -> None:
    answer_id = value_of(answer, SHOW_PASSAGES)
    await office.visitor.click(person, answer.ts, answer.channel_id, FEEDBACK, f"{verdict}:{answer_id}")


async def test_a_thumb_up_counts_and_the_last_word_of_somebody_is_their_word(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#general", LEAVE)
    await thumb(office, "pia", answer, "good")
    await thumb(office, "enzo", answer, "good")
    await thumb(office, "pia", answer, "bad")
    await opened(office, "pia")
    found = await rows(office, "SELECT slack_user_id, verdict FROM bot.feedback ORDER BY slack_user_id")
    assert found == [("U0ENZO", "good"), ("U0PIA", "bad")]


async def test_a_thumb_down_asks_for_the_reason(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "enzo", "#general", LEAVE)
    await thumb(office, "enzo", answer, "bad")
    form = await opened(office, "enzo")
    await office.visitor.submit_view("enzo", form.id, {REASON: "outdated", WORDS: "It is 28 by now."})
    assert await rows(office, "SELECT verdict, reason FROM bot.feedback") == [("bad", "outdated")]


async def test_whoever_may_not_read_an_answer_any_more_has_no_say_in_it(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#people", BAND)
    assert SECRET in answer.plain
    await load_directory(office.database, without_roles("pia"))
    await thumb(office, "pia", answer, "good")
    assert await rows(office, "SELECT 1 FROM bot.feedback") == []


async def test_the_app_role_cannot_read_what_somebody_wrote_of_an_answer(parrot_office: Office) -> None:
    office = parrot_office
    granted = await rows(office, "SELECT has_column_privilege('bot.feedback', 'words', 'SELECT')")
    assert granted == [(False,)]


async def test_passages_are_shown_as_long_as_they_may_be_read(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#people", BAND)
    await office.visitor.click("pia", answer.ts, "#people", SHOW_PASSAGES)
    shown = await opened(office, "pia")
    assert SECRET in shown.plain
    around = next(
        element
        for block in shown.blocks
        for element in block.get("elements", ())
        if str(element.get("action_id")).startswith(SHOW_AROUND)
    )
    await office.visitor.act_in_view("pia", shown.id, around["action_id"], around["value"])
    await office.visitor.wait_for(lambda: len(office.visitor.views_open_for("pia")) == 2, PATIENCE_S)
    assert SECRET in (await opened(office, "pia")).plain

    await load_directory(office.database, without_roles("pia"))
    await office.visitor.act_in_view("pia", shown.id, around["action_id"], around["value"])
    await office.visitor.wait_for(lambda: len(office.visitor.views_open_for("pia")) == 3, PATIENCE_S)
    assert NOT_THERE in (await opened(office, "pia")).plain
    assert SECRET not in (await opened(office, "pia")).plain


async def test_a_passage_that_is_denied_looks_like_one_that_is_missing(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#people", BAND)
    await load_directory(office.database, without_roles("pia"))
    await office.visitor.click("pia", answer.ts, "#people", SHOW_PASSAGES)
    denied = await opened(office, "pia")
    await office.visitor.close_view("pia", denied.id)
    ((document_id,),) = await rows(office, "SELECT DISTINCT unnest(document_ids) FROM bot.answer")
    removing = RemoveDocuments((document_id,))
    await Administration(office.database, office.workspace_id).carry_out(removing, COMMAND_LINE)
    await office.visitor.click("pia", answer.ts, "#people", SHOW_PASSAGES)
    missing = await opened(office, "pia")
    assert denied.plain == missing.plain
    assert SECRET not in denied.plain


async def test_what_people_said_of_an_answer_goes_with_the_documents_it_was_made_from(
    parrot_office: Office,
) -> None:
    office = parrot_office
    answer = await asked(office, "enzo", "#general", LEAVE)
    await thumb(office, "enzo", answer, "good")
    ((document_id,),) = await rows(office, "SELECT DISTINCT unnest(document_ids) FROM bot.answer")
    removing = RemoveDocuments((document_id,))
    await Administration(office.database, office.workspace_id).carry_out(removing, COMMAND_LINE)
    assert await rows(office, "SELECT 1 FROM bot.feedback") == []


async def test_asking_again_asks_under_the_rights_of_now_and_only_whoever_asked_does(
    parrot_office: Office,
) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#general", LEAVE)
    await office.visitor.click("enzo", answer.ts, "#general", ASK_AGAIN)
    refused = await office.visitor.wait_for_reply(
        "enzo", "#general", answer.thread_ts, containing=NO_LONGER, timeout=PATIENCE_S
    )
    assert refused.ephemeral
    await office.visitor.click("pia", answer.ts, "#general", ASK_AGAIN)
    again = await office.visitor.wait_for_reply(
        "pia", "#general", answer.thread_ts, after=answer.ts, timeout=PATIENCE_S
    )
    assert "27 days" in again.plain
    assert await rows(office, "SELECT count(*) FROM bot.question") == [(2,)]
