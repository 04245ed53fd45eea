"""What somebody, or everybody in a place, may read right now: the directory read, the decision made.

Call these at the moment of use, each time: a right is checked when it is used, never remembered.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import Database
from auth.directory import find_people, full_members, read_standing, roles_of
from auth.people import Person
from auth.roles import ADMIN, EVERYONE


@dataclass(frozen=True)
class Audience:
    """Who will see what is said in a place.

    `slack_user_ids` are those known to be there, the asker included. `every_member` says that any full member
    may come in and read (a public channel). `complete` is False when somebody there could not be made out:
    then nothing may be said to them at all.
    """

    slack_user_ids: frozenset[str]
    every_member: bool = False
    complete: bool = True


@dataclass(frozen=True)
class Rights:
    """One person's standing at a moment."""

    person: Person
    roles: frozenset[str]
    clearance: Clearance

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles


def nothing(workspace_id: int) -> Clearance:
    """The clearance of somebody who is not known: reads nothing."""
    return Clearance(workspace_id, frozenset(), 0)


async def rights_of(
    database: Database, workspace_id: int, slack_user_id: str, now: datetime | None = None
) -> Rights | None:
    """What a Slack user holds and may read now; None for somebody who is not known."""
    async with database.writing_in(workspace_id) as connection:
        person = (await find_people(connection, [slack_user_id])).get(slack_user_id)
        if person is None:
            return None
        standing = await read_standing(connection, workspace_id)
        roles = (await roles_of(connection, [person], standing, now or datetime.now(UTC)))[person.id]
    return Rights(person, roles, standing.clearance(roles))


async def audience_clearance(
    database: Database, workspace_id: int, audience: Audience, now: datetime | None = None
) -> Clearance:
    """What every single one of an audience may read now. Anybody unknown in it: nothing."""
    async with database.writing_in(workspace_id) as connection:
        known = await find_people(connection, audience.slack_user_ids)
        if not audience.complete or len(known) != len(audience.slack_user_ids):
            return nothing(workspace_id)
        people = _without_doubles([*known.values(), *(await _who_may_come_in(connection, audience))])
        standing = await read_standing(connection, workspace_id)
        role_sets = set((await roles_of(connection, people, standing, now or datetime.now(UTC))).values())
    if audience.every_member:
        role_sets.add(frozenset({EVERYONE}))  # whoever joins the company tomorrow
    return standing.audience_clearance(role_sets)


async def _who_may_come_in(connection: AsyncConnection, audience: Audience) -> Collection[Person]:
    return await full_members(connection) if audience.every_member else ()


def _without_doubles(people: Collection[Person]) -> list[Person]:
    return list({person.id: person for person in people}.values())
