"""Changes of roles: who holds which, which there are, and which groups, channels and flags grant them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.granting import brings_admin, define_role, delete_role, grant, revoke
from auth.labelling import read_labels
from auth.people import Person, PersonKind
from auth.roles import ADMIN, EVERYONE, GUEST
from auth.sources import SourceKind, list_sources, map_source, source_in_words, source_was_read, unmap_source
from bot.administering.making import CannotChange, Made, OfOnePerson, OfRoles
from bot.administering.ways import ways_of
from bot.administering.wording import capitalised, end_in_words, listed
from retrieval.cataloguing import forget_unused_labels, uses_of_role


@dataclass(frozen=True)
class GrantRole(OfOnePerson):
    """Give a person a role by hand; given again, its reason and its end are replaced."""

    person: Person
    role: str
    reason: str = ""
    expires_at: datetime | None = None

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        _refuse_standing_roles(self.role)
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            ended = end_in_words(self.expires_at)
            raise CannotChange(f"It would have ended already, at {ended}. Choose a later end, or none.")
        await grant(
            connection,
            self.person,
            self.role,
            granted_by=actor,
            reason=self.reason,
            expires_at=self.expires_at,
        )
        return Made(notes=_holds_nothing(self.person))

    def in_words(self) -> str:
        until = f" until {end_in_words(self.expires_at)}" if self.expires_at else ""
        because = f", because: {self.reason}" if self.reason else ""
        return f"gave @{self.person.handle} the role {self.role}{until}{because}"


@dataclass(frozen=True)
class RevokeRole(OfOnePerson):
    """Take away a role that was granted to a person by name. What a group, channel or flag grants stays."""

    person: Person
    role: str

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        revoked = await revoke(connection, self.person, self.role)
        ways = (await ways_of(connection, [self.person])).get(self.person.id, {}).get(self.role, ())
        still = f"@{self.person.handle} holds {self.role} {listed(list(ways))}" if ways else ""
        if not revoked:
            raise CannotChange(
                f"{still}: this cannot be taken away by hand. Change it there, or unmap it from the role."
                if still
                else f"@{self.person.handle} does not hold {self.role}."
            )
        return Made(notes=(f"{still} still.",) if still else ())

    def in_words(self) -> str:
        return f"took the role {self.role} from @{self.person.handle}"


@dataclass(frozen=True)
class DefineRole(OfRoles):
    """Make a role, or give an existing one this description and these roles that it brings."""

    name: str
    description: str = ""
    inherits: Sequence[str] = ()

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await define_role(connection, self.name, self.description, tuple(self.inherits))
        return Made()

    def in_words(self) -> str:
        brings = f", which brings {listed(sorted(self.inherits))}" if self.inherits else ""
        return f"defined the role {self.name}{brings}"


@dataclass(frozen=True)
class DeleteRole(OfRoles):
    """Delete a role that nothing names any more."""

    name: str

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        labels = await read_labels(connection)
        naming = [label_id for label_id, policy in labels.items() if self.name in policy.roles]
        await forget_unused_labels(connection, naming)
        await delete_role(connection, self.name, await uses_of_role(connection, self.name))
        return Made()

    def in_words(self) -> str:
        return f"deleted the role {self.name}"


@dataclass(frozen=True)
class MapSource(OfRoles):
    """Let the members of a user group or channel, or everybody with a flag, hold a role.

    `members` are those that Slack named at `read_at`, where the caller has just asked. Without them the source
    grants nothing until the running bot has read it. `anybody_may_join` is true of a public channel.
    """

    kind: SourceKind
    reference: str
    name: str
    role: str
    guests_too: bool = False
    members: tuple[str, ...] | None = None
    read_at: datetime | None = None
    anybody_may_join: bool = False

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        _refuse_standing_roles(self.role)
        where = source_in_words(self.kind, self.reference, self.name)
        if self.anybody_may_join and await brings_admin(connection, [self.role]):
            raise CannotChange(
                f"Whoever likes can join {where}, and would hold {ADMIN}. Map a private channel or a user group."
            )
        source_id = await map_source(
            connection,
            self.kind,
            self.reference,
            self.name,
            self.role,
            mapped_by=actor,
            guests_too=self.guests_too,
        )
        if self.members is not None and self.read_at is not None:
            await source_was_read(connection, source_id, self.members, self.read_at)
        source = next(s for s in await list_sources(connection) if s.id == source_id)
        notes = (f"Whoever joins {where} holds it from then on.",) if self.anybody_may_join else ()
        if source.is_fresh(datetime.now(UTC)):
            return Made(notes=notes)
        return Made(unread_sources=(source_id,), notes=(*notes, _not_read(self.kind, source.in_words)))

    def in_words(self) -> str:
        guests = ", guests among them" if self.guests_too else ""
        return (
            f"mapped {source_in_words(self.kind, self.reference, self.name)} to the role {self.role}{guests}"
        )


@dataclass(frozen=True)
class UnmapSource(OfRoles):
    """No longer let the members of a source hold a role through it."""

    kind: SourceKind
    reference: str
    name: str
    role: str

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        if not await unmap_source(connection, self.kind, self.reference, self.role):
            place = source_in_words(self.kind, self.reference, self.name)
            raise CannotChange(f"{capitalised(place)} is not mapped to the role {self.role}.")
        return Made()

    def in_words(self) -> str:
        return f"unmapped {source_in_words(self.kind, self.reference, self.name)} from the role {self.role}"


def _refuse_standing_roles(role: str) -> None:
    if role in {EVERYONE, GUEST}:
        raise CannotChange(
            f"The role {role} is not given to anybody: Slack's own membership decides who holds it. Make a role of"
            " your own and give that."
        )


def _holds_nothing(person: Person) -> tuple[str, ...]:
    if not person.active:
        return (f"@{person.handle} is deactivated in Slack, and holds nothing until that ends.",)
    if person.kind in {PersonKind.OUTSIDER, PersonKind.BOT}:
        what = "a bot" if person.kind is PersonKind.BOT else "of another company"
        return (f"@{person.handle} is {what}, and holds nothing whatever is granted.",)
    return ()


def _not_read(kind: SourceKind, place: str) -> str:
    if kind is SourceKind.FLAG:
        return "It counts as soon as the running bot has read the workspace's people."
    return (
        f"Who is in {place} is not known yet: the running bot reads it, and until then it grants nothing. Whoever"
        " is in it gains what the role opens."
    )
