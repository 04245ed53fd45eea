"""Who holds what and which readers each label has, before a change and, not yet committed, after it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import LabelIndex, Standing
from auth.directory import people_with
from auth.granting import read_inheritance
from auth.holding import Held, held_at
from auth.roles import ADMIN
from auth.sources import count_as_read
from bot.administering.effects import Effect, Roles, Sides, effect_of, labels_at_stake, weigh
from bot.administering.making import Made, Reach
from bot.administering.wording import listed
from retrieval.cataloguing import documents_under


async def held_before(connection: AsyncConnection, standing: Standing, now: datetime, reach: Reach) -> Held:
    """What those hold whom a change can reach, or whose documents it can open or close."""
    return await held_at(connection, standing.inheritance, now, reach.only_of)


async def held_after(
    connection: AsyncConnection, before: Held, now: datetime, reach: Reach, made: Made
) -> Held:
    """What they hold in this transaction once a change was made.

    Sources that it left unread are looked at as they will be once they are read, with the members that are known.
    """
    if not reach.roles:
        return before
    inheritance = await read_inheritance(connection)
    if not made.unread_sources:
        return await held_at(connection, inheritance, now, reach.only_of)
    async with connection.begin_nested() as trial:
        await count_as_read(connection, made.unread_sources, now)
        foreseen = await held_at(connection, inheritance, now, reach.only_of)
        await trial.rollback()
    return foreseen


async def effect_between(
    connection: AsyncConnection, index: LabelIndex, before: Held, after: Held, made: Made
) -> Effect:
    """Who gains and who loses what; `index` of the labels before. Documents are counted where it matters alone."""
    nothing: Roles = frozenset()
    grouped: dict[tuple[Roles, Roles], list[int]] = defaultdict(list)
    for person_id in {*before, *after}:
        grouped[before.get(person_id, nothing), after.get(person_id, nothing)].append(person_id)
    sides = Sides(index, made.labels, made.moves)
    staying = await _staying(connection, labels_at_stake(grouped, sides), made)
    weights = weigh(grouped, sides, staying)
    people = await people_with(connection, [person_id for pair in weights for person_id in grouped[pair]])
    by_roles = {pair: [people[person_id] for person_id in grouped[pair]] for pair in weights}
    return effect_of(by_roles, weights, (*await _keys(connection, before, after), *made.notes), made.for_good)


async def _staying(connection: AsyncConnection, labels: Collection[int], made: Made) -> dict[int, int]:
    if not labels:
        return {}
    staying = dict(await documents_under(connection, labels))
    for (_, becomes), documents in made.moves.items():
        if becomes in staying:
            staying[becomes] -= documents
    return staying


async def _keys(connection: AsyncConnection, before: Held, after: Held) -> tuple[str, ...]:
    """Who comes to administer, or no longer does: it opens no document, and is the most that can be given."""
    first, second = (
        {person_id for person_id, roles in held.items() if ADMIN in roles} for held in (before, after)
    )
    people = await people_with(connection, first ^ second)

    def named(ids: Collection[int]) -> str:
        return listed(sorted(f"@{people[person_id].handle}" for person_id in ids))

    come = (f"{named(second - first)} can administer Ostiary then.",) if second - first else ()
    gone = (f"{named(first - second)} can no longer administer Ostiary.",) if first - second else ()
    return come + gone
