"""Menus, pickers and confirmation dialogs, in modals and in messages."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import VisitorError


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    element = {"type": kind, "action_id": name, **more}
    return {"type": "input", "block_id": f"{name}_block", "label": plain(name), "element": element}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


GRANT: dict[str, Any] = {
    "type": "modal",
    "callback_id": "grant",
    "title": plain("Grant a role"),
    "submit": plain("Grant"),
    "blocks": [
        field("person", "users_select"),
        field("others", "multi_users_select", max_selected_items=2) | {"optional": True},
        field("room", "conversations_select", filter={"include": ["private", "public"]}),
        field("role", "external_select", min_query_length=2),
        field("until", "datepicker") | {"optional": True},
        field("days", "number_input", is_decimal_allowed=False, min_value="1", max_value="90"),
    ],
}
WHOLE: dict[str, Any] = {
    "person": "marta",
    "room": "#board",
    "role": "finance",
    "until": "2026-12-24",
    "days": "30",
}


@pytest.fixture
async def modal(sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient) -> str:
    """Marta's open modal, of an app that knows three roles."""

    @connected.command("/ingest")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=GRANT)

    @connected.options("role")
    async def roles(ack: Any, payload: dict[str, Any]) -> None:
        known = ("finance", "financial-audit", "staff")
        await ack(options=[option(name) for name in known if name.startswith(payload["value"])])

    await sandbox.visitor.command("marta", "general", "/ingest")
    views = await sandbox.visitor.wait_for(lambda: sandbox.visitor.views_open_for("marta"))
    return views[0].id


async def test_a_menu_is_filled_by_the_app_while_one_types(sandbox: SandboxServer, modal: str) -> None:
    shown = await sandbox.visitor.suggestions("marta", "role", "fin", view_id=modal)
    assert [choice["value"] for choice in shown] == ["finance", "financial-audit"]
    assert await sandbox.visitor.suggestions("marta", "role", "nobody", view_id=modal) == ()


