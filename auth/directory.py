"""Workspaces and their people in PostgreSQL: reads them as values, writes them, decides nothing.

Every function takes a connection from `Database.writing_in(workspace_id)`, whose workspace it works in.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.people import Person, PersonKind

PERSON_COLUMNS = (
    "id",
    "workspace_id",
    "slack_user_id",
    "handle",
    "name",
    "kind",
    "active",
    "is_workspace_admin",
    "is_workspace_owner",
)
_COLUMNS = ", ".join(PERSON_COLUMNS)
_PEOPLE_BY_SLACK_ID = text(
    f"SELECT {_COLUMNS} FROM auth.person WHERE workspace_id = {WORKSPACE} AND slack_user_id = ANY(:ids)"
)
_PEOPLE_BY_HANDLE = text(
    f"SELECT {_COLUMNS} FROM auth.person"
    f" WHERE workspace_id = {WORKSPACE} AND lower(handle) = lower(:handle)"
    " ORDER BY active DESC, kind = 'outsider', id"
)
_PEOPLE = text(f"SELECT {_COLUMNS} FROM auth.person WHERE workspace_id = {WORKSPACE} ORDER BY name, id")
_PEOPLE_BY_ID = text(
    f"SELECT {_COLUMNS} FROM auth.person WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids)"
)
_HANDLES = text(
    f"SELECT handle FROM auth.person WHERE workspace_id = {WORKSPACE} AND active AND kind <> 'bot'"
    " ORDER BY handle"
)
_UPSERT_PEOPLE = text(
    "INSERT INTO auth.person AS p (workspace_id, slack_user_id, handle, name, kind, active,"
    "  is_workspace_admin, is_workspace_owner, seen_at)"
    f" VALUES ({WORKSPACE}, :slack_user_id, :handle, :name, :kind, :active, :is_workspace_admin,"
    "  :is_workspace_owner, :seen_at)"
    " ON CONFLICT (workspace_id, slack_user_id) DO UPDATE SET handle = excluded.handle, name = excluded.name,"
    "  kind = excluded.kind, active = excluded.active, is_workspace_admin = excluded.is_workspace_admin,"
    "  is_workspace_owner = excluded.is_workspace_owner, seen_at = excluded.seen_at"
    " WHERE p.seen_at <= excluded.seen_at"
)
_DEACTIVATE_OTHERS = text(
    f"UPDATE auth.person SET active = false, seen_at = :seen_at WHERE workspace_id = {WORKSPACE} AND active"
    " AND kind <> 'outsider' AND NOT slack_user_id = ANY(:ids) AND seen_at <= :seen_at"
)
_UPSERT_WORKSPACE = text(
    "INSERT INTO auth.workspace (team_id, name) VALUES (:team_id, :name)"
    " ON CONFLICT (team_id) DO UPDATE SET name = excluded.name RETURNING id"
)
# Those of probes are nobody's: see bot.probe.
_WORKSPACES = text(
    "SELECT id, team_id, name FROM auth.workspace WHERE NOT starts_with(team_id, 'PROBE') ORDER BY id"
)


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
    is_workspace_admin: bool = False
    is_workspace_owner: bool = False


async def register_workspace(connection: AsyncConnection, team_id: str, name: str) -> int:
    """The id of the workspace with this Slack team id, made if it is new."""
    return int((await connection.execute(_UPSERT_WORKSPACE, {"team_id": team_id, "name": name})).scalar_one())


async def list_workspaces(connection: AsyncConnection) -> list[tuple[int, str, str]]:
    """(id, Slack team id, name) of every workspace."""
    return [(row.id, row.team_id, row.name) for row in await connection.execute(_WORKSPACES)]


async def upsert_people(
    connection: AsyncConnection, facts: Iterable[PersonFacts], seen_at: datetime | None = None
) -> None:
    """Store what was said of people at `seen_at` (before Slack was asked; by default now).

    Whoever was seen later keeps what was seen then. What was granted by hand stays as it was.
    """
    at = seen_at or datetime.now(UTC)
    rows = [{**vars(fact), "kind": fact.kind.value, "seen_at": at} for fact in facts]
    if rows:
        await connection.execute(_UPSERT_PEOPLE, rows)


async def deactivate_all_but(
    connection: AsyncConnection, slack_user_ids: Collection[str], seen_at: datetime
) -> None:
    """Whoever is not in the whole list that Slack was asked for at `seen_at` is no longer of the workspace."""
    await connection.execute(_DEACTIVATE_OTHERS, {"ids": list(slack_user_ids), "seen_at": seen_at})


async def find_people(connection: AsyncConnection, slack_user_ids: Collection[str]) -> dict[str, Person]:
    """Those of the given Slack users who are known, by Slack user id."""
    rows = await connection.execute(_PEOPLE_BY_SLACK_ID, {"ids": list(slack_user_ids)})
    return {row.slack_user_id: person_in(row) for row in rows}


async def people_with(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Person]:
    """People by their ids here; those ids that are nobody's are left out."""
    return {row.id: person_in(row) for row in await connection.execute(_PEOPLE_BY_ID, {"ids": list(ids)})}


async def list_people(connection: AsyncConnection) -> list[Person]:
    """Everybody who was ever known here, by name."""
    return [person_in(row) for row in await connection.execute(_PEOPLE)]


async def person_called(connection: AsyncConnection, handle: str) -> Person:
    """The person with this handle; raises UnknownPerson naming those there are."""
    row = (await connection.execute(_PEOPLE_BY_HANDLE, {"handle": handle.removeprefix("@")})).first()
    if row is None:
        known = [r.handle for r in await connection.execute(_HANDLES)]
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        people = f"Known people: {', '.join(known[:12])}{more}."
        hint = people if known else "Nobody is known yet: run `ostiary directory FILE`."
        raise UnknownPerson(f"Nobody here is called {handle!r}. {hint}")
    return person_in(row)


def person_in(row: Row[Any]) -> Person:
    """The person whose columns, those of `PERSON_COLUMNS`, a row begins with."""
    values = dict(zip(PERSON_COLUMNS, row, strict=False))
    return Person(**{**values, "kind": PersonKind(values["kind"])})
