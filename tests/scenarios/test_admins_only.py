"""Adding documents is for admins, checked at every step: no button, modal or job outlives the right to it."""

from typing import Any

import pytest
from sqlalchemy import text

from auth.database import WORKSPACE
from auth.directory import person_called
from auth.granting import grant
from bot.directory_file import load_directory
from bot.sandbox.form import fill_form
from bot.sandbox.interactions import find_element
from bot.sandbox.state_values import action_of
from bot.sandbox.visitor import NewFile
from bot.slack.app import slack_client
from bot.slack.delivery import Outbox
from bot.slack.ingest_requests import Chosen, NewRequest, accept_request, add_request
from bot.slack.ingesting import ADMINS_ONLY, Intake
from bot.slack.views import CHOOSE_READERS
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from tests.scenarios.conftest import Office, without_roles
from tests.scenarios.test_asking import PATIENCE_S

CANTEEN = "The canteen opens at 11:45 and closes at 14:00."
FOR_ALL = {"title": "Canteen", "readers": ["everyone"], "rule": "any"}
_STATES = text(f"SELECT state FROM bot.ingestion_request WHERE workspace_id = {WORKSPACE} ORDER BY id")
_TITLES = text(f"SELECT uri FROM retrieval.document WHERE workspace_id = {WORKSPACE} ORDER BY id")


async def states(office: Office) -> list[str]:
    """Of every request to add a document, oldest first."""
    async with office.database.writing_in(office.workspace_id) as connection:
        return list((await connection.execute(_STATES)).scalars())


async def documents(office: Office) -> list[str]:
    async with office.database.writing_in(office.workspace_id) as connection:
        return list((await connection.execute(_TITLES)).scalars())


async def make_admin(office: Office, handle: str) -> None:
    async with office.database.writing_in(office.workspace_id) as connection:
        person = await person_called(connection, handle)
        await grant(connection, person, "ostiary-admin", granted_by="test")


async def test_a_modal_that_was_open_when_the_right_went_adds_nothing(office: Office) -> None:
    before = await documents(office)
    await office.visitor.command("pia", "#general", "/ingest", CANTEEN)
    (view,) = office.visitor.views_open_for("pia")
    await load_directory(office.database, without_roles("pia"))
    outcome = await office.visitor.submit_view("pia", view.id, FOR_ALL)
    assert outcome.field_errors == {"readers": ADMINS_ONLY}
    assert await states(office) == ["waiting"]
    assert await documents(office) == before


async def test_a_button_that_was_shown_before_the_right_went_opens_nothing(office: Office) -> None:
    await office.visitor.dm("pia", "", files=[NewFile("canteen.md", CANTEEN.encode())])
    offer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    await load_directory(office.database, without_roles("pia"))
    assert (await office.visitor.click("pia", offer.ts, "@ostiary", CHOOSE_READERS)).acknowledged
    assert not office.visitor.views_open_for("pia")


async def test_an_admin_opens_no_request_of_another_by_its_number(office: Office) -> None:
    await make_admin(office, "enzo")
    await office.visitor.dm("pia", "", files=[NewFile("canteen.md", CANTEEN.encode())])
    offer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert (await _click_as(office, "enzo", offer.ts)).acknowledged
    assert not office.visitor.views_open_for("enzo")


async def _click_as(office: Office, handle: str, offer_ts: str) -> Any:
    """The button under Pia's file, pressed by somebody who cannot see it: a forged payload."""
    place = office.visitor.where("pia", "@ostiary")
    message = office.sandbox.sandbox.workspace.message(place.channel_id, offer_ts)
    assert message is not None
    found = find_element(message.blocks, CHOOSE_READERS, None)
    assert found is not None
    person = office.visitor.who(handle)
    return await office.sandbox.sandbox.interactions.act_on_message(person, message, action_of(*found, None))


@pytest.mark.parametrize("forged", ["1", "01", "1e0", "-1", "9" * 30, "", "1; DROP TABLE"])
async def test_a_modal_that_names_a_request_of_another_starts_nothing(office: Office, forged: str) -> None:
    await make_admin(office, "enzo")
    await office.visitor.command("pia", "#general", "/ingest", CANTEEN)
    await office.visitor.command("enzo", "#general", "/ingest", "Enzo's own text, to have a modal to forge.")
    (view,) = office.visitor.views_open_for("enzo")
    office.sandbox.sandbox.views.find(view.id).body["private_metadata"] = forged
    assert (await office.visitor.submit_view("enzo", view.id, FOR_ALL)).acknowledged
    assert await states(office) == ["waiting", "waiting"]


@pytest.mark.parametrize("readers", [["people", "long-gone"], []])
async def test_a_modal_that_names_a_role_that_is_gone_or_none_is_refused(
    office: Office, readers: list[str]
) -> None:
    await office.visitor.command("pia", "#general", "/ingest", CANTEEN)
    (seen,) = office.visitor.views_open_for("pia")
    view = office.sandbox.sandbox.views.find(seen.id)
    fill_form(view, FOR_ALL)
    view.values["readers"] = {"readers": {"selected_options": [{"value": role} for role in readers]}}
    outcome = await office.sandbox.sandbox.interactions.submit_view(office.visitor.who("pia"), view)
    assert list(outcome.field_errors) == ["readers"]
    assert await states(office) == ["waiting"]


async def test_a_job_that_waited_while_the_right_went_adds_nothing(
    office: Office, embeddings: LocalEmbeddings
) -> None:
    before = await documents(office)
    async with office.database.writing_in(office.workspace_id) as connection:
        new = NewRequest("text", "pasted text", "Canteen", "U0PIA", "C0GENERAL", CANTEEN.encode())
        request_id = await add_request(connection, new)
        assert request_id is not None
        assert await accept_request(connection, request_id, Chosen("everyone", "Canteen"))
    await load_directory(office.database, without_roles("pia"))
    client = slack_client(office.sandbox.bot_token, office.sandbox.api_url)
    outbox = Outbox(client)
    async with ParserProcess() as parser:
        ingestor = Ingestor(office.database, embeddings, parser)
        await Intake(office.database, office.workspace_id, ingestor, outbox, 2**20).ingest(request_id)
    said = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert said.plain == ADMINS_ONLY
    assert await states(office) == ["failed"]
    assert await documents(office) == before
