"""People, roles, grants and labels in PostgreSQL: reads them as values, writes them, decides nothing.

Every function takes a connection from `Database.writing_in(workspace_id)`, whose workspace it works in.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance, audience_labels, readable_labels
from auth.errors import OstiaryError
from auth.labels import Policy, parse_policy
from auth.people import Grant, Person, PersonKind, roles_held
from auth.roles import BUILT_IN, Inheritance, refuse_cycles

WORKSPACE = "current_setting('ostiary.workspace_id')::bigint"

_PERSON_COLUMNS = "id, workspace_id, slack_user_id, handle, name, kind, active"
_PEOPLE_BY_SLACK_ID = text(
    f"SELECT {_PERSON_COLUMNS} FROM auth.person"
    f" WHERE workspace_id = {WORKSPACE} AND slack_user_id = ANY(:ids)"
)
_PEOPLE_BY_HANDLE = text(
    f"SELECT {_PERSON_COLUMNS} FROM auth.person"
    f" WHERE workspace_id = {WORKSPACE} AND lower(handle) = lower(:handle) ORDER BY active DESC, id"
)
_FULL_MEMBERS = text(
    f"SELECT {_PERSON_COLUMNS} FROM auth.person"
    f" WHERE workspace_id = {WORKSPACE} AND active AND kind = 'member'"
)
_HANDLES = text(
    f"SELECT handle FROM auth.person WHERE workspace_id = {WORKSPACE} AND active AND kind <> 'bot'"
    " ORDER BY handle"
)
_UPSERT_PERSON = text(
    "INSERT INTO auth.person AS p (workspace_id, slack_user_id, handle, name, kind, active)"
    f" VALUES ({WORKSPACE}, :slack_user_id, :handle, :name, :kind, :active)"
    " ON CONFLICT (workspace_id, slack_user_id) DO UPDATE SET handle = excluded.handle, name = excluded.name,"
    "  kind = excluded.kind, active = excluded.active, seen_at = now()"
    " RETURNING id"
)
_GRANTS = text(
    f'SELECT person_id, role, expires_at FROM auth."grant"'
    f" WHERE workspace_id = {WORKSPACE} AND person_id = ANY(:people)"
)
_GRANT = text(
    'INSERT INTO auth."grant" (workspace_id, person_id, role, source, granted_by, reason, expires_at)'
    f" VALUES ({WORKSPACE}, :person_id, :role, :source, :granted_by, :reason, :expires_at)"
    " ON CONFLICT (workspace_id, person_id, role, source) DO UPDATE"
    " SET granted_by = excluded.granted_by, reason = excluded.reason, expires_at = excluded.expires_at,"
    "  granted_at = now()"
)
_REVOKE = text(
    f'DELETE FROM auth."grant" WHERE workspace_id = {WORKSPACE} AND person_id = :person_id AND role = :role'
)
_REVOKE_SOURCE = text(f'DELETE FROM auth."grant" WHERE workspace_id = {WORKSPACE} AND source = :source')
_ROLES = text(f"SELECT name, description FROM auth.role WHERE workspace_id = {WORKSPACE} ORDER BY name")
_INHERITS = text(f"SELECT role, inherits FROM auth.role_inherits WHERE workspace_id = {WORKSPACE}")
_UPSERT_ROLE = text(
    f"INSERT INTO auth.role (workspace_id, name, description) VALUES ({WORKSPACE}, :name, :description)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET description = excluded.description"
)
_CLEAR_INHERITS = text(f"DELETE FROM auth.role_inherits WHERE workspace_id = {WORKSPACE} AND role = :role")
_INHERIT = text(
    f"INSERT INTO auth.role_inherits (workspace_id, role, inherits) VALUES ({WORKSPACE}, :role, :inherits)"
)
_LABELS = text(f"SELECT id, policy FROM auth.access_label WHERE workspace_id = {WORKSPACE}")
_INTERN_LABEL = text(
    f"INSERT INTO auth.access_label (workspace_id, policy) VALUES ({WORKSPACE}, :policy)"
    " ON CONFLICT (workspace_id, policy) DO UPDATE SET policy = excluded.policy RETURNING id"
)
_VERSION = text(f"SELECT policy_version FROM auth.workspace WHERE id = {WORKSPACE}")
_BUMP_VERSION = text(f"UPDATE auth.workspace SET policy_version = policy_version + 1 WHERE id = {WORKSPACE}")
_UPSERT_WORKSPACE = text(
    "INSERT INTO auth.workspace (team_id, name) VALUES (:team_id, :name)"
    " ON CONFLICT (team_id) DO UPDATE SET name = excluded.name RETURNING id"
)
_WORKSPACES = text("SELECT id, team_id, name FROM auth.workspace ORDER BY id")


class UnknownRole(OstiaryError):
    """A role was named that this workspace does not have; the message lists those it has."""


class UnknownPerson(OstiaryError):
    """A person was named whom this workspace does not have; the message says how they come to be known."""


@dataclass(frozen=True)
class PersonFacts:
    """What Slack says of somebody; becomes a Person once stored."""

    slack_user_id: str
    handle: str
    name: str
    kind: PersonKind
    active: bool = True


@dataclass(frozen=True)
class Standing:
    """What may be decided from at one moment: inheritance, labels, and the version they were read at."""

    workspace_id: int
    inheritance: Inheritance
    labels: Mapping[int, Policy]
    policy_version: int

    def clearance(self, roles: frozenset[str]) -> Clearance:
        return Clearance(self.workspace_id, readable_labels(roles, self.labels), self.policy_version)

    def audience_clearance(self, role_sets: Iterable[frozenset[str]]) -> Clearance:
        return Clearance(self.workspace_id, audience_labels(role_sets, self.labels), self.policy_version)


async def register_workspace(connection: AsyncConnection, team_id: str, name: str) -> int:
    """The id of the workspace with this Slack team id, made if it is new."""
    return int((await connection.execute(_UPSERT_WORKSPACE, {"team_id": team_id, "name": name})).scalar_one())


async def list_workspaces(connection: AsyncConnection) -> list[tuple[int, str, str]]:
    """(id, Slack team id, name) of every workspace."""
    return [(row.id, row.team_id, row.name) for row in await connection.execute(_WORKSPACES)]


async def upsert_people(connection: AsyncConnection, facts: Iterable[PersonFacts]) -> None:
    """Store what Slack says of people. Their roles stay as they were."""
    for fact in facts:
        await connection.execute(
            _UPSERT_PERSON,
            {
                "slack_user_id": fact.slack_user_id,
                "handle": fact.handle,
                "name": fact.name,
                "kind": fact.kind.value,
                "active": fact.active,
            },
        )
    await bump_policy_version(connection)


async def find_people(connection: AsyncConnection, slack_user_ids: Collection[str]) -> dict[str, Person]:
    """Those of the given Slack users who are known, by Slack user id."""
    rows = await connection.execute(_PEOPLE_BY_SLACK_ID, {"ids": list(slack_user_ids)})
    return {row.slack_user_id: _person(row) for row in rows}


async def person_called(connection: AsyncConnection, handle: str) -> Person:
    """The person with this handle; raises UnknownPerson naming those there are."""
    row = (await connection.execute(_PEOPLE_BY_HANDLE, {"handle": handle.removeprefix("@")})).first()
    if row is None:
        known = [r.handle for r in await connection.execute(_HANDLES)]
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        people = f"Known people: {', '.join(known[:12])}{more}."
        hint = people if known else "Nobody is known yet: run `ostiary directory FILE`."
        raise UnknownPerson(f"Nobody here is called {handle!r}. {hint}")
    return _person(row)


async def full_members(connection: AsyncConnection) -> list[Person]:
    """Every active full member of the workspace: the least audience of a public channel."""
    return [_person(row) for row in await connection.execute(_FULL_MEMBERS)]


async def roles_of(
    connection: AsyncConnection, people: Collection[Person], standing: Standing, now: datetime
) -> dict[int, frozenset[str]]:
    """The roles that each person holds at `now`, by person id."""
    granted: dict[int, list[Grant]] = {person.id: [] for person in people}
    for row in await connection.execute(_GRANTS, {"people": list(granted)}):
        granted[row.person_id].append(Grant(row.role, row.expires_at))
    return {person.id: roles_held(person, granted[person.id], standing.inheritance, now) for person in people}


async def read_standing(connection: AsyncConnection, workspace_id: int) -> Standing:
    """Inheritance, labels and policy version as they are now."""
    version = (await connection.execute(_VERSION)).scalar_one()
    inheritance = await _read_inheritance(connection)
    labels = {row.id: parse_policy(row.policy) for row in await connection.execute(_LABELS)}
    return Standing(workspace_id, inheritance, labels, version)


async def list_roles(connection: AsyncConnection) -> dict[str, str]:
    """Every role that can be named in a label, with its description; built-in ones included."""
    return {row.name: row.description for row in await connection.execute(_ROLES)}


async def define_role(
    connection: AsyncConnection, name: str, description: str = "", inherits: Collection[str] = ()
) -> None:
    """Create a role or change it. Raises RoleCycle or UnknownRole and leaves everything as it was."""
    await connection.execute(_UPSERT_ROLE, {"name": name, "description": description})
    await require_roles(connection, inherits)
    await connection.execute(_CLEAR_INHERITS, {"role": name})
    if inherits:
        rows = [{"role": name, "inherits": parent} for parent in inherits]
        await connection.execute(_INHERIT, rows)
    refuse_cycles(await _read_inheritance(connection))
    await bump_policy_version(connection)


async def define_built_in_roles(connection: AsyncConnection) -> None:
    """Make the roles that every workspace has, so that labels can name them."""
    descriptions = {
        "everyone": "Every full member of the workspace",
        "guest": "Every guest of the workspace",
        "ostiary-admin": "May add documents to Ostiary and choose their readers",
    }
    for name in sorted(BUILT_IN):
        await connection.execute(_UPSERT_ROLE, {"name": name, "description": descriptions[name]})


async def require_roles(connection: AsyncConnection, names: Iterable[str]) -> None:
    """Raise UnknownRole unless every name is a role of this workspace."""
    known = await list_roles(connection)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise UnknownRole(
            f"There is no role called {', '.join(unknown)}. Roles here: {', '.join(known) or 'none yet'}."
        )


async def grant(
    connection: AsyncConnection,
    person: Person,
    role: str,
    *,
    granted_by: str,
    reason: str = "",
    expires_at: datetime | None = None,
    source: str = "hand",
) -> None:
    """Give a person a role; given again from the same source, its reason and expiry are replaced."""
    await require_roles(connection, [role])
    values = {"person_id": person.id, "role": role, "granted_by": granted_by, "reason": reason}
    await connection.execute(_GRANT, {**values, "source": source, "expires_at": expires_at})
    await bump_policy_version(connection)


async def revoke(connection: AsyncConnection, person: Person, role: str) -> None:
    """Take a role away; nothing happens if it was not held."""
    await connection.execute(_REVOKE, {"person_id": person.id, "role": role})
    await bump_policy_version(connection)


async def revoke_all_from(connection: AsyncConnection, source: str) -> None:
    """Take away whatever a source granted to anybody, before it says anew what it grants."""
    await connection.execute(_REVOKE_SOURCE, {"source": source})
    await bump_policy_version(connection)


async def intern_label(connection: AsyncConnection, policy: Policy) -> int:
    """The id of the label with this policy. Raises UnknownRole if it names a role that does not exist."""
    await require_roles(connection, policy.roles)
    found = (await connection.execute(_INTERN_LABEL, {"policy": str(policy)})).scalar_one()
    await bump_policy_version(connection)
    return int(found)


async def bump_policy_version(connection: AsyncConnection) -> None:
    """Say that who may read what has changed, so that nothing decided before is used again."""
    await connection.execute(_BUMP_VERSION)


async def _read_inheritance(connection: AsyncConnection) -> Inheritance:
    links: dict[str, frozenset[str]] = {}
    for row in await connection.execute(_INHERITS):
        links[row.role] = links.get(row.role, frozenset()) | {row.inherits}
    return links


def _person(row: Row[Any]) -> Person:
    values = row._mapping
    return Person(**{**values, "kind": PersonKind(values["kind"])})
