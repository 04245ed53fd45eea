"""What there is: roles and who holds them, documents and collections by their readers, labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance, Standing
from auth.database import Database
from auth.directory import list_people
from auth.granting import list_roles, require_roles
from auth.holding import held_at
from auth.labels import Policy
from auth.people import Person
from auth.sources import SourceKind, list_sources
from bot.administering.ways import Ways, ways_of
from bot.administering.wording import policy_in_words
from retrieval.cataloguing import (
    Entry,
    State,
    documents_under,
    is_document_id,
    list_collections,
    titles_of,
    titles_under,
    with_words_in_address,
    with_words_in_title,
)

TITLES_SHOWN = 20


@dataclass(frozen=True)
class RoleSummary:
    """A role, how many people hold it now by whatever way, and what names it."""

    name: str
    description: str
    inherits: tuple[str, ...]
    holders: int
    sources: tuple[str, ...]
    labels: tuple[Policy, ...]


@dataclass(frozen=True)
class Holder:
    """Somebody who holds a role, and each way by which: `through the user group @finance`."""

    person: Person
    ways: tuple[str, ...]


@dataclass(frozen=True)
class LabelEntry:
    """Readers under one id, and how many documents stand under them."""

    id: int
    policy: Policy
    documents: int

    @property
    def in_words(self) -> str:
        return policy_in_words(self.policy)


@dataclass(frozen=True)
class Readable:
    """What somebody holds, by which ways, and what they may read. Titles: those that the viewer may read too."""

    person: Person
    roles: Ways
    labels: tuple[LabelEntry, ...]
    titles: tuple[str, ...] = ()

    @property
    def documents(self) -> int:
        return sum(label.documents for label in self.labels)


@dataclass(frozen=True)
class DocumentEntry:
    """A document; what it is called and where it came from only for whoever may read it."""

    id: int
    title: str | None
    uri: str | None
    policy: Policy
    collection: str | None
    state: State = State.ANSWERING
    expires_at: datetime | None = None
    owner: str = ""


@dataclass(frozen=True)
class CollectionEntry:
    """A collection; `can_be_asked_for` says that its owners may lend it."""

    id: int
    name: str
    policy: Policy
    owner_role: str | None
    lent_role: str | None
    lent_for: timedelta
    documents: int
    half_life_days: int | None = None

    @property
    def can_be_asked_for(self) -> bool:
        return self.owner_role is not None and self.lent_role is not None


async def roles_there(connection: AsyncConnection, standing: Standing) -> list[RoleSummary]:
    held = await held_at(connection, standing.inheritance, datetime.now(UTC))
    holders = Counter(role for roles in held.values() for role in roles)
    sources = await _sources_by_role(connection)
    naming: dict[str, list[Policy]] = {}
    for policy in standing.index.labels.values():
        for role in policy.roles:
            naming.setdefault(role, []).append(policy)
    return [
        RoleSummary(
            name,
            description,
            tuple(sorted(standing.inheritance.get(name, ()))),
            holders[name],
            tuple(sources.get(name, ())),
            tuple(sorted(naming.get(name, ()), key=str)),
        )
        for name, description in (await list_roles(connection)).items()
    ]


async def _sources_by_role(connection: AsyncConnection) -> dict[str, list[str]]:
    sources: dict[str, list[str]] = {}
    for source in await list_sources(connection):
        for role, guests_too in source.roles:
            guests = " (guests too)" if guests_too and source.kind is not SourceKind.FLAG else ""
            unread = "" if source.read_at else " (not read yet)"
            sources.setdefault(role, []).append(f"{source.in_words}{guests}{unread}")
    return sources


async def holders_of(connection: AsyncConnection, standing: Standing, role: str) -> list[Holder]:
    await require_roles(connection, [role])
    held = await held_at(connection, standing.inheritance, datetime.now(UTC))
    people = [person for person in await list_people(connection) if role in held.get(person.id, ())]
    ways = await ways_of(connection, people)
    return [Holder(person, ways[person.id][role]) for person in people if role in ways[person.id]]


async def readable_to(connection: AsyncConnection, standing: Standing, person: Person) -> Readable:
    labels = standing.index.labels
    ways = (await ways_of(connection, [person]))[person.id]
    readable = standing.index.readable(frozenset(ways))
    counts = await documents_under(connection, readable)
    entries = [LabelEntry(i, labels[i], counts.get(i, 0)) for i in readable]
    return Readable(person, ways, tuple(sorted(entries, key=lambda e: (-e.documents, str(e.policy)))))


async def titles_readable_by_both(
    database: Database, readable: Readable, viewer: Clearance
) -> tuple[str, ...]:
    async with database.reading_as(viewer) as reader:
        labels = [label.id for label in readable.labels]
        return tuple(await titles_under(reader, labels, TITLES_SHOWN))


async def found_by(
    database: Database, workspace_id: int, viewer: Clearance | None, words: str, source: str = ""
) -> set[int] | None:
    """Documents with these words in what the viewer may read, or with this number; None where all are meant.

    `source` is what the address begins with: it finds only what the viewer may read, as addresses are told.
    """
    if not words and not source:
        return None
    if viewer is not None:
        async with database.reading_as(viewer) as reader:
            found = await with_words_in_title(reader, words, source)
    else:
        async with database.writing_in(workspace_id) as connection:
            found = await with_words_in_address(connection, words, source)
    number = words.removeprefix("#")
    return found | {int(number)} if is_document_id(number) else found


async def titles_for(
    database: Database, viewer: Clearance | None, entries: Sequence[Entry]
) -> Mapping[int, str]:
    """Titles of those entries that the viewer may read."""
    if viewer is None:
        return {}
    async with database.reading_as(viewer) as reader:
        return await titles_of(reader, [entry.id for entry in entries])


def shown(
    entry: Entry, titles: Mapping[int, str], standing: Standing, *, at_the_machine: bool
) -> DocumentEntry:
    title = titles.get(entry.id)
    uri = entry.uri if at_the_machine or title is not None else None
    policy = standing.index.labels[entry.label_id]
    return DocumentEntry(
        entry.id, title, uri, policy, entry.collection, entry.state, entry.expires_at, entry.owner
    )


async def collections_there(connection: AsyncConnection, standing: Standing) -> list[CollectionEntry]:
    return [
        CollectionEntry(
            collection.id,
            collection.name,
            standing.index.labels[collection.label_id],
            collection.owner_role,
            collection.lent_role,
            collection.lent_for,
            collection.documents,
            collection.half_life_days,
        )
        for collection in await list_collections(connection)
    ]


async def labels_there(connection: AsyncConnection, standing: Standing) -> list[LabelEntry]:
    counts = await documents_under(connection)
    entries = [LabelEntry(i, policy, counts.get(i, 0)) for i, policy in standing.index.labels.items()]
    return sorted(entries, key=lambda e: (-e.documents, str(e.policy)))
