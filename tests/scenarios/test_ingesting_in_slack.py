"""Admins add documents from Slack; nobody else does."""

from bot.sandbox.visitor import NewFile
from bot.slack.ingesting import ADMINS_ONLY
from bot.slack.views import CHOOSE_READERS
from tests.scenarios.conftest import Office

PATIENCE_S = 60
CANTEEN = "The canteen opens at 11:45 and closes at 14:00."


async def test_pasted_text_is_found_by_whom_the_admin_chose(office: Office) -> None:
    outcome = await office.visitor.command("pia", "#general", "/ingest", CANTEEN)
    assert outcome.acknowledged
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view(
        "pia", view.id, {"title": "Canteen", "readers": ["everyone"], "rule": "any"}
    )
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=PATIENCE_S)
    assert "Canteen was added for everyone" in said.plain
    await office.visitor.dm("enzo", "When does the canteen open?")
    reply = await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=PATIENCE_S)
    assert "11:45" in reply.plain


async def test_a_file_in_a_direct_message_is_offered_given_readers_and_added(office: Office) -> None:
    await office.visitor.dm("pia", "", files=[NewFile("parking.md", b"# Parking\n\nGuests park on deck 3.")])
    offer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    await office.visitor.click("pia", offer.ts, "@ostiary", CHOOSE_READERS)
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view(
        "pia", view.id, {"title": "Parking", "readers": ["people", "engineering"], "rule": "any"}
    )
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=PATIENCE_S)
    assert "engineering, or people" in said.plain


async def test_a_file_keeps_its_own_title_and_its_button_goes(office: Office) -> None:
    await office.visitor.dm("pia", "", files=[NewFile("deck.md", b"# Parking\n\nGuests park on deck 3.")])
    offer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    await office.visitor.click("pia", offer.ts, "@ostiary", CHOOSE_READERS)
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view("pia", view.id, {"readers": ["people"], "rule": "any"})
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="was added", timeout=PATIENCE_S)
    assert said.plain == "Parking was added for people: 1 passage can be found now."
    (settled,) = [m for m in office.visitor.visible_to("pia", "@ostiary") if m.ts == offer.ts]
    assert settled.plain == "deck.md is being added for people."
    assert all(block["type"] != "actions" for block in settled.blocks)


async def test_somebody_who_is_no_admin_adds_nothing(office: Office) -> None:
    outcome = await office.visitor.command("enzo", "#general", "/ingest", CANTEEN)
    assert outcome.acknowledged
    assert not office.visitor.views_open_for("enzo")
    await office.visitor.dm("enzo", "", files=[NewFile("notes.md", CANTEEN.encode())])
    reply = await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=PATIENCE_S)
    assert reply.plain == ADMINS_ONLY


async def test_an_address_inside_the_network_is_refused_in_a_private_message(office: Office) -> None:
    await office.visitor.command("pia", "#general", "/ingest", "http://127.0.0.1/")
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view(
        "pia", view.id, {"title": "Inside", "readers": ["everyone"], "rule": "any"}
    )
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="not added", timeout=PATIENCE_S)
    assert "127.0.0.1" in said.plain
    assert "passages" not in said.plain


async def test_an_empty_or_unreadable_file_is_refused_by_name(office: Office) -> None:
    await office.visitor.dm("pia", "", files=[NewFile("broken.pdf", b"%PDF-1.7 nothing behind it")])
    offer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    await office.visitor.click("pia", offer.ts, "@ostiary", CHOOSE_READERS)
    (view,) = office.visitor.views_open_for("pia")
    await office.visitor.submit_view(
        "pia", view.id, {"title": "Broken", "readers": ["everyone"], "rule": "any"}
    )
    said = await office.visitor.wait_for_reply("pia", "@ostiary", containing="not added", timeout=PATIENCE_S)
    assert "broken.pdf" in said.plain
