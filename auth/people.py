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


@dataclass(frozen=True)
class Grant:
    """A role given to a person, until `expires_at` if that is set. Times are aware datetimes."""

    role: str
    expires_at: datetime | None = None

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
    granted = {grant.role for grant in grants if grant.in_force(now)}
    own, barred = (GUEST, EVERYONE) if person.kind in GUESTS else (EVERYONE, GUEST)
    return closure(granted | {own}, inheritance, barred)
