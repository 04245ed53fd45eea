"""Where roles come from besides a person's hand: Slack user groups, channels, and flags of the workspace.

A source is somewhere whose members hold roles. Its members are what Slack last said; once that is older than the
source lives, it grants nothing. Every function takes a connection from `Database.writing_in(workspace_id, actor)`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.granting import require_roles


class SourceKind(StrEnum):
    """What can be mapped to a role."""

    USER_GROUP = "user_group"
    CHANNEL = "channel"
    FLAG = "flag"


FLAGS = {
    "member": "every full member",
    "guest": "every guest",
    "admin": "every workspace admin",
    "owner": "every workspace owner",
}
"""The flags of a workspace that can be mapped to a role, and who has each."""
LIVES = timedelta(hours=1)
"""How long what Slack said of a source is believed, unless it is mapped with another time."""

_COLUMNS = "s.id, s.kind, s.reference, s.name, s.read_at, s.lives_s, s.lapsed"
_SOURCES = text(
    f"SELECT {_COLUMNS}, r.role, r.guests_too, r.mapped_by FROM auth.role_source s"
    " LEFT JOIN auth.role_source_role r ON r.workspace_id = s.workspace_id AND r.source_id = s.id"
    f" WHERE s.workspace_id = {WORKSPACE} ORDER BY s.kind, s.name, s.id, r.role"
)
_UPSERT = text(
    "INSERT INTO auth.role_source AS s (workspace_id, kind, reference, name, lives_s)"
    f" VALUES ({WORKSPACE}, :kind, :reference, :name, :lives_s)"
    " ON CONFLICT (workspace_id, kind, reference) DO UPDATE SET name = excluded.name, lives_s = excluded.lives_s"
    " RETURNING id"
)
_MAP = text(
    "INSERT INTO auth.role_source_role (workspace_id, source_id, role, guests_too, mapped_by)"
    f" VALUES ({WORKSPACE}, :source_id, :role, :guests_too, :mapped_by)"
    " ON CONFLICT (workspace_id, source_id, role) DO UPDATE SET guests_too = excluded.guests_too,"
    "  mapped_by = excluded.mapped_by, mapped_at = now()"
)
_UNMAP = text(
    f"DELETE FROM auth.role_source_role WHERE workspace_id = {WORKSPACE} AND role = :role"
    " AND source_id = (SELECT id FROM auth.role_source"
    f"  WHERE workspace_id = {WORKSPACE} AND kind = :kind AND reference = :reference)"
)
_DROP_UNMAPPED = text(
    f"DELETE FROM auth.role_source s WHERE s.workspace_id = {WORKSPACE} AND NOT EXISTS (SELECT FROM"
    " auth.role_source_role r WHERE r.workspace_id = s.workspace_id AND r.source_id = s.id)"
)
_NAME = text(f"UPDATE auth.role_source SET name = :name WHERE workspace_id = {WORKSPACE} AND id = :id")
_LEAVE_OTHERS = text(
    f"DELETE FROM auth.role_source_member WHERE workspace_id = {WORKSPACE} AND source_id = :id"
    " AND NOT slack_user_id = ANY(:members)"
)
_JOIN = text(
    "INSERT INTO auth.role_source_member (workspace_id, source_id, slack_user_id)"
    f" SELECT {WORKSPACE}, :id, m FROM unnest(CAST(:members AS text[])) AS m ON CONFLICT DO NOTHING"
)
# One that was read later already is not put back to an older state.
_WAS_READ = text(
    "UPDATE auth.role_source SET read_at = :read_at, lapsed = false"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND (read_at IS NULL OR read_at < :read_at)"
    "  AND (left_at IS NULL OR left_at < :read_at) RETURNING id"
)
_COUNT_AS_READ = text(
    f"UPDATE auth.role_source SET read_at = :now WHERE workspace_id = {WORKSPACE} AND id = ANY(:sources)"
)
# Noted first: a reading that began before somebody left must not bring them back.
_NOTE_LEAVING = text(
    f"UPDATE auth.role_source SET left_at = greatest(left_at, :at) WHERE workspace_id = {WORKSPACE}"
    " AND kind = :kind AND reference = :reference"
)
_LEAVE = text(
    f"DELETE FROM auth.role_source_member WHERE workspace_id = {WORKSPACE} AND slack_user_id = ANY(:members)"
    " AND source_id = (SELECT id FROM auth.role_source"
    f"  WHERE workspace_id = {WORKSPACE} AND kind = :kind AND reference = :reference)"
)
_LAPSE = text(
    f"UPDATE auth.role_source SET lapsed = true WHERE workspace_id = {WORKSPACE} AND NOT lapsed"
    " AND read_at + make_interval(secs => lives_s) <= clock_timestamp() + make_interval(secs => :ahead_s)"
    " RETURNING kind, reference, name"
)
# With a time of its own: a reading that began before it comes too late.
_SHUT = text(
    "UPDATE auth.role_source SET read_at = :at, lapsed = true"
    f" WHERE workspace_id = {WORKSPACE} AND kind = :kind AND reference = :reference RETURNING id"
)


class UnknownSource(OstiaryError):
    """Something was named that no role can come from; the message says what there is."""


@dataclass(frozen=True)
class RoleSource:
    """A place whose members hold `roles`: (role, whether guests hold it too)."""

    id: int
    kind: SourceKind
    reference: str
    name: str
    """Empty for a private channel: what it is called is for those who are in it."""
    read_at: datetime | None
    lives: timedelta
    roles: tuple[tuple[str, bool], ...]

    def is_fresh(self, now: datetime) -> bool:
        return self.read_at is not None and now < self.read_at + self.lives

    @property
    def in_words(self) -> str:
        return source_in_words(self.kind, self.reference, self.name)


def source_in_words(kind: SourceKind, reference: str, name: str) -> str:
    """`the user group @finance`, `the channel #board`, `the private channel C0123`, `every workspace admin`."""
    if kind is SourceKind.FLAG:
        return FLAGS.get(reference, reference)
    if not name:
        return f"the private channel {reference}"
    return f"the {'user group @' if kind is SourceKind.USER_GROUP else 'channel #'}{name}"


def require_flag(flag: str) -> None:
    """Raise UnknownSource unless this is a flag of workspaces."""
    if flag not in FLAGS:
        raise UnknownSource(f"There is no flag {flag!r}. Flags: {', '.join(FLAGS)}.")


async def list_sources(connection: AsyncConnection) -> list[RoleSource]:
    """Every source that some role is mapped to."""
    found: dict[int, RoleSource] = {}
    for row in await connection.execute(_SOURCES):
        known = found.get(row.id) or _source(row)
        roles = known.roles + (((row.role, row.guests_too),) if row.role else ())
        found[row.id] = RoleSource(**{**vars(known), "roles": roles})
    return list(found.values())


async def map_source(
    connection: AsyncConnection,
    kind: SourceKind,
    reference: str,
    name: str,
    role: str,
    *,
    mapped_by: str,
    guests_too: bool = False,
    lives: timedelta = LIVES,
) -> int:
    """From now on members of this source hold `role`, once it is read. Returns its id; raises UnknownRole."""
    await require_roles(connection, [role])
    if kind is SourceKind.FLAG:
        require_flag(reference)
    values = {"kind": kind.value, "reference": reference, "name": name, "lives_s": int(lives.total_seconds())}
    source_id = int((await connection.execute(_UPSERT, values)).scalar_one())
    guests_too = guests_too or (kind, reference) == (SourceKind.FLAG, "guest")
    mapping = {"source_id": source_id, "role": role, "guests_too": guests_too, "mapped_by": mapped_by}
    await connection.execute(_MAP, mapping)
    return source_id


async def unmap_source(connection: AsyncConnection, kind: SourceKind, reference: str, role: str) -> bool:
    """Members of this source no longer hold `role` through it; False if they did not."""
    values = {"kind": kind.value, "reference": reference, "role": role}
    unmapped = (await connection.execute(_UNMAP, values)).rowcount > 0
    await connection.execute(_DROP_UNMAPPED)
    return unmapped


async def name_source(connection: AsyncConnection, source_id: int, name: str) -> None:
    """A channel is called something else by now. An empty name is that of a private channel."""
    await connection.execute(_NAME, {"id": source_id, "name": name})


async def source_was_read(
    connection: AsyncConnection, source_id: int, members: Collection[str], read_at: datetime
) -> None:
    """Take over who is in a source, as Slack said at `read_at` (before the reading began).

    One that grew too old, or is about to, is marked so first: that it grants again must be another policy version.
    """
    await connection.execute(_LAPSE, {"ahead_s": 60.0})
    if (await connection.execute(_WAS_READ, {"id": source_id, "read_at": read_at})).scalar() is None:
        return
    values = {"id": source_id, "members": sorted(set(members))}
    await connection.execute(_LEAVE_OTHERS, values)
    await connection.execute(_JOIN, values)


async def count_as_read(connection: AsyncConnection, source_ids: Collection[int], now: datetime) -> None:
    """As if Slack had just named the members that are known: to look ahead, in a transaction that is taken back."""
    await connection.execute(_COUNT_AS_READ, {"now": now, "sources": list(source_ids)})


async def leave_source(
    connection: AsyncConnection, kind: SourceKind, reference: str, members: Collection[str], at: datetime
) -> None:
    """Somebody left a source: at once, without waiting until it is read again."""
    source = {"kind": kind.value, "reference": reference}
    if members:
        await connection.execute(_NOTE_LEAVING, {**source, "at": at})
        await connection.execute(_LEAVE, {**source, "members": list(members)})


async def shut_source(connection: AsyncConnection, kind: SourceKind, reference: str, at: datetime) -> None:
    """A user group or channel is gone, or not what it was: nobody is in it until it is read later than `at`."""
    assert kind is not SourceKind.FLAG, "people's own columns say who has a flag"
    values = {"kind": kind.value, "reference": reference, "at": at}
    source_id = (await connection.execute(_SHUT, values)).scalar()
    if source_id is not None:
        await connection.execute(_LEAVE_OTHERS, {"id": source_id, "members": []})


async def mark_lapsed(connection: AsyncConnection) -> list[str]:
    """Note in the record which sources became too old; returns what they are. They grant nothing already."""
    lapsed = await connection.execute(_LAPSE, {"ahead_s": 0.0})
    return [source_in_words(SourceKind(row.kind), row.reference, row.name) for row in lapsed]


def _source(row: Row[Any]) -> RoleSource:
    lives = timedelta(seconds=row.lives_s)
    return RoleSource(row.id, SourceKind(row.kind), row.reference, row.name, row.read_at, lives, ())
