"""Slack waits three seconds: what takes longer goes on behind a modal that says so, and what fails is told."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.administering import administration
from bot.slack.admin import counter
from bot.slack.admin import role_screens as roles
from tests.scenarios.administering.moves import command, modal, press, roles_of, submit, typed
from tests.scenarios.conftest import Office


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's patience is over before anything is done."""
    monkeypatch.setattr(counter, "OPENING_S", 0)
    monkeypatch.setattr(counter, "ANSWERING_S", 0)
    monkeypatch.setattr(counter, "SETTLING_S", 0.2)


@pytest.mark.usefixtures("hurried")
async def test_what_takes_long_is_shown_when_it_is_there(office: Office) -> None:
    await command(office, "/roles")
    await office.visitor.wait_for(lambda: "engineering" in modal(office).plain)
    await press(office, roles.GIVE)
    await office.visitor.wait_for(lambda: "To whom?" in str(modal(office).blocks))
    await submit(office, {"person": "enzo", "role": "people"})
    await office.visitor.wait_for(lambda: "Gave @enzo the role people." in modal(office).plain)
    assert "people" in await roles_of(office, "enzo")


@pytest.mark.usefixtures("hurried")
async def test_words_that_take_long_to_find_are_shown_in_a_modal(office: Office) -> None:
    await command(office, "/roles", "who people")
    await office.visitor.wait_for(lambda: "1 person holds people:" in modal(office).plain)


@pytest.mark.usefixtures("hurried")
async def test_whoever_is_no_administrator_gets_their_sentence_then_too(office: Office) -> None:
    await command(office, "/roles", "who people", person="enzo")
    await office.visitor.wait_for(lambda: modal(office, "enzo").plain == counter.ADMINS_ONLY)


async def test_a_database_that_is_away_is_told_and_nobody_gets_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(administration, "rights_of", away)
    assert (await typed(office, "/roles", "who people")).plain == counter.AWAY
    assert (await command(office, "/roles")).plain == counter.AWAY
    assert (await typed(office, "/access", "salary", person="enzo")).plain == counter.AWAY
