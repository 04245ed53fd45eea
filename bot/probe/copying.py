"""The rules of a workspace, as plain values: its policies, roles, sources and collections, and how people stand.

Read as rows, and not by the functions that decide from them: the probe judges by rules of its own.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database

_ROLES = text(f"SELECT name, description FROM auth.role WHERE workspace_id = {WORKSPACE} ORDER BY name")
_INHERITS = text(f"SELECT role, inherits FROM auth.role_inherits WHERE workspace_id = {WORKSPACE}")
_POLICIES = text(f"SELECT policy FROM auth.access_label WHERE workspace_id = {WORKSPACE} ORDER BY policy")
_SOURCES = text(
    "SELECT s.id, s.kind, s.reference, s.name, s.lives_s, r.role, r.guests_too FROM auth.role_source s"
    " JOIN auth.role_source_role r ON r.workspace_id = s.workspace_id AND r.source_id = s.id"
    f" WHERE s.workspace_id = {WORKSPACE} ORDER BY s.id, r.role"
)
_MEMBERS = text(
    f"SELECT source_id, slack_user_id FROM auth.role_source_member WHERE workspace_id = {WORKSPACE}"
)
_COLLECTIONS = text(
    "SELECT c.name, l.policy, c.owner_role, c.lent_role, c.lent_for_s FROM retrieval.collection c"
    " JOIN auth.access_label l ON l.workspace_id = c.workspace_id AND l.id = c.label_id"
    f" WHERE c.workspace_id = {WORKSPACE} ORDER BY c.id"
)
_PEOPLE = text(
    "SELECT id, slack_user_id, kind, active, is_workspace_admin, is_workspace_owner FROM auth.person"
    f" WHERE workspace_id = {WORKSPACE} ORDER BY id"
)
_GRANTS = text(f'SELECT person_id, role, expires_at FROM auth."grant" WHERE workspace_id = {WORKSPACE}')


@dataclass(frozen=True)
class CopiedSource:
    """A user group, channel or flag, and (role, whether guests hold it too) of each role that it brings."""

    kind: str
    reference: str
    name: str
    lives_s: int
    roles: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class CopiedCollection:
    """A collection's readers, who owns it, and what its owners may lend."""

    name: str
    policy: str
    owner_role: str | None
    lent_role: str | None
    lent_for_s: int


@dataclass(frozen=True)
class Stance:
    """All that decides which roles somebody holds. `sources` are places in `Rules.sources`."""

    kind: str
    active: bool = True
    is_admin: bool = False
    is_owner: bool = False
    grants: frozenset[tuple[str, datetime | None]] = frozenset()
    sources: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rules:
    """What one workspace decides by. `stances`: how many of its people stand so."""

    roles: Mapping[str, str]
    inherits: frozenset[tuple[str, str]]
    policies: tuple[str, ...]
    sources: tuple[CopiedSource, ...]
    collections: tuple[CopiedCollection, ...]
    stances: Mapping[Stance, int]


async def read_rules(database: Database, workspace_id: int) -> Rules:
    """The rules of a workspace as they are now."""
    async with database.deciding_in(workspace_id) as connection:
        sources, places = await _sources(connection)
        return Rules(
            roles={row.name: row.description for row in await connection.execute(_ROLES)},
            inherits=frozenset((r.role, r.inherits) for r in await connection.execute(_INHERITS)),
            policies=tuple(row.policy for row in await connection.execute(_POLICIES)),
            sources=sources,
            collections=tuple(CopiedCollection(**r._mapping) for r in await connection.execute(_COLLECTIONS)),
            stances=await _stances(connection, places),
        )


async def _sources(connection: AsyncConnection) -> tuple[tuple[CopiedSource, ...], dict[int, int]]:
    """The sources, and the place of each by its id."""
    found: dict[int, CopiedSource] = {}
    for row in await connection.execute(_SOURCES):
        before = found[row.id].roles if row.id in found else ()
        roles = (*before, (row.role, row.guests_too))
        found[row.id] = CopiedSource(row.kind, row.reference, row.name, row.lives_s, roles)
    return tuple(found.values()), {source_id: place for place, source_id in enumerate(found)}


async def _stances(connection: AsyncConnection, places: Mapping[int, int]) -> dict[Stance, int]:
    grants: dict[int, set[tuple[str, datetime | None]]] = defaultdict(set)
    for row in await connection.execute(_GRANTS):
        grants[row.person_id].add((row.role, row.expires_at))
    member_of: dict[str, set[int]] = defaultdict(set)
    for row in await connection.execute(_MEMBERS):
        if row.source_id in places:
            member_of[row.slack_user_id].add(places[row.source_id])
    found: dict[Stance, int] = defaultdict(int)
    for row in await connection.execute(_PEOPLE):
        stance = Stance(
            row.kind,
            row.active,
            row.is_workspace_admin,
            row.is_workspace_owner,
            frozenset(grants[row.id]),
            frozenset(member_of[row.slack_user_id]),
        )
        found[stance] += 1
    return dict(found)
