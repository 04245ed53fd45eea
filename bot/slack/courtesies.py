"""Small work that nobody waits for: begun beside what is acknowledged, and gone when the bot leaves its desk."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.background import end

log = structlog.get_logger(__name__)


class Courtesies:
    """Whatever fails in one is logged, and nothing more comes of it."""

    def __init__(self) -> None:
        self._at_work: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_kindly(work))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        task.add_done_callback(lambda _: work.close())  # one that is cancelled before its first step

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """At the end of the block what is still at work is cancelled and waited for."""
        try:
            yield
        finally:
            await end(*self._at_work)


async def _kindly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except SlackApiError as error:
        log.warning("a courtesy was refused by Slack", error=str(error))
    except Exception:
        log.exception("a courtesy failed")