async def test_the_app_is_not_asked_before_enough_letters_are_typed(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    opened = await client.views_open(trigger_id=listener.heard[-1].payload["trigger_id"], view=GRANT)
    assert await sandbox.visitor.suggestions("priya", "role", "f", view_id=opened["view"]["id"]) == ()
    assert not [r for r in listener.heard if r.payload.get("type") == "block_suggestion"]


async def test_an_app_that_does_not_answer_leaves_the_menu_empty_and_says_so(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    opened = await client.views_open(trigger_id=listener.heard[-1].payload["trigger_id"], view=GRANT)
    listener.acknowledges = lambda request: False
    with pytest.raises(VisitorError, match="could not be loaded: operation_timeout"):
        await sandbox.visitor.suggestions("priya", "role", "fin", view_id=opened["view"]["id"])
    asked = listener.heard[-1].payload
    assert (asked["type"], asked["action_id"], asked["block_id"], asked["value"]) == (
        "block_suggestion",
        "role",
        "role_block",
        "fin",
    )
    assert (asked["view"]["id"], asked["user"]["id"]) == (opened["view"]["id"], "U0PRIYA")


async def test_a_modal_of_pickers_is_submitted_in_slacks_words(
    sandbox: SandboxServer, connected: AsyncApp, modal: str
) -> None:
    submitted: list[dict[str, Any]] = []

    @connected.view("grant")
    async def grant(ack: Any, view: dict[str, Any]) -> None:
        submitted.append(view["state"]["values"])
        await ack()

    await sandbox.visitor.suggestions("marta", "role", "fin", view_id=modal)
    outcome = await sandbox.visitor.submit_view("marta", modal, {**WHOLE, "others": ["priya", "U0GUS"]})
    assert outcome.acknowledged
    values = {name: held for block in submitted[0].values() for name, held in block.items()}
    assert values["person"]["selected_user"] == "U0MARTA"
    assert values["others"]["selected_users"] == ["U0PRIYA", "U0GUS"]
    assert values["room"]["selected_conversation"] == "G0BOARD"
    assert values["role"]["selected_option"] == option("finance")
    assert values["until"]["selected_date"] == "2026-12-24"
    assert values["days"]["value"] == "30"


async def test_a_person_chooses_only_from_what_they_can_see(sandbox: SandboxServer, modal: str) -> None:
    await sandbox.visitor.suggestions("marta", "role", "fin", view_id=modal)
    for wrong, reason in (
        ({"room": "@ostiary"}, "does not offer @ostiary"),
        ({"room": "#nowhere"}, "can see no channel"),
        ({"person": "omar"}, "deactivated and cannot be chosen"),
        ({"role": "staff"}, "no option 'staff'"),
        ({"others": ["priya", "gus", "marta"]}, "At most 2"),
    ):
        with pytest.raises(VisitorError, match=reason):
            await sandbox.visitor.submit_view("marta", modal, WHOLE | wrong)


async def test_a_number_out_of_bounds_never_reaches_the_app(sandbox: SandboxServer, modal: str) -> None:
    await sandbox.visitor.suggestions("marta", "role", "fin", view_id=modal)
    for days, complaint in (("0", "at least 1"), ("91", "at most 90"), ("many", "valid number")):
        outcome = await sandbox.visitor.submit_view("marta", modal, WHOLE | {"days": days})
        assert complaint in outcome.field_errors["days_block"]


async def test_menus_in_a_message_are_told_with_what_else_was_chosen_there(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    menus = [
        {"type": "static_select", "action_id": "answer", "options": [option("yes"), option("no")]},
        {"type": "users_select", "action_id": "owner", "initial_user": "U0MARTA"},
        {"type": "datepicker", "action_id": "day"},
        {"type": "overflow", "action_id": "more", "options": [option("edit"), option("delete")]},
    ]
    blocks = [{"type": "actions", "block_id": "b", "elements": menus}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    for action_id, value in (("answer", "no"), ("day", "2026-11-30"), ("more", "delete")):
        assert (await sandbox.visitor.click("priya", posted["ts"], "general", action_id, value)).acknowledged
    first, _, last = (request.payload for request in listener.heard if request.type == "interactive")
    assert first["actions"][0]["selected_option"] == option("no")
    assert first["state"]["values"]["b"]["owner"]["selected_user"] == "U0MARTA"
    assert last["actions"][0]["selected_option"] == option("delete")
    assert last["state"]["values"]["b"]["day"]["selected_date"] == "2026-11-30"
    assert last["state"]["values"]["b"]["answer"]["selected_option"] == option("no")
    await sandbox.visitor.click("marta", posted["ts"], "general", "owner", "gus")
    theirs = listener.heard[-1].payload["state"]["values"]["b"]
    assert (theirs["owner"]["selected_user"], theirs["answer"]["selected_option"]) == ("U0GUS", None)


async def test_an_input_in_a_message_is_told_with_the_button_that_sends_it(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    send = {"type": "button", "action_id": "send", "text": plain("Send")}
    blocks = [field("reason", "plain_text_input"), {"type": "actions", "elements": [send]}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    await sandbox.visitor.click("priya", posted["ts"], "general", "reason", "new in finance")
    assert not [request for request in listener.heard if request.type == "interactive"]
    await sandbox.visitor.click("priya", posted["ts"], "general", "send")
    values = listener.heard[-1].payload["state"]["values"]
    assert values["reason_block"]["reason"]["value"] == "new in finance"


async def test_a_menu_in_a_message_is_filled_by_the_app(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    chosen: list[str] = []

    @connected.options("doc")
    async def documents(ack: Any, body: dict[str, Any]) -> None:
        await ack(option_groups=[{"label": plain("Yours"), "options": [option(body["value"] or "first")]}])

    @connected.action("doc")
    async def choose(ack: Any, action: dict[str, Any]) -> None:
        await ack()
        chosen.append(action["selected_option"]["value"])

    menu = {"type": "external_select", "action_id": "doc", "min_query_length": 0}
    blocks = [{"type": "section", "text": plain("Which?"), "accessory": menu}]
    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="x", blocks=blocks)
    where = {"channel": "general", "message_ts": posted["message_ts"]}
    with pytest.raises(VisitorError, match="no option 'first'"):
        await sandbox.visitor.click("priya", posted["message_ts"], "general", "doc", "first")
    shown = await sandbox.visitor.suggestions("priya", "doc", **where)
    assert [choice["value"] for choice in shown] == ["first"]
    await sandbox.visitor.click("priya", posted["message_ts"], "general", "doc", "first")
    assert chosen == ["first"]
    with pytest.raises(VisitorError, match="Marta Lind sees no message"):
        await sandbox.visitor.suggestions("marta", "doc", **where)


async def test_what_is_not_confirmed_does_not_happen(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    dialog = {
        "title": plain("Revoke?"),
        "text": plain("At once."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    button = {"type": "button", "action_id": "revoke", "text": plain("Revoke"), "confirm": dialog}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    outcome = await sandbox.visitor.click("priya", posted["ts"], "general", "revoke", confirmed=False)
    assert outcome.error == "not_confirmed"
    assert not [request for request in listener.heard if request.type == "interactive"]
    assert (await sandbox.visitor.click("priya", posted["ts"], "general", "revoke")).acknowledged


async def test_an_element_slack_does_not_know_is_refused(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    blocks = [{"type": "actions", "elements": [{"type": "slider", "action_id": "a"}]}]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
