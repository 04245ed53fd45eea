"""A bell that rings whenever something visible changes."""

from __future__ import annotations

import asyncio


class Changes:
    """Counts changes and wakes whoever waits for the next one."""

    def __init__(self) -> None:
        self.version = 0
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        self.version += 1
        for event in self._waiting:
            event.set()

    async def after(self, version: int, seconds: float) -> int:
        """Return the current version once it is past `version`, or after `seconds`."""
        if self.version > version:
            return self.version
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            # asyncio.wait_for of Python 3.11 loses a cancellation that meets the event's being set.
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)
        return self.version
