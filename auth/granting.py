"""Roles and grants in PostgreSQL: what roles there are, which bring which, and who was given them by hand.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, whose workspace it works in.
Whatever changes here raises the policy version and writes its own audit event, by triggers of the database.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.labels import is_role_name, parse_policy
from auth.people import Person
from auth.roles import ADMIN, BUILT_IN, Inheritance, closure, refuse_cycles

BY_HAND = "hand"
_GRANT = text(
    'INSERT INTO auth."grant" AS g (workspace_id, person_id, role, source, granted_by, reason, expires_at)'
    f" VALUES ({WORKSPACE}, :person_id, :role, :source, :granted_by, :reason, :expires_at)"
    " ON CONFLICT (workspace_id, person_id, role, source) DO UPDATE"
    " SET granted_by = excluded.granted_by, reason = excluded.reason, expires_at = excluded.expires_at,"
    "  granted_at = now()"
)
_REVOKE = text(
    f'DELETE FROM auth."grant" WHERE workspace_id = {WORKSPACE} AND person_id = :person_id AND role = :role'
)
_GRANTS = text(
    "SELECT g.person_id, p.slack_user_id, g.role, g.source, g.granted_by, by_whom.handle AS by_handle, g.reason,"
    "  g.granted_at, g.expires_at"
    ' FROM auth."grant" g JOIN auth.person p ON p.workspace_id = g.workspace_id AND p.id = g.person_id'
    " LEFT JOIN auth.person by_whom"
    "  ON by_whom.workspace_id = g.workspace_id AND by_whom.slack_user_id = g.granted_by"
    f" WHERE g.workspace_id = {WORKSPACE} AND (CAST(:people AS bigint[]) IS NULL OR g.person_id = ANY(:people))"
    " ORDER BY g.role, p.name, g.source"
)
_REVOKE_SOURCE = text(
    f'DELETE FROM auth."grant" WHERE workspace_id = {WORKSPACE} AND source = :source'
    " AND NOT (person_id::text || ':' || role) = ANY(:kept)"
)
_ROLES = text(f"SELECT name, description FROM auth.role WHERE workspace_id = {WORKSPACE} ORDER BY name")
_INHERITS = text(f"SELECT role, inherits FROM auth.role_inherits WHERE workspace_id = {WORKSPACE}")
_UPSERT_ROLE = text(
    f"INSERT INTO auth.role (workspace_id, name, description) VALUES ({WORKSPACE}, :name, :description)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET description = excluded.description"
)
_DELETE_ROLE = text(f"DELETE FROM auth.role WHERE workspace_id = {WORKSPACE} AND name = :name")
_NAMED_IN = text(
    "SELECT 'is granted to somebody' AS how FROM auth.\"grant\""
    f"  WHERE workspace_id = {WORKSPACE} AND role = :name AND (expires_at IS NULL OR expires_at > now())"
    " UNION SELECT 'brings or is brought by other roles' FROM auth.role_inherits"
    f"  WHERE workspace_id = {WORKSPACE} AND :name IN (role, inherits)"
    " UNION SELECT 'is mapped to a group, a channel or a flag' FROM auth.role_source_role"
    f"  WHERE workspace_id = {WORKSPACE} AND role = :name"
)
_POLICIES = text(f"SELECT policy FROM auth.access_label WHERE workspace_id = {WORKSPACE}")
_UNKNOWN_ROLES = text(
    "SELECT DISTINCT name FROM unnest(CAST(:names AS text[])) AS named (name) WHERE NOT EXISTS ("
    f" SELECT FROM auth.role r WHERE r.workspace_id = {WORKSPACE} AND r.name = named.name) ORDER BY name"
)
_FORGET_EXPIRED = text(
    f'DELETE FROM auth."grant" WHERE workspace_id = {WORKSPACE} AND role = :name AND expires_at <= now()'
)
_CLEAR_INHERITS = text(
    f"DELETE FROM auth.role_inherits WHERE workspace_id = {WORKSPACE} AND role = :role"
    " AND NOT inherits = ANY(:kept)"
)
_INHERIT = text(
    f"INSERT INTO auth.role_inherits (workspace_id, role, inherits) VALUES ({WORKSPACE}, :role, :inherits)"
    " ON CONFLICT DO NOTHING"
)


class UnknownRole(OstiaryError):
    """A role was named that this workspace does not have; the message lists those it has."""


class RoleInUse(OstiaryError):
    """A role cannot be deleted while something names it; the message says what does."""


class UnusableRoleName(OstiaryError):
    """No policy could name a role that is called so; the message says which names can be used."""


@dataclass(frozen=True)
class GrantMade:
    """A grant as it was made: to whom, by whom, why, and until when.

    `source` is hand, file or loan. `by_handle` is None where no person made it.
    """

    person_id: int
    slack_user_id: str
    role: str
    source: str
    granted_by: str
    by_handle: str | None
    reason: str
    granted_at: datetime
    expires_at: datetime | None


async def list_roles(connection: AsyncConnection) -> dict[str, str]:
    """Every role that can be named in a label, with its description; built-in ones included."""
    return {row.name: row.description for row in await connection.execute(_ROLES)}


async def read_inheritance(connection: AsyncConnection) -> Inheritance:
    """Which role brings which."""
    links: dict[str, frozenset[str]] = {}
    for row in await connection.execute(_INHERITS):
        links[row.role] = links.get(row.role, frozenset()) | {row.inherits}
    return links


async def brings_admin(connection: AsyncConnection, roles: Iterable[str]) -> bool:
    """Whether somebody who holds these roles administers Ostiary."""
    return ADMIN in closure(roles, await read_inheritance(connection))


async def define_role(
    connection: AsyncConnection, name: str, description: str = "", inherits: Collection[str] = ()
) -> None:
    """Create a role or change it. Raises UnusableRoleName, RoleCycle or UnknownRole; then nothing may be kept."""
    if not is_role_name(name):
        raise UnusableRoleName(
            f"A role cannot be called {name!r}: no policy could name it. Use small letters, figures, - and _."
        )
    await connection.execute(_UPSERT_ROLE, {"name": name, "description": description})
    await require_roles(connection, inherits)
    await connection.execute(_CLEAR_INHERITS, {"role": name, "kept": list(inherits)})
    if inherits:
        await connection.execute(_INHERIT, [{"role": name, "inherits": parent} for parent in inherits])
    refuse_cycles(await read_inheritance(connection))


async def define_built_in_roles(connection: AsyncConnection) -> None:
    """Make the roles that every workspace has, so that labels can name them."""
    descriptions = {
        "everyone": "Every full member of the workspace",
        "guest": "Every guest of the workspace",
        "ostiary-admin": "May add documents to Ostiary and choose their readers",
    }
    for name in sorted(BUILT_IN):
        await connection.execute(_UPSERT_ROLE, {"name": name, "description": descriptions[name]})


async def delete_role(connection: AsyncConnection, name: str, elsewhere: Sequence[str] = ()) -> None:
    """Delete a role that nothing names any more. Raises UnknownRole, or RoleInUse saying what names it.

    `elsewhere`: how other rooms name it, as in `owns a collection`.
    """
    await require_roles(connection, [name])
    uses = [*(row.how for row in await connection.execute(_NAMED_IN, {"name": name})), *elsewhere]
    policies = [row.policy for row in await connection.execute(_POLICIES)]
    naming = [policy for policy in policies if name in parse_policy(policy).roles]
    uses += [f"is named by the readers {', '.join(sorted(naming)[:3])}"] if naming else []
    if name in BUILT_IN:
        uses = ["is built in"]
    if uses:
        raise RoleInUse(f"The role {name} {', and '.join(uses)}. Change that first, then delete it.")
    await connection.execute(_FORGET_EXPIRED, {"name": name})
    await connection.execute(_DELETE_ROLE, {"name": name})


async def require_roles(connection: AsyncConnection, names: Iterable[str]) -> None:
    """Raise UnknownRole unless every name is a role of this workspace."""
    unknown = [row.name for row in await connection.execute(_UNKNOWN_ROLES, {"names": list(names)})]
    if unknown:
        known = ", ".join(await list_roles(connection)) or "none yet"
        raise UnknownRole(f"There is no role called {', '.join(unknown)}. Roles here: {known}.")


async def grant(
    connection: AsyncConnection,
    person: Person,
    role: str,
    *,
    granted_by: str,
    reason: str = "",
    expires_at: datetime | None = None,
    source: str = BY_HAND,
) -> None:
    """Give a person a role; given again from the same source, its reason and expiry are replaced."""
    await require_roles(connection, [role])
    values = {"person_id": person.id, "role": role, "granted_by": granted_by, "reason": reason}
    await connection.execute(_GRANT, {**values, "source": source, "expires_at": expires_at})


async def revoke(connection: AsyncConnection, person: Person, role: str) -> bool:
    """Take a role away, by whatever hand it was given; False if it was not held that way."""
    return (await connection.execute(_REVOKE, {"person_id": person.id, "role": role})).rowcount > 0


async def list_grants(
    connection: AsyncConnection, people: Collection[Person] | None = None
) -> list[GrantMade]:
    """Every grant by hand, by file or on loan, in force or not; those of `people` alone, if given."""
    values = {"people": None if people is None else [person.id for person in people]}
    return [GrantMade(**row._mapping) for row in await connection.execute(_GRANTS, values)]


async def revoke_all_from(
    connection: AsyncConnection, source: str, but: Collection[tuple[int, str]] = ()
) -> None:
    """Take away whatever a source granted to anybody, except these (person id, role), which it grants again."""
    kept = [f"{person_id}:{role}" for person_id, role in but]
    await connection.execute(_REVOKE_SOURCE, {"source": source, "kept": kept})
