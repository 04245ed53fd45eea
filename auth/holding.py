"""Which roles people hold, by every way: by hand, through a user group, a channel, or a flag of the workspace.

Every function takes a connection from `Database.writing_in(workspace_id)`, whose workspace it works in.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Standing
from auth.database import WORKSPACE
from auth.directory import PERSON_COLUMNS, person_in
from auth.granting import read_inheritance
from auth.people import Grant, Person, PersonKind, roles_from, roles_held
from auth.roles import Inheritance, closure

# A source that was never read, or not for longer than it lives, grants nothing: its grants expire with it.
_BY_HAND = f"""
    SELECT g.person_id, g.role, g.expires_at, true AS guests_too, g.source FROM auth."grant" g
        WHERE g.workspace_id = {WORKSPACE}
"""
_BY_SOURCE = f"""
    SELECT p.id AS person_id, r.role, s.read_at + make_interval(secs => s.lives_s) AS expires_at, r.guests_too,
        s.kind || ':' || s.reference AS source
        FROM auth.role_source s
        JOIN auth.role_source_role r ON r.workspace_id = s.workspace_id AND r.source_id = s.id
        JOIN auth.role_source_member m ON m.workspace_id = s.workspace_id AND m.source_id = s.id
        JOIN auth.person p ON p.workspace_id = s.workspace_id AND p.slack_user_id = m.slack_user_id
        WHERE s.workspace_id = {WORKSPACE} AND s.read_at IS NOT NULL
    UNION ALL
    SELECT p.id, r.role, s.read_at + make_interval(secs => s.lives_s), r.guests_too, s.kind || ':' || s.reference
        FROM auth.role_source s
        JOIN auth.role_source_role r ON r.workspace_id = s.workspace_id AND r.source_id = s.id
        JOIN auth.person p ON p.workspace_id = s.workspace_id AND CASE s.reference
            WHEN 'admin' THEN p.is_workspace_admin WHEN 'owner' THEN p.is_workspace_owner
            WHEN 'member' THEN p.kind = 'member' WHEN 'guest' THEN p.kind IN ('guest', 'single_channel_guest')
            ELSE false END
        WHERE s.workspace_id = {WORKSPACE} AND s.kind = 'flag' AND s.read_at IS NOT NULL
"""
_HOLDINGS = f"{_BY_HAND} UNION ALL {_BY_SOURCE}"
_OF_PEOPLE = text(f"SELECT * FROM ({_HOLDINGS}) h WHERE h.person_id = ANY(:people)")
_OF_ONE = text(f"""
    SELECT {", ".join(f"p.{column}" for column in PERSON_COLUMNS)}, w.policy_version, w.labels_version,
        h.role, h.expires_at, h.guests_too
    FROM auth.workspace w JOIN auth.person p ON p.workspace_id = w.id AND p.slack_user_id = :slack_user_id
    LEFT JOIN (
        SELECT * FROM ({_HOLDINGS}) a WHERE a.person_id = (
            SELECT id FROM auth.person WHERE workspace_id = {WORKSPACE} AND slack_user_id = :slack_user_id
        )
    ) h ON true
    WHERE w.id = {WORKSPACE}
""")
# People of one kind with the same roles decide alike: a channel of 10,000 comes back as a few rows.
# What is many takes the cheap way: ids come as one text, grants by hand in the order of their key, roles are put
# together as text, whose names have no blanks; an array of each would cost as much again.
_ALIKE = text(f"""
    WITH there AS MATERIALIZED (
        SELECT p.id, p.kind, p.active, true AS named FROM auth.person p WHERE p.workspace_id = {WORKSPACE}
            AND p.slack_user_id = ANY(string_to_array(:ids, E'\\n'))
        UNION ALL
        SELECT p.id, p.kind, p.active, false FROM auth.person p WHERE p.workspace_id = {WORKSPACE}
            AND :every_member AND p.active AND p.kind = 'member'
    ), hand AS (
        SELECT h.person_id, string_agg(h.role, ' ') AS roles, min(h.expires_at) AS until
        FROM (
            SELECT * FROM ({_BY_HAND}) b WHERE b.person_id = ANY(ARRAY(SELECT id FROM there))
                AND (b.expires_at IS NULL OR b.expires_at > :now) ORDER BY b.person_id, b.role
        ) h GROUP BY h.person_id
    ), sourced AS (
        SELECT h.person_id, string_agg(DISTINCT h.role, ' ') AS roles, min(h.expires_at) AS until
        FROM ({_BY_SOURCE}) h JOIN there t ON t.id = h.person_id
        WHERE h.expires_at > :now AND (h.guests_too OR t.kind NOT IN ('guest', 'single_channel_guest'))
        GROUP BY h.person_id
    )
    SELECT t.kind, t.active, concat_ws(' ', hand.roles, sourced.roles) AS roles,
        min(least(hand.until, sourced.until)) AS until, count(*) FILTER (WHERE t.named) AS named
    FROM there t LEFT JOIN hand ON hand.person_id = t.id LEFT JOIN sourced ON sourced.person_id = t.id
    GROUP BY t.kind, t.active, hand.roles, sourced.roles
