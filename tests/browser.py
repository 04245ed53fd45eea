"""A real browser for tests: a tab that complains, and the choice of a person in the sandbox's page."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.sandbox.server import SandboxServer

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Debian's chromium is not installed; apt-get install chromium brings it."
)
_PATIENCE_MS = 20_000  # a busy machine starts a browser slowly
expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture
async def page(sandbox: SandboxServer) -> AsyncIterator[Page]:
    """A tab that fails the test when it complains or asks any other machine for anything."""
    complaints: list[str] = []
    home = sandbox.url
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        tab.set_default_timeout(_PATIENCE_MS)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        tab.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        tab.on("request", lambda asked: None if asked.url.startswith(home) else complaints.append(asked.url))
        yield tab
        await browser.close()
    assert complaints == []


async def become(page: Page, handle: str) -> None:
    await page.get_by_test_id("person-switcher").click()
    await page.locator(f'[data-testid=person-option][data-handle="{handle}"]').click()
    await expect(page.locator(f'[data-testid=person-switcher][data-handle="{handle}"]')).to_be_visible()
