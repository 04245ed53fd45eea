"""Somebody opens the page and asks the real bot, and somebody else looks at the same place."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from bot.assistant import NOTHING_FOUND
from tests.browser import become, needs_browser
from tests.scenarios.conftest import Office
from tests.scenarios.test_asking import BAND, LEAVE

pytestmark = needs_browser
ANSWER_MS = 60_000


async def ask(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer-input").first
    await composer.fill(text)
    await composer.press("Enter")


async def open_direct_message(page: Page) -> Locator:
    await page.get_by_test_id("direct-link").click()
    await expect(page.get_by_test_id("composer-input").first).to_be_visible()
    return page.get_by_test_id("messages")


async def test_each_reads_in_the_page_what_they_may_read(office: Office, page: Page) -> None:
    await page.goto(f"{office.sandbox.url}#pia/general")
    messages = await open_direct_message(page)
    await ask(page, BAND)
    await expect(messages.get_by_text("78,000 to 94,000 euros")).to_be_visible(timeout=ANSWER_MS)
    await expect(messages.get_by_role("button", name="[1] Salary bands")).to_be_visible()
    await expect(messages.get_by_test_id("status-line")).to_have_count(0)

    await become(page, "enzo")
    messages = await open_direct_message(page)
    await ask(page, BAND)
    await expect(messages.get_by_text(NOTHING_FOUND)).to_be_visible(timeout=ANSWER_MS)
    await expect(messages.get_by_text("78,000")).to_have_count(0)


async def test_a_mention_in_the_page_is_answered_in_its_thread(office: Office, page: Page) -> None:
    await page.goto(f"{office.sandbox.url}#enzo/general")
    await ask(page, f"@ostiary {LEAVE}")
    await page.get_by_test_id("thread-open").click()
    thread = page.get_by_test_id("thread-messages")
    await expect(thread.get_by_text("27 days")).to_be_visible(timeout=ANSWER_MS)
    await expect(thread.get_by_test_id("ephemeral-tag")).to_have_count(0)
