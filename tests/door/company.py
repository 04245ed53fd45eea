"""Who may read what, worked out a second time: by the plainest rule that could be written, without the code under test."""

from collections.abc import Iterable
from dataclasses import dataclass, field

EVERYONE, GUEST = "everyone", "guest"
GUESTS = {"guest", "single_channel_guest"}

Clause = tuple[frozenset[str], frozenset[str]]
"""All of these roles, none of those."""


@dataclass
class Somebody:
    """A person: `grants` by (role, source), until a time (seconds since the epoch) or for good."""

    kind: str
    active: bool = True
    grants: dict[tuple[str, str], float | None] = field(default_factory=dict)


@dataclass
class Group:
    """A user group: who is in it, and the roles that its members hold (role -> guests too)."""

    members: set[str] = field(default_factory=set)
    roles: dict[str, bool] = field(default_factory=dict)


@dataclass
class Channel:
    kind: str
    """public, private, mpim or shared."""
    members: set[str] = field(default_factory=set)


@dataclass
class Document:
    """`secrets` stand in its text, title and headings, and nowhere else."""

    policy: frozenset[Clause]
    secrets: tuple[str, ...]


@dataclass
class Company:
    inherits: dict[str, set[str]] = field(default_factory=dict)
    people: dict[str, Somebody] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)

    def holds(self, user_id: str, at: float) -> set[str]:
        """The roles somebody holds at a moment."""
        person = self.people.get(user_id)
        if person is None or not person.active or person.kind in {"outsider", "bot"}:
            return set()
        own = GUEST if person.kind in GUESTS else EVERYONE
        held = {own} | {role for (role, _), until in person.grants.items() if until is None or until > at}
        for group in self.groups.values():
            if user_id in group.members:
                held |= {role for role, too in group.roles.items() if too or person.kind not in GUESTS}
        for _ in range(len(self.inherits) + 1):
            held -= {EVERYONE, GUEST} - {own}
            held |= {above for role in held for above in self.inherits.get(role, ())}
        return held - ({EVERYONE, GUEST} - {own})

    def may_read(self, user_id: str, document: Document, at: float) -> bool:
        held = self.holds(user_id, at)
        return any(needed and needed <= held and not barred & held for needed, barred in document.policy)

    def hears(self, channel_id: str) -> set[str]:
        """Everybody who sees what is posted in a channel."""
        channel = self.channels[channel_id]
        if channel.kind != "public":
            return set(channel.members)
        members = {u for u, person in self.people.items() if person.kind == "member" and person.active}
        return channel.members | members

    def closed_to(self, listeners: Iterable[str], said: str, at: float) -> list[tuple[str, int]]:
        """(who, document) for everything in `said` that one of the listeners may not read."""
        told = [
            (number, document)
            for number, document in self.documents.items()
            if any(secret in said for secret in document.secrets)
        ]
        return [
            (user_id, number)
            for user_id in listeners
            for number, document in told
            if not self.may_read(user_id, document, at)
        ]