""")
# Grouped by what they hold: people who hold alike come back as one row.
_OF_ALL = text(f"""
    SELECT p.kind, coalesce(held.roles, '{{}}') AS roles, array_agg(p.id) AS people
    FROM auth.person p LEFT JOIN (
        SELECT h.person_id, array_agg(DISTINCT h.role ORDER BY h.role) AS roles
        FROM ({_HOLDINGS}) h JOIN auth.person q ON q.workspace_id = {WORKSPACE} AND q.id = h.person_id
        WHERE (h.expires_at IS NULL OR h.expires_at > :now)
            AND (h.guests_too OR q.kind NOT IN ('guest', 'single_channel_guest'))
            AND (CAST(:only AS bigint) IS NULL OR h.person_id = :only)
        GROUP BY h.person_id
    ) held ON held.person_id = p.id
    WHERE p.workspace_id = {WORKSPACE} AND p.active AND p.kind NOT IN ('outsider', 'bot')
        AND (CAST(:only AS bigint) IS NULL OR p.id = :only)
    GROUP BY p.kind, held.roles
""")
# What a source grants ends only where Slack is not read any more; its name has a colon in it.
_FOR_GOOD = text(f"""
    SELECT EXISTS (
        SELECT FROM ({_HOLDINGS}) h JOIN auth.person p ON p.workspace_id = {WORKSPACE} AND p.id = h.person_id
        WHERE h.role = ANY(:roles) AND p.active AND p.kind NOT IN ('outsider', 'bot')
            AND (h.guests_too OR p.kind NOT IN ('guest', 'single_channel_guest'))
            AND (h.expires_at IS NULL OR (h.expires_at > :now AND position(':' IN h.source) > 0))
    )
""")

Held = Mapping[int, frozenset[str]]
"""The roles of everybody who can hold any, by person id."""


@dataclass(frozen=True)
class Holding:
    """A role somebody holds by one way: `source` is hand, file, loan, or kind:reference of a role source."""

    person_id: int
    role: str
    source: str
    expires_at: datetime | None
    guests_too: bool


@dataclass(frozen=True)
class Holder:
    """A person with all that they were granted, in force or not, and the versions all of it belongs to."""

    person: Person
    grants: tuple[Grant, ...]
    policy_version: int
    labels_version: int


@dataclass(frozen=True)
class Alike:
    """People who decide alike: their kind, whether they are active, what they were granted, and until when."""

    kind: PersonKind
    active: bool
    granted: frozenset[str]
    until: datetime | None
    named: int
    """How many of those asked about by name are among them."""


async def find_holder(connection: AsyncConnection, slack_user_id: str) -> Holder | None:
    """All that decides what a Slack user may read, but for the labels, in one statement; None if not known."""
    rows = (await connection.execute(_OF_ONE, {"slack_user_id": slack_user_id})).all()
    if not rows:
        return None
    grants = tuple(Grant(row.role, row.expires_at, row.guests_too) for row in rows if row.role is not None)
    return Holder(person_in(rows[0]), grants, rows[0].policy_version, rows[0].labels_version)


async def holdings_of(connection: AsyncConnection, people: Collection[Person]) -> list[Holding]:
    """Every way by which these people hold roles directly, in force or not."""
    rows = await connection.execute(_OF_PEOPLE, {"people": [person.id for person in people]})
    return [Holding(r.person_id, r.role, r.source, r.expires_at, r.guests_too) for r in rows]


async def roles_of(
    connection: AsyncConnection, people: Collection[Person], standing: Standing, now: datetime
) -> Mapping[int, frozenset[str]]:
    """The roles that each person holds at `now`, by person id."""
    granted: dict[int, list[Grant]] = {person.id: [] for person in people}
    for held in await holdings_of(connection, people):
        granted[held.person_id].append(Grant(held.role, held.expires_at, held.guests_too))
    return {person.id: roles_held(person, granted[person.id], standing.inheritance, now) for person in people}


async def held_at(
    connection: AsyncConnection, inheritance: Inheritance, now: datetime, only_of: Person | None = None
) -> Held:
    """The roles of everybody who can hold any at `now`, or of one person."""
    held: dict[int, frozenset[str]] = {}
    values = {"now": now, "only": only_of.id if only_of else None}
    for row in await connection.execute(_OF_ALL, values):
        roles = roles_from(PersonKind(row.kind), row.roles, inheritance)
        held.update(dict.fromkeys(row.people, roles))
    return held


async def is_held_for_good(connection: AsyncConnection, role: str, now: datetime) -> bool:
    """Whether somebody holds a role who will not lose it by the mere passing of time."""
    inheritance = await read_inheritance(connection)
    bringing = [other for other in {role, *inheritance} if role in closure({other}, inheritance)]
    return bool((await connection.execute(_FOR_GOOD, {"roles": bringing, "now": now})).scalar())


async def people_alike(
    connection: AsyncConnection, slack_user_ids: Collection[str], every_member: bool, now: datetime
) -> list[Alike]:
    """Those Slack users, with every full member if asked for, in groups that decide alike at `now`."""
    ids = "\n".join(slack_user_ids)
    if ids.count("\n") >= max(1, len(slack_user_ids)):
        raise ValueError("A Slack user id has no line break in it; one of these does.")
    values = {"ids": ids, "every_member": every_member, "now": now}
    return [
        Alike(PersonKind(row.kind), row.active, frozenset(row.roles.split()), row.until, row.named)
        for row in await connection.execute(_ALIKE, values)
    ]
