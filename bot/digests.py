"""Digests that are sent to a channel every day or week: where, on what, and when the next one is due.

Takes connections of `Database.writing_in`. What is new is read when it is sent, for whoever hears it then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError

_COLUMNS = "id, channel_id, topic, every, set_up_by, created_at, next_at, told_until"
_OF = f"workspace_id = {WORKSPACE}"
_ADD = text(
    "INSERT INTO bot.digest (workspace_id, channel_id, topic, every, set_up_by, next_at)"
    f" VALUES ({WORKSPACE}, :channel_id, :topic, :every, :set_up_by, :next_at)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_LIST = text(f"SELECT {_COLUMNS} FROM bot.digest WHERE {_OF} ORDER BY id")
_STOP = text(f"DELETE FROM bot.digest WHERE {_OF} AND id = :id RETURNING {_COLUMNS}")
_DUE = text(
    f"SELECT {_COLUMNS} FROM bot.digest WHERE {_OF} AND next_at <= :now ORDER BY id FOR UPDATE SKIP LOCKED"
)
# What the last one did not get out, this one tells as well.
_BEGIN = text(
    "UPDATE bot.digest d SET told_until = greatest(d.told_until, :until), next_at = :next_at,"
    "  question_id = :question_id,"
    "  asked_since = CASE WHEN EXISTS (SELECT FROM bot.question q WHERE q.workspace_id = d.workspace_id"
    "   AND q.id = d.question_id AND q.state <> 'answered') THEN d.asked_since ELSE d.told_until END"
    f" WHERE d.{_OF} AND d.id = :id"
)
_SPAN = text(
    "SELECT topic, asked_since, told_until FROM bot.digest"
    f" WHERE {_OF} AND question_id = :question_id AND asked_since IS NOT NULL"
)
SENT_AT = time(8, 0, tzinfo=UTC)
LONGEST_TOPIC = 80
SETTLED = timedelta(minutes=5)
"""What came in later than that may not be there for all to see yet. The next one tells it."""


class CannotSchedule(OstiaryError):
    """A digest that cannot be set up, or is not there; the message says why."""


class Every(StrEnum):
    """How often a digest is sent; a weekly one on Mondays."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True)
class ScheduledDigest:
    """A digest for a channel; on everything where the topic is empty."""

    id: int
    channel_id: str
    topic: str
    every: Every
    set_up_by: str
    created_at: datetime
    next_at: datetime
    told_until: datetime

    @property
    def asked(self) -> str:
        """What stands above it: `What is new this week: backups`."""
        span = "today" if self.every is Every.DAILY else "this week"
        return f"What is new {span}" + (f": {self.topic}" if self.topic else "")


@dataclass(frozen=True)
class Span:
    """What one sending tells of: what came in between two moments."""

    topic: str
    came: tuple[datetime, datetime]


def next_after(moment: datetime, every: Every) -> datetime:
    """When a digest is due next, at SENT_AT of the next day or the next Monday."""
    day = moment.astimezone(UTC).date()
    days = 1 if every is Every.DAILY else 7 - day.weekday()
    due = datetime.combine(day + timedelta(days=days), SENT_AT)
    today = datetime.combine(day, SENT_AT)
    wanted = every is Every.DAILY or day.weekday() == 0
    return today if wanted and today > moment else due


async def add_digest(
    connection: AsyncConnection, channel_id: str, topic: str, every: Every, set_up_by: str, now: datetime
) -> int:
    """Raises CannotSchedule where the channel has one on this topic already."""
    values = {"channel_id": channel_id, "topic": topic, "every": every.value, "set_up_by": set_up_by}
    added = (await connection.execute(_ADD, {**values, "next_at": next_after(now, every)})).scalar()
    if added is None:
        raise CannotSchedule("That channel has a digest on this already. `/digest list` shows it.")
    return int(added)


async def list_digests(connection: AsyncConnection) -> list[ScheduledDigest]:
    """In the order in which they were set up."""
    return [_digest(row) for row in await connection.execute(_LIST)]


async def stop_digest(connection: AsyncConnection, digest_id: int) -> ScheduledDigest:
    """Send it no more. Raises CannotSchedule."""
    row = (await connection.execute(_STOP, {"id": digest_id})).first()
    if row is None:
        raise CannotSchedule(f"There is no digest {digest_id}. `/digest list` shows those that there are.")
    return _digest(row)


async def due_digests(connection: AsyncConnection, now: datetime) -> list[ScheduledDigest]:
    """Those that are due, held until the transaction ends; what another process holds is its own to send."""
    return [_digest(row) for row in await connection.execute(_DUE, {"now": now})]


async def begin_sending(
    connection: AsyncConnection, digest: ScheduledDigest, question_id: int, now: datetime
) -> None:
    """It is sent as this question; what came in just now, or comes in from now on, is for the next one."""
    values = {"id": digest.id, "question_id": question_id, "until": now - SETTLED}
    await connection.execute(_BEGIN, {**values, "next_at": next_after(now, digest.every)})


async def span_of(connection: AsyncConnection, question_id: int) -> Span | None:
    """What the digest that is sent as this question tells of; None where it was stopped."""
    row = (await connection.execute(_SPAN, {"question_id": question_id})).first()
    return Span(row.topic, (row.asked_since, row.told_until)) if row else None


def _digest(row: object) -> ScheduledDigest:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    return ScheduledDigest(**{**values, "every": Every(values["every"])})
