"""What every change has in common: it makes itself in a transaction of somebody else, and says what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.errors import OstiaryError
from auth.people import Person
from bot.administering.effects import Moves


class CannotChange(OstiaryError):
    """A change that makes no sense was asked for; the message says why, and what would."""


@dataclass(frozen=True)
class Made:
    """What a change did besides what the directory shows: documents moved, sources to be read, things to say."""

    moves: Moves = field(default_factory=dict)
    unread_sources: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reach:
    """What a change can alter: the roles of everybody, or of one person, and the readers of labels."""

    roles: bool
    labels: bool
    only_of: Person | None = None


class Change(Protocol):
    """Something that an administrator can do."""

    @property
    def reach(self) -> Reach:
        """What can be different afterwards: all else is not looked at again."""

    async def make(self, connection: AsyncConnection, actor: str) -> Made: ...

    def in_words(self) -> str:
        """`gave @ada the role finance`."""


class OfRoles:
    """A change of what anybody may hold."""

    @property
    def reach(self) -> Reach:
        return Reach(roles=True, labels=False)


class OfOnePerson:
    """A change of what one person holds."""

    person: Person

    @property
    def reach(self) -> Reach:
        return Reach(roles=True, labels=False, only_of=self.person)


class OfReaders:
    """A change of who may read something."""

    @property
    def reach(self) -> Reach:
        return Reach(roles=False, labels=True)


def moved_to(label_id: int, moved: Mapping[int, int]) -> Moves:
    """Moves to one label, given how many documents came from which."""
    return {(was, label_id): documents for was, documents in moved.items()}
