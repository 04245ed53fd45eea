"""People and the roles they hold at a moment. Pure decisions over values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auth.roles import EVERYONE, GUEST, Inheritance, closure


class PersonKind(StrEnum):
    """How a person stands to the workspace, as Slack tells it."""

    MEMBER = "member"
    GUEST = "guest"
    SINGLE_CHANNEL_GUEST = "single_channel_guest"
    OUTSIDER = "outsider"
    BOT = "bot"


GUESTS = frozenset({PersonKind.GUEST, PersonKind.SINGLE_CHANNEL_GUEST})


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace. `slack_user_id` identifies; `handle` and `name` are for reading only."""

    id: int
    workspace_id: int
    slack_user_id: str
    handle: str
    name: str
    kind: PersonKind
    active: bool
    is_workspace_admin: bool = False
    is_workspace_owner: bool = False


@dataclass(frozen=True)
class Grant:
    """A role given to a person, until `expires_at` if that is set. Times are aware datetimes.

    One by hand names its person. One that comes from a group, a channel or a flag reaches guests only where
    whoever mapped it said so: `guests_too`.
    """

    role: str
    expires_at: datetime | None = None
    guests_too: bool = True

    def in_force(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


def roles_held(
    person: Person, grants: Iterable[Grant], inheritance: Inheritance, now: datetime
) -> frozenset[str]:
    """The roles a person holds now.

    Deactivated people, outsiders and bots hold none, whatever was granted. Guests hold `guest` and what they
    were granted by name, but never `everyone`, not even through inheritance.
    """
    if not person.active or person.kind in {PersonKind.OUTSIDER, PersonKind.BOT}:
        return frozenset()
    is_guest = person.kind in GUESTS
    granted = {g.role for g in grants if g.in_force(now) and (g.guests_too or not is_guest)}
    return roles_from(person.kind, granted, inheritance)


def roles_from(kind: PersonKind, granted: Iterable[str], inheritance: Inheritance) -> frozenset[str]:
    """All roles of an active person of this kind who was granted these."""
    if kind in {PersonKind.OUTSIDER, PersonKind.BOT}:
        return frozenset()
    own, barred = (GUEST, EVERYONE) if kind in GUESTS else (EVERYONE, GUEST)
    return closure({*granted, own}, inheritance, barred)
