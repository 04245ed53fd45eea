"""Withdrawing documents whose time is over, when it is: no search then has to pass them over."""

import asyncio
from datetime import UTC, datetime

import structlog

from auth.database import Database
from retrieval.withdrawing import next_expiry, withdraw_expired

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 60.0
"""At the latest: a document may be given an earlier end while this sleeps, or the database may be away."""
ACTOR = "expiry"


async def sweep(database: Database, workspace_id: int) -> datetime | None:
    """Withdraw what has expired; returns when the next document will."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        if gone := await withdraw_expired(connection):
            log.info("documents have expired", documents=sorted(gone))
        return await next_expiry(connection)


async def keep_sweeping(database: Database, workspace_id: int) -> None:
    """Again and again, and just when something expires."""
    while True:
        wait_s = LOOK_AGAIN_S
        try:
            coming = await sweep(database, workspace_id)
            if coming is not None:
                wait_s = min(max((coming - datetime.now(UTC)).total_seconds(), 0.05), LOOK_AGAIN_S)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("expired documents could not be withdrawn; trying again")
        await asyncio.sleep(wait_s)
