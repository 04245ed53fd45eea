"""What every change has in common: it makes itself in a transaction of somebody else, and says what it did."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Labels
from auth.errors import OstiaryError
from auth.people import Person
from bot.administering.effects import Moves


class CannotChange(OstiaryError):
    """A change that makes no sense was asked for; the message says why, and what would."""


@dataclass(frozen=True)
class Made:
    """What a change did, as far as it is not seen by looking at who holds what.

    `moves`: documents between labels; `labels`: those that it made or gave other readers; `unread_sources`: those
    that grant something only once Slack was asked; `notes`: sentences; `for_good`: it cannot be undone.
    """

    moves: Moves = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    unread_sources: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    for_good: bool = False


@dataclass(frozen=True)
class Reach:
    """Whose roles a change can alter: of everybody, of one person, or nobody's."""

    roles: bool = True
    only_of: Person | None = None


class Change(Protocol):
    """Something that an administrator can do."""

    @property
    def reach(self) -> Reach:
        """Who can hold something else afterwards: nobody else is looked at again."""

    async def make(self, connection: AsyncConnection, actor: str) -> Made: ...

    def in_words(self) -> str:
        """`gave @ada the role finance`."""


class OfRoles:
    """A change of what anybody may hold."""

    @property
    def reach(self) -> Reach:
        return Reach()


class OfOnePerson:
    """A change of what one person holds."""

    person: Person

    @property
    def reach(self) -> Reach:
        return Reach(only_of=self.person)


class OfReaders:
    """A change of who may read something."""

    @property
    def reach(self) -> Reach:
        return Reach(roles=False)
