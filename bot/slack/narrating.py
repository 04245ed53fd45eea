"""Telling somebody how far a long piece of work is: in one message, changed now and then, with a way to stop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
EVERY_S = 1.5
"""Slack takes about one change a second of a message."""


class CalledOff(Exception):
    """Whoever asked for the work does not want it any more. It was stopped."""


async def narrated(
    work: Coroutine[Any, Any, T],
    words: Callable[[], str],
    show: Callable[[str], Awaitable[None]],
    is_called_off: Callable[[], Awaitable[bool]],
    every_s: float = EVERY_S,
) -> T:
    """The outcome of `work`, of which `words` are shown while it lasts, if it lasts. Raises CalledOff."""
    task = asyncio.create_task(work)
    shown = ""
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=every_s)
            if done:
                return task.result()
            if await is_called_off():
                raise CalledOff
            if (said := words()) != shown:
                await show(said)
                shown = said
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
