"""Waiting for what another process, or another task, brings about."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 120.0
_LOOK_S = 0.02


class ProbeStuck(Exception):
    """The bot did not do in time what a probe waits for; the message says what that was."""


async def until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Look again and again until it holds. Raises ProbeStuck."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await holds():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except TimeoutError as error:
        raise ProbeStuck(
            f"The probe waited {PATIENCE_S:g} s in vain for {what}. Does another worker take its jobs, or is the"
            " machine too slow?"
        ) from error
