"""Probing again and again, as a background task of whoever serves: one probe at a time over all processes."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import structlog

from auth.audit import Sought, search
from auth.database import Database
from bot.probe.probing import PROBED, Means, ProbeRunning, probe
from bot.probe.scene import Limits

log = structlog.get_logger(__name__)

GENTLE = Limits(people=100, asks=600, at_once=2)
"""While the bot answers people beside it."""
NAMED_AT_MOST = 20
_FIRST_AFTER = timedelta(minutes=10)
_LOOK_EVERY_S = 60.0


async def scheduled_probe(
    means: Means,
    workspace_id: int,
    team_id: str,
    *,
    every_h: float,
    limits: Limits = GENTLE,
    only: Collection[str] = (),
    look_every_s: float = _LOOK_EVERY_S,
) -> None:
    """Probe whenever the last probe, by whichever process, is `every_h` hours old; until cancelled.

    A workspace that was never probed is probed ten minutes after the start. Leaks are logged as critical, and
    stand in `metrics.CANARIES_LEAKED` and in the audit log, where the next start looks when it was.
    """
    every, began = timedelta(hours=every_h), datetime.now(UTC)
    while True:
        last = await last_probe(means.database, workspace_id)
        due = last + every if last else began + min(_FIRST_AFTER, every)
        if datetime.now(UTC) >= due:
            await _probe_once(means, workspace_id, team_id, limits, only)
        await asyncio.sleep(look_every_s)


async def last_probe(database: Database, workspace_id: int) -> datetime | None:
    """When this workspace was last probed to the end."""
    async with database.writing_in(workspace_id) as connection:
        found = await search(connection, Sought(kind=PROBED), limit=1)
    return found[0].at if found else None


async def _probe_once(
    means: Means, workspace_id: int, team_id: str, limits: Limits, only: Collection[str]
) -> None:
    """Whatever goes wrong, the schedule goes on: that there was no probe is an alarm too."""
    try:
        found = await probe(means, workspace_id, team_id, limits=limits, only=only)
    except asyncio.CancelledError:
        raise
    except ProbeRunning as error:
        log.info("no probe now", reason=str(error))
        return
    except Exception:
        log.exception("the probe did not come to its end")
        return
    if found.leaked:
        named = [*map(str, found.leaks), *found.unequal][:NAMED_AT_MOST]
        log.critical("canaries got out", tried=found.tried, leaked=found.leaked, leaks=named)
    elif not found.is_conclusive:
        figures = {"asked": found.asked, "failed": found.failed, "reached": found.reached}
        log.error("the probe proves nothing: the bot does not answer it", **figures)
    else:
        log.info("no canary got out", tried=found.tried, seconds=round(found.seconds))
