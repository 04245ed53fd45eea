"""The ways by which people hold roles, in words: by hand, through a group, because another role brings it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.granting import GrantMade, list_grants, read_inheritance
from auth.holding import Holding, holdings_of
from auth.people import GUESTS, Person, PersonKind, roles_from
from auth.roles import EVERYONE, GUEST, Inheritance
from auth.sources import RoleSource, list_sources
from bot.administering.wording import end_in_words

Ways = Mapping[str, tuple[str, ...]]
"""role -> each way by which it is held."""
_FLAGGED = {
    "member": "as a full member",
    "guest": "as a guest of the workspace",
    "admin": "as a workspace admin",
    "owner": "as a workspace owner",
}
_MADE = {"file": "by the directory file", "loan": "by a loan"}


@dataclass(frozen=True)
class _Known:
    """What the words are made from."""

    grants: Mapping[tuple[int, str, str], str]
    sources: Mapping[str, RoleSource]
    inheritance: Inheritance


async def ways_of(connection: AsyncConnection, people: Collection[Person]) -> Mapping[int, Ways]:
    """For each person, by id, every role that they hold now and each way by which."""
    now = datetime.now(UTC)
    known = await _known(connection, people)
    held: dict[int, list[Holding]] = {person.id: [] for person in people}
    for holding in await holdings_of(connection, people):
        held[holding.person_id].append(holding)
    return {person.id: _ways(person, held[person.id], known, now) for person in people}


async def _known(connection: AsyncConnection, people: Collection[Person]) -> _Known:
    made = await list_grants(connection, people)
    grants = {(grant.person_id, grant.role, grant.source): _granted(grant) for grant in made}
    sources = {f"{s.kind.value}:{s.reference}": s for s in await list_sources(connection)}
    return _Known(grants, sources, await read_inheritance(connection))


def _ways(person: Person, held: Iterable[Holding], known: _Known, now: datetime) -> Ways:
    if not person.active or person.kind in {PersonKind.OUTSIDER, PersonKind.BOT}:
        return {}
    is_guest = person.kind in GUESTS
    ways: dict[str, list[str]] = {}
    for holding in held:
        in_force = holding.expires_at is None or now < holding.expires_at
        if in_force and (holding.guests_too or not is_guest):
            ways.setdefault(holding.role, []).append(_directly(holding, known))
    roles = roles_from(person.kind, list(ways), known.inheritance)
    own = GUEST if is_guest else EVERYONE
    ways.setdefault(own, []).append("as a guest of the workspace" if is_guest else "as a full member")
    for role in sorted(roles):
        bringing = [other for other in sorted(roles) if role in known.inheritance.get(other, ())]
        ways.setdefault(role, []).extend(f"because {other} brings {role}" for other in bringing)
    return {role: tuple(ways[role]) for role in sorted(roles)}


def _directly(holding: Holding, known: _Known) -> str:
    source = known.sources.get(holding.source)
    if source is not None:
        return _FLAGGED.get(source.reference, f"through {source.in_words}")
    return known.grants.get((holding.person_id, holding.role, holding.source), f"by {holding.source}")


def _granted(grant: GrantMade) -> str:
    """`by hand from @odile until the end of 3 March 2026, because: she counts`."""
    by = f"@{grant.by_handle}" if grant.by_handle else f"the {grant.granted_by}"
    how = _MADE.get(grant.source, f"by hand from {by}")
    until = f" until {end_in_words(grant.expires_at)}" if grant.expires_at else ""
    return f"{how}{until}" + (f", because: {grant.reason}" if grant.reason else "")
