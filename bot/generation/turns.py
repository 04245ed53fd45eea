"""Whose turn it is with a generator that computes elsewhere: so many at once, the rest in the line."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.generation.generator import LineFull, Request, WaitedTooLong
from bot.generation.line import Line


class _Place:
    """One who waits. `turn` is set when it comes, or fails when somebody else needs the place more."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.position: int | None = None

    def stands(self, position: int) -> None:
        if position != self.position:
            self.position = position
            self.request.on_position(position)


class Turns:
    """Lets `together` requests through at a time. For one event loop."""

    def __init__(self, together: int, waiting: int, wait_seconds: float) -> None:
        self._free = together
        self._line: Line[_Place] = Line(waiting)
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def turn_of(self, request: Request) -> AsyncGenerator[None, None]:
        """Wait for a turn, and have it; raises LineFull or WaitedTooLong."""
        place = _Place(request)
        pushed_out = self._line.join(request.asker, place)
        if pushed_out is not None and not pushed_out.turn.done():
            pushed_out.turn.set_exception(LineFull())
        self._let_through()
        try:
            await self._wait(place)
            yield
        finally:
            self._line.leave(request.asker, place)
            if place.position == 0:
                self._free += 1
            self._let_through()

    async def _wait(self, place: _Place) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await place.turn
        except TimeoutError:
            raise WaitedTooLong from None

    def _let_through(self) -> None:
        while self._free and (place := self._line.next()) is not None:
            if not place.turn.done():  # else whoever asked has just gone away
                self._free -= 1
                place.stands(0)
                place.turn.set_result(None)
        for position, place in enumerate(self._line.in_turn(), start=1):
            place.stands(position)
