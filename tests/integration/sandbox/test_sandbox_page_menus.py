"""Menus, pickers and confirmation dialogs of the page, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from tests.browser import needs_browser

pytestmark = needs_browser


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    element = {"type": kind, "action_id": name, **more}
    return {"type": "input", "block_id": name, "label": plain(name.title()), "element": element}


MENUS: list[dict[str, Any]] = [
    {
        "type": "section",
        "text": plain("Finance"),
        "accessory": {
            "type": "overflow",
            "action_id": "more",
            "options": [option("rename"), option("delete") | {"description": plain("It cannot be undone")}],
        },
    },
    {
        "type": "actions",
        "block_id": "b",
        "elements": [
            {"type": "static_select", "action_id": "rule", "options": [option("any"), option("all")]},
            {"type": "datepicker", "action_id": "until"},
            {"type": "users_select", "action_id": "person"},
            {
                "type": "button",
                "action_id": "revoke",
                "style": "danger",
                "text": plain("Revoke"),
                "confirm": {
                    "title": plain("Revoke it?"),
                    "text": plain("At once, for all."),
                    "confirm": plain("Revoke"),
                    "deny": plain("Keep"),
                    "style": "danger",
                },
            },
        ],
    },
]
FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "grant",
    "title": plain("Grant a role"),
    "submit": plain("Grant"),
    "blocks": [
        field("person", "users_select"),
        field("rooms", "multi_conversations_select", filter={"include": ["private", "public"]}),
        field("roles", "multi_external_select", min_query_length=1),
        field("until", "datepicker"),
        field("days", "number_input", is_decimal_allowed=False, min_value="1"),
        field("how", "radio_buttons", options=[option("any"), option("all")], initial_option=option("any")),
    ],
}


class Heard:
    """An app that knows three roles, opens its form at a command, and remembers what it is told."""

    def __init__(self, app: AsyncApp) -> None:
        self.actions: list[dict[str, Any]] = []
        self.values: dict[str, Any] = {}
        app.command("/ingest")(self.open)
        app.options("roles")(self.roles)
        app.view("grant")(self.submitted)
        for action_id in ("more", "rule", "until", "person", "revoke"):
            app.action(action_id)(self.acted)

    async def open(self, ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def roles(self, ack: Any, payload: dict[str, Any]) -> None:
        known = ("finance", "staff", "fire-wardens")
        await ack(options=[option(name) for name in known if name.startswith(payload["value"])])

    async def submitted(self, ack: Any, view: dict[str, Any]) -> None:
        await ack()
        self.values = {name: held[name] for name, held in view["state"]["values"].items()}

    async def acted(self, ack: Any, action: dict[str, Any]) -> None:
        await ack()
        self.actions.append(action)


@pytest.fixture
def heard(connected: AsyncApp) -> Heard:
    return Heard(connected)


async def choose(page: Page, action_id: str, query: str, *values: str) -> None:
    picker = page.locator(f'[data-testid=picker][data-action-id="{action_id}"]')
    await picker.locator("summary").click()
    await picker.get_by_role("searchbox").fill(query)
    for value in values:
        await picker.locator(f'[data-testid=choice][data-value="{value}"] input').click()


async def test_a_form_of_pickers_is_filled_in_and_submitted(
    sandbox: SandboxServer, heard: Heard, page: Page
) -> None:
    await page.goto(f"{sandbox.url}#marta/general")
    await expect(page.get_by_test_id("channel-title")).to_have_text("general")
    await sandbox.visitor.command("marta", "general", "/ingest", "x")
    await expect(page.get_by_test_id("modal-title")).to_have_text("Grant a role")
    await choose(page, "person", "priya", "U0PRIYA")
    await choose(page, "rooms", "", "G0BOARD", "C0GENERAL")
    await choose(page, "roles", "fi", "finance", "fire-wardens")
    await page.get_by_label("Until").fill("2026-12-24")
    await page.get_by_label("Days").fill("30")
    await page.get_by_role("radio", name="All").check()
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_be_hidden()

    assert heard.values["person"]["selected_user"] == "U0PRIYA"
    assert heard.values["rooms"]["selected_conversations"] == ["G0BOARD", "C0GENERAL"]
    assert heard.values["roles"]["selected_options"] == [option("finance"), option("fire-wardens")]
    assert heard.values["until"]["selected_date"] == "2026-12-24"
    assert heard.values["days"]["value"] == "30"
    assert heard.values["how"]["selected_option"] == option("all")


async def test_what_was_chosen_stays_while_one_searches_on(
    sandbox: SandboxServer, heard: Heard, page: Page
) -> None:
    await page.goto(f"{sandbox.url}#marta/general")
    await expect(page.get_by_test_id("channel-title")).to_have_text("general")
    await sandbox.visitor.command("marta", "general", "/ingest", "x")
    await choose(page, "roles", "fi", "finance")
    picker = page.locator('[data-testid=picker][data-action-id="roles"]')
    await picker.get_by_role("searchbox").fill("st")
    await picker.locator('[data-testid=choice][data-value="staff"] input').click()
    await expect(picker.locator("summary")).to_have_text("Finance, Staff")


async def test_menus_of_a_message_are_pressed_and_keep_what_was_chosen(
    sandbox: SandboxServer, heard: Heard, client: AsyncWebClient, page: Page
) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=MENUS)
    await page.goto(f"{sandbox.url}#priya/general")
    await page.get_by_test_id("select").select_option("all")
    await expect(page.get_by_test_id("select")).to_have_value("all")
    await page.get_by_test_id("entry").fill("2026-11-30")
    await page.get_by_test_id("entry").blur()
    await sandbox.visitor.wait_for(lambda: len(heard.actions) == 2)
    await choose(page, "person", "marta", "U0MARTA")
    await expect(page.get_by_test_id("picker").locator("summary")).to_have_text("Marta Lind")
    await page.get_by_test_id("overflow").locator("summary").click()
    await page.locator('[data-testid=overflow-option][data-value="delete"]').click()
    await sandbox.visitor.wait_for(lambda: len(heard.actions) == 4)

    rule, until, person, more = heard.actions
    assert rule["selected_option"]["value"] == "all"
    assert until["selected_date"] == "2026-11-30"
    assert person["selected_user"] == "U0MARTA"
    assert more["selected_option"]["value"] == "delete"
    await page.reload()
    await expect(page.get_by_test_id("select")).to_have_value("all")
    await expect(page.get_by_test_id("picker").locator("summary")).to_have_text("Marta Lind")


async def test_a_button_asks_again_and_does_nothing_when_one_thinks_better_of_it(
    sandbox: SandboxServer, heard: Heard, client: AsyncWebClient, page: Page
) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=MENUS)
    await page.goto(f"{sandbox.url}#priya/general")
    revoke = page.locator('[data-testid=block-button][data-action-id="revoke"]')
    await revoke.click()
    await expect(page.get_by_test_id("confirm")).to_contain_text("At once, for all.")
    await page.get_by_test_id("confirm-deny").click()
    await expect(page.get_by_test_id("confirm")).to_have_count(0)
    assert heard.actions == []
    await revoke.click()
    await page.get_by_test_id("confirm-yes").click()
    await sandbox.visitor.wait_for(lambda: heard.actions)


async def test_a_group_direct_message_goes_by_the_people_in_it(
    sandbox: SandboxServer, heard: Heard, page: Page
) -> None:
    channel_id = await sandbox.visitor.open_group_dm("priya", "marta")
    await sandbox.visitor.post("priya", channel_id, "hello, you two")
    await page.goto(f"{sandbox.url}#marta/general")
    await page.get_by_role("button", name="Priya Raman, ostiary").click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("Priya Raman, ostiary")
    await expect(page.get_by_text("hello, you two")).to_be_visible()


async def test_a_shared_channel_says_so(sandbox: SandboxServer, heard: Heard, page: Page) -> None:
    await page.goto(f"{sandbox.url}#marta/general")
    await expect(page.get_by_test_id("channel-title")).to_have_text("general")
    await expect(page.get_by_test_id("shared-badge")).to_have_count(0)
    await sandbox.visitor.share_channel("general")
    await expect(page.get_by_test_id("shared-badge")).to_be_visible()
