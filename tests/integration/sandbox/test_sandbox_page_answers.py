"""The page while an answer is made, and what one does to messages: stop, edit, delete, react, shortcuts, keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from tests.browser import needs_browser
from tests.integration.sandbox.conftest import QUICK, SEED, Clock
from tests.integration.sandbox.test_sandbox_installing import HARBOUR

pytestmark = needs_browser


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    seed = replace(SEED, shortcuts=(("keep", "Keep this"),))
    async with SandboxServer(seed, others=[HARBOUR], delivery=QUICK, clock=clock) as running:
        yield running


async def at_work(sandbox: SandboxServer, client: AsyncWebClient) -> tuple[str, str]:
    """A question whose answer is being made: its thread, and the answer."""
    asked = await sandbox.visitor.post("priya", "general", "@ostiary how long is leave?")
    await client.agents_sessions_setStatus(channel_id="C0GENERAL", thread_ts=asked.ts, status="processing")
    stream = await client.chat_startStream(
        channel="C0GENERAL",
        thread_ts=asked.ts,
        recipient_team_id="T0LANTERN",
        recipient_user_id="U0PRIYA",
        chunks=[{"type": "task_update", "id": "s", "title": "Searching", "status": "in_progress"}],
    )
    return asked.ts, stream["ts"]


async def test_an_answer_grows_before_ones_eyes_and_its_stop_button_stops_it(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient, page: Page
) -> None:
    stopped: list[dict[str, Any]] = []

    @connected.event("agent_session_stopped")
    async def stop(event: dict[str, Any]) -> None:
        stopped.append(event)

    thread, ts = await at_work(sandbox, client)
    await page.goto(f"{sandbox.url}#priya/general/{thread}")
    shown = page.get_by_test_id("thread-messages")
    await expect(shown.locator('[data-testid=task][data-state="in_progress"]')).to_be_visible()
    for words in ("Employees receive", " **27 days**"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text=words)
        await expect(shown.get_by_text(words.strip(" *"))).to_be_visible()
    await page.get_by_test_id("thread-pane").get_by_test_id("stop").click()
    await sandbox.visitor.wait_for(lambda: stopped)
    assert stopped[0]["streaming_message_ts"] == [ts]
    await client.chat_stopStream(channel="C0GENERAL", ts=ts, session_status="active")
    await expect(page.get_by_test_id("stop")).to_have_count(0)
    await expect(page.locator(".streaming")).to_have_count(0)


async def test_one_edits_and_deletes_ones_own_messages_and_nobody_elses(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await sandbox.visitor.post("marta", "general", "hers")
    await sandbox.visitor.post("priya", "general", "ask @marta & me")
    await page.goto(f"{sandbox.url}#priya/general")
    hers, mine = page.get_by_test_id("message").nth(0), page.get_by_test_id("message").nth(1)
    await hers.hover()
    for tool in ("edit", "delete"):
        await expect(hers.get_by_test_id(tool)).to_have_count(0)

    await mine.hover()
    await mine.get_by_test_id("edit").click()
    field = page.get_by_test_id("edit-input")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("ask @marta & me")
    await sandbox.visitor.post("marta", "general", "meanwhile")  # draws the list anew
    await expect(page.get_by_test_id("message")).to_have_count(3)
    await expect(field).to_be_focused()
    await field.fill("ask @marta alone")
    await field.press("Enter")
    await expect(mine.get_by_test_id("message-text")).to_contain_text("ask @Marta Lind alone")
    await expect(mine.get_by_text("(edited)")).to_be_visible()

    await mine.hover()
    await mine.get_by_test_id("edit").click()
    await field.press("Escape")
    await expect(field).to_have_count(0)
    await mine.hover()
    await mine.get_by_test_id("delete").click()
    await expect(page.get_by_text("alone")).to_have_count(0)


async def test_all_of_it_is_done_without_a_mouse(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await sandbox.visitor.post("marta", "general", "first")
    await sandbox.visitor.post("priya", "general", "second")
    await page.goto(f"{sandbox.url}#priya/general")
    await expect(page.get_by_test_id("message")).to_have_count(2)
    await page.get_by_test_id("messages").focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_test_id("message").nth(1)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_test_id("message").nth(0)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_test_id("message").nth(0).get_by_test_id("react")).to_be_focused()
    await page.keyboard.press("Enter")
    reaction = page.get_by_test_id("reaction")
    await expect(reaction).to_have_text("👍 1")
    await page.keyboard.press("Tab")  # the focus has stayed on the message while it was drawn anew
    await expect(page.get_by_test_id("message").nth(0).get_by_test_id("reply-in-thread")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("thread-pane")).to_be_visible()
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


async def test_shortcuts_are_chosen_on_a_message_and_beside_the_composer(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    chosen: list[str] = []
    for name in ("keep", "ask"):

        @connected.shortcut(name)
        async def choose(ack: Any, shortcut: dict[str, Any]) -> None:
            await ack()
            chosen.append(shortcut["callback_id"])

    await sandbox.visitor.post("priya", "general", "worth keeping")
    await page.goto(f"{sandbox.url}#priya/general")
    message = page.get_by_test_id("message")
    await message.hover()
    await message.get_by_test_id("message-menu").locator("summary").click()
    await message.get_by_test_id("shortcut").click()
    await page.get_by_test_id("global-shortcuts").locator("summary").click()
    await page.get_by_test_id("global-shortcut").click()
    await sandbox.visitor.wait_for(lambda: len(chosen) == 2)
    assert chosen == ["keep", "ask"]


async def test_on_a_narrow_window_the_left_column_waits_behind_a_button(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await page.set_viewport_size({"width": 480, "height": 800})
    await page.goto(f"{sandbox.url}#priya/general")
    link = page.locator('[data-testid=channel-link][data-channel="random"]')
    await expect(page.get_by_test_id("composer-input")).to_be_visible()
    await expect(link).to_be_hidden()
    await page.get_by_test_id("open-sidebar").click()
    await link.click()
    await expect(page.get_by_test_id("channel-title")).to_have_text("random")
    await expect(link).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 480


async def test_several_people_are_looked_at_side_by_side(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient, page: Page
) -> None:
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="for you alone")
    await page.goto(f"{sandbox.url}page/beside.html#priya%2Fgeneral|marta%2Fgeneral")
    await expect(page.get_by_test_id("column")).to_have_count(2)
    priya = page.frame_locator('[data-who="priya"] iframe')
    marta = page.frame_locator('[data-who="marta"] iframe')
    await expect(priya.get_by_text("for you alone")).to_be_visible()
    await expect(marta.get_by_test_id("composer-input")).to_be_visible()
    await expect(marta.get_by_text("for you alone")).to_have_count(0)
    await marta.get_by_test_id("composer-input").fill("hello there")
    await marta.get_by_test_id("composer-input").press("Enter")
    await expect(priya.get_by_text("hello there")).to_be_visible()
    await page.get_by_test_id("add-column").select_option("gus")
    await expect(page.get_by_test_id("column")).to_have_count(3)


async def test_each_workspace_has_its_own_people_and_says_where_the_app_is_missing(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await page.goto(f"{sandbox.url}#priya/general")
    await page.get_by_test_id("team").select_option("T0HARBOUR")
    await expect(page.get_by_test_id("workspace-name")).to_have_text("Harbour & Sons")
    await expect(page.locator('[data-testid=person-switcher][data-handle="nell"]')).to_be_visible()
    await expect(page.get_by_text("is not installed here")).to_be_visible()
