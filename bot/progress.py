"""How far the job at hand has come, for whoever asks: kept in memory, and written down once a second at most."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

from bot.background import in_background

log = structlog.get_logger(__name__)

EVERY_S = 1.0


@dataclass(frozen=True)
class Stage:
    """What is being done, and how much of it: `done` of `total`, 0 where that is not known."""

    name: str
    done: int = 0
    total: int = 0


Write = Callable[[Stage], Awaitable[None]]
_LATEST: ContextVar["_Latest | None"] = ContextVar("latest", default=None)


class _Latest:
    """The stage that was reported last."""

    stage: Stage | None = None


def report(name: str, done: int = 0, total: int = 0) -> None:
    """Say how far the job that runs here has come. Outside of a job it does nothing."""
    latest = _LATEST.get()
    if latest is not None:
        latest.stage = Stage(name, done, total)


@asynccontextmanager
async def written_down(write: Write, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """What is reported inside is written, the first at once. That it cannot be is no reason to stop the work."""
    latest = _Latest()
    token = _LATEST.set(latest)
    try:
        async with in_background(_write_on(latest, write, every_s)):
            yield
    finally:
        _LATEST.reset(token)


async def _write_on(latest: _Latest, write: Write, every_s: float) -> None:
    written: Stage | None = None
    while True:
        if latest.stage is not None and latest.stage != written:
            written = latest.stage
            try:
                await write(written)
            except Exception:
                log.warning("the progress of a job could not be written", exc_info=True)
        await asyncio.sleep(every_s)
