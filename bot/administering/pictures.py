"""Who holds what and which readers each label has, as one transaction sees it: changes not yet committed included.

Nothing here is remembered between two looks: what `auth.rights` remembers belongs to committed versions.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Labels
from auth.database import WORKSPACE
from auth.directory import PERSON_COLUMNS, as_person
from auth.granting import read_inheritance
from auth.holding import HOLDINGS
from auth.labels import Policy, parse_policy
from auth.people import Person, PersonKind, roles_from
from auth.roles import ADMIN
from bot.administering.effects import Effect, Roles, Sides, effect_of, labels_at_stake, listed, weigh
from bot.administering.making import Made
from retrieval.cataloguing import documents_under

_HELD = text(f"""
    SELECT p.id, p.kind, coalesce(held.roles, '{{}}') AS roles FROM auth.person p LEFT JOIN (
        SELECT h.person_id, array_agg(DISTINCT h.role ORDER BY h.role) AS roles
        FROM ({HOLDINGS}) h JOIN auth.person q ON q.workspace_id = {WORKSPACE} AND q.id = h.person_id
        WHERE (h.expires_at IS NULL OR h.expires_at > :now)
            AND (h.guests_too OR q.kind NOT IN ('guest', 'single_channel_guest'))
            AND (CAST(:only AS bigint) IS NULL OR h.person_id = :only)
        GROUP BY h.person_id
    ) held ON held.person_id = p.id
    WHERE p.workspace_id = {WORKSPACE} AND p.active AND p.kind NOT IN ('outsider', 'bot')
        AND (CAST(:only AS bigint) IS NULL OR p.id = :only)
""")
_LABELS = text(f"SELECT id, policy FROM auth.access_label WHERE workspace_id = {WORKSPACE}")
_PEOPLE = text(
    f"SELECT {PERSON_COLUMNS} FROM auth.person WHERE workspace_id = {WORKSPACE} AND id = ANY(:ids)"
)
_READ_NOW = text(
    f"UPDATE auth.role_source SET read_at = :now WHERE workspace_id = {WORKSPACE} AND id = ANY(:sources)"
)


@dataclass(frozen=True)
class Picture:
    """The roles of everybody who can hold any, by person id, and the policy of every label."""

    roles: Mapping[int, Roles]
    labels: Labels


async def take_picture(connection: AsyncConnection, now: datetime, only_of: Person | None = None) -> Picture:
    """As it stands in this transaction at `now`; of one person's roles alone if one is named."""
    roles = await held_at(connection, now, only_of)
    labels = {row.id: _policy(row.policy) for row in await connection.execute(_LABELS)}
    return Picture(roles, labels)


async def now_held(connection: AsyncConnection) -> Mapping[int, Roles]:
    """The roles that everybody holds now, by person id."""
    return await held_at(connection, datetime.now(UTC))


async def held_at(
    connection: AsyncConnection, now: datetime, only_of: Person | None = None
) -> Mapping[int, Roles]:
    """The roles of everybody who can hold any, by person id."""
    inheritance = await read_inheritance(connection)
    decided: dict[tuple[str, ...], Roles] = {}
    roles: dict[int, Roles] = {}
    values = {"now": now, "only": only_of.id if only_of else None}
    for row in await connection.execute(_HELD, values):
        alike = (row.kind, *row.roles)
        if alike not in decided:
            decided[alike] = roles_from(PersonKind(row.kind), row.roles, inheritance)
        roles[row.id] = decided[alike]
    return roles


async def picture_once_read(
    connection: AsyncConnection, now: datetime, unread_sources: Collection[int], only_of: Person | None
) -> Picture:
    """As it will stand once these sources are read, with the members that are known of them; nothing is kept."""
    if not unread_sources:
        return await take_picture(connection, now, only_of)
    async with connection.begin_nested() as trial:
        await connection.execute(_READ_NOW, {"now": now, "sources": list(unread_sources)})
        foreseen = await take_picture(connection, now, only_of)
        await trial.rollback()
    return foreseen


async def effect_between(connection: AsyncConnection, before: Picture, after: Picture, made: Made) -> Effect:
    """Who gains and who loses what between two pictures; documents are counted where it matters alone."""
    nothing: Roles = frozenset()
    grouped: dict[tuple[Roles, Roles], list[int]] = defaultdict(list)
    for person_id in {*before.roles, *after.roles}:
        pair = (before.roles.get(person_id, nothing), after.roles.get(person_id, nothing))
        grouped[pair].append(person_id)
    sides = Sides(before.labels, after.labels, made.moves)
    staying = await _staying(connection, labels_at_stake(grouped, sides), made)
    weights = weigh(grouped, sides, staying)
    people = await _people(connection, [person_id for pair in weights for person_id in grouped[pair]])
    by_roles = {pair: [people[person_id] for person_id in grouped[pair]] for pair in weights}
    return effect_of(by_roles, weights, (*await _keys(connection, before, after), *made.notes))


async def _staying(connection: AsyncConnection, labels: Collection[int], made: Made) -> dict[int, int]:
    if not labels:
        return {}
    staying = dict(await documents_under(connection, labels))
    for (_, becomes), documents in made.moves.items():
        if becomes in staying:
            staying[becomes] -= documents
    return staying


async def _keys(connection: AsyncConnection, before: Picture, after: Picture) -> tuple[str, ...]:
    """Who comes to administer, or no longer does: it opens no document, and is the most that can be given."""
    first, second = (
        {person_id for person_id, roles in picture.roles.items() if ADMIN in roles}
        for picture in (before, after)
    )
    people = await _people(connection, first ^ second)

    def named(ids: Collection[int]) -> str:
        return listed(sorted(f"@{people[person_id].handle}" for person_id in ids))

    come = (f"{named(second - first)} can administer Ostiary then.",) if second - first else ()
    gone = (f"{named(first - second)} can no longer administer Ostiary.",) if first - second else ()
    return come + gone


async def _people(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Person]:
    return {row.id: as_person(row) for row in await connection.execute(_PEOPLE, {"ids": list(ids)})}


@lru_cache(maxsize=100_000)
def _policy(written: str) -> Policy:
    return parse_policy(written)
