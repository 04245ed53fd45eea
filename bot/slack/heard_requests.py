"""Which signed requests were heard already: a signature is good for minutes, for whoever has seen it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from auth.database import Database

log = structlog.get_logger(__name__)

ACTOR = "slack"
LOST_AFTER = "1 minute"
"""A request that was begun and not ended for so long was lost with its process: it is heard when it comes again."""
FORGOTTEN_AFTER = "15 minutes"
"""A time stamp may be five minutes ahead, and is good for five more."""
_BEGIN = text(
    "INSERT INTO bot.heard_request (workspace_id, signature) VALUES (:workspace_id, :signature)"
    " ON CONFLICT (workspace_id, signature) DO UPDATE SET heard_at = now()"
    "  WHERE NOT heard_request.done AND heard_request.heard_at < now() - CAST(:lost AS interval)"
    " RETURNING true"
)
_STATE = text("SELECT done FROM bot.heard_request WHERE signature = :signature")
_DONE = text("UPDATE bot.heard_request SET done = true WHERE signature = :signature")
_UNDO = text("DELETE FROM bot.heard_request WHERE signature = :signature AND NOT done")
_FORGET = text("DELETE FROM bot.heard_request WHERE heard_at < now() - CAST(:old AS interval)")


@dataclass
class Hearing:
    """One request. `is_new`: it is to be heard now; else `was_heard`, or another process is at it.

    Whoever hears it sets `was_heard` once what it asks for is stored.
    """

    is_new: bool
    was_heard: bool = False


class HeardRequests:
    """The memory of all processes that serve an app. One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hearing(self, workspace_id: int, signature: str) -> AsyncIterator[Hearing]:
        """Where the database is away nothing can be stored either: what is sent again then changes nothing."""
        try:
            hearing = await self._begin(workspace_id, signature)
        except SQLAlchemyError as error:
            log.warning("whether a request was heard before is not known", error=type(error).__name__)
            yield Hearing(is_new=True)
            return
        try:
            yield hearing
        finally:
            if hearing.is_new:
                await self._end(workspace_id, signature, done=hearing.was_heard)

    async def forget_old(self, workspace_id: int) -> None:
        async with self._database.writing_in(workspace_id, ACTOR) as connection:
            await connection.execute(_FORGET, {"old": FORGOTTEN_AFTER})

    async def _begin(self, workspace_id: int, signature: str) -> Hearing:
        async with self._database.writing_in(workspace_id, ACTOR) as connection:
            values = {"workspace_id": workspace_id, "signature": signature, "lost": LOST_AFTER}
            if (await connection.execute(_BEGIN, values)).scalar_one_or_none():
                return Hearing(is_new=True)
            done = (await connection.execute(_STATE, {"signature": signature})).scalar_one_or_none()
            return Hearing(is_new=False, was_heard=bool(done))

    async def _end(self, workspace_id: int, signature: str, *, done: bool) -> None:
        """What was stored stays so: that this cannot be written changes nothing about it."""
        try:
            async with self._database.writing_in(workspace_id, ACTOR) as connection:
                await connection.execute(_DONE if done else _UNDO, {"signature": signature})
        except SQLAlchemyError as error:
            log.warning("that a request was heard could not be written", error=type(error).__name__)
