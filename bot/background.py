"""Work that goes on beside other work, and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

CANCEL_AGAIN_S = 10.0
"""Longer than a worker takes to end its jobs in hand."""


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this while the block runs; at its end it is cancelled and waited for. What it raised is raised."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)
        if not task.cancelled():
            task.result()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these and wait until they have ended, however they end.

    A cancellation can be lost: `asyncio.wait_for` drops it where what it waits for comes at the same moment
    (cpython 86296, mended in Python 3.12), and the connection pool waits by it. A loop would go on for ever
    and whoever waits for its end with it. So those that have not ended are cancelled again.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
