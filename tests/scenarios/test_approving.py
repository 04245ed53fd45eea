"""Answers approved in Slack: by whoever owns what they were made from, and nobody else is even asked."""

from bot.directory_file import load_directory
from bot.slack.approving import ASKED, SAID
from tests.scenarios.administering.moves import command
from tests.scenarios.conftest import Office, without_roles
from tests.scenarios.test_under_answers import LEAVE, asked, opened, rows, thumb

DOCUMENTS = "SELECT count(*) FROM retrieval.document WHERE starts_with(uri, 'answer:')"


async def test_who_may_approve_is_asked_when_they_find_an_answer_good(parrot_office: Office) -> None:
    office = parrot_office
    answer = await asked(office, "enzo", "#general", LEAVE)
    await thumb(office, "enzo", answer, "good")
    await thumb(office, "pia", answer, "good")
    form = await opened(office, "pia")
    assert not office.visitor.views_open_for("enzo")
    assert await rows(office, DOCUMENTS) == [(0,)]
    await office.visitor.submit_view(
        "pia", form.id, {ASKED: LEAVE, SAID: "You have 27 days, plus your birthday."}
    )
    told = await office.visitor.wait_for_reply("pia", "#general", answer.thread_ts, containing="Approved")
    assert "for every full member" in told.plain
    assert told.ephemeral
    assert f"*{LEAVE}*\nAnswering" in (await command(office, "/answers")).plain
    again = await asked(office, "enzo", "#general", LEAVE)
    assert "plus your birthday" in again.plain


async def test_who_may_no_longer_approve_is_told_what_they_would_be_told_of_no_answer(
    parrot_office: Office,
) -> None:
    office = parrot_office
    answer = await asked(office, "pia", "#people", "What do the salary bands say?")
    await thumb(office, "pia", answer, "good")
    form = await opened(office, "pia")
    await load_directory(office.database, without_roles("pia"))
    await office.visitor.submit_view("pia", form.id, {ASKED: "What is paid?", SAID: "78,000 euros."})
    await office.visitor.wait_for_reply(
        "pia", "#people", answer.thread_ts, containing="There is no answer to question"
    )
    assert await rows(office, DOCUMENTS) == [(0,)]
