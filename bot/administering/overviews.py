"""What there is: roles and who holds them, documents and collections by their readers, labels."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance, LabelIndex
from auth.database import Database
from auth.directory import list_people
from auth.granting import list_roles, read_inheritance, require_roles
from auth.labelling import read_labels
from auth.labels import Policy
from auth.people import Person
from auth.sources import SourceKind, list_sources
from bot.administering.pictures import now_held
from bot.administering.ways import Ways, ways_of
from bot.administering.wording import policy_in_words
from retrieval.cataloguing import (
    Entry,
    documents_under,
    list_collections,
    list_documents,
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
class ReadableLabel:
    """Readers that somebody is among, and how many documents stand under them."""

    label_id: int
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
    labels: tuple[ReadableLabel, ...]
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

    @property
    def can_be_asked_for(self) -> bool:
        return self.owner_role is not None and self.lent_role is not None


@dataclass(frozen=True)
class LabelEntry:
    """Readers under one id, and how many documents stand under them."""

    id: int
    policy: Policy
    documents: int

    @property
    def in_words(self) -> str:
        return policy_in_words(self.policy)


async def roles_there(connection: AsyncConnection) -> list[RoleSummary]:
    inheritance = await read_inheritance(connection)
    held = Counter(role for roles in (await now_held(connection)).values() for role in roles)
    sources: dict[str, list[str]] = {}
    for source in await list_sources(connection):
        for role, guests_too in source.roles:
            guests = " (guests too)" if guests_too and source.kind is not SourceKind.FLAG else ""
            unread = "" if source.read_at else " (not read yet)"
            sources.setdefault(role, []).append(f"{source.in_words}{guests}{unread}")
    policies = (await read_labels(connection)).values()
    return [
        RoleSummary(
            name,
            description,
            tuple(sorted(inheritance.get(name, ()))),
            held[name],
            tuple(sources.get(name, ())),
            tuple(sorted((policy for policy in policies if name in policy.roles), key=str)),
        )
        for name, description in (await list_roles(connection)).items()
    ]


async def holders_of(connection: AsyncConnection, role: str) -> list[Holder]:
    await require_roles(connection, [role])
    held = await now_held(connection)
    people = [p for p in await list_people(connection) if role in held.get(p.id, ())]
    ways = await ways_of(connection, people)
    return [Holder(person, ways[person.id][role]) for person in people]


async def readable_to(connection: AsyncConnection, person: Person) -> Readable:
    labels = await read_labels(connection)
    ways = (await ways_of(connection, [person]))[person.id]
    readable = LabelIndex(labels).readable(frozenset(ways))
    counts = await documents_under(connection, readable)
    entries = [ReadableLabel(i, labels[i], counts.get(i, 0)) for i in readable]
    return Readable(person, ways, tuple(sorted(entries, key=lambda e: (-e.documents, str(e.policy)))))


async def titles_readable_by_both(
    database: Database, readable: Readable, viewer: Clearance
) -> tuple[str, ...]:
    async with database.reading_as(viewer) as reader:
        labels = [label.label_id for label in readable.labels]
        return tuple(await titles_under(reader, labels, TITLES_SHOWN))


async def documents_there(
    database: Database, workspace_id: int, viewer: Clearance | None, words: str, limit: int, offset: int
) -> list[DocumentEntry]:
    """Found by words among what the viewer may read, and by the name of a collection among all.

    Without a viewer, at the machine itself: no titles, and every address.
    """
    found: set[int] | None = None
    if words and viewer is not None:
        async with database.reading_as(viewer) as reader:
            found = await with_words_in_title(reader, words)
    async with database.writing_in(workspace_id) as connection:
        if words and viewer is None:
            found = await with_words_in_address(connection, words)
        entries = await list_documents(connection, _or_id(found, words), words, limit, offset)
        labels = await read_labels(connection)
    titles: dict[int, str] = {}
    if viewer is not None:
        async with database.reading_as(viewer) as reader:
            titles = await titles_of(reader, [entry.id for entry in entries])
    return [_shown(entry, titles, labels[entry.label_id], viewer is None) for entry in entries]


def _or_id(found: set[int] | None, words: str) -> set[int] | None:
    number = words.removeprefix("#")
    if found is not None and number.isascii() and number.isdigit() and len(number) < 19:
        return found | {int(number)}
    return found


def _shown(entry: Entry, titles: dict[int, str], policy: Policy, at_the_machine: bool) -> DocumentEntry:
    title = titles.get(entry.id)
    uri = entry.uri if at_the_machine or title is not None else None
    return DocumentEntry(entry.id, title, uri, policy, entry.collection)


async def collections_there(connection: AsyncConnection) -> list[CollectionEntry]:
    labels = await read_labels(connection)
    return [
        CollectionEntry(c.id, c.name, labels[c.label_id], c.owner_role, c.lent_role, c.lent_for, c.documents)
        for c in await list_collections(connection)
    ]


async def labels_there(connection: AsyncConnection) -> list[LabelEntry]:
    counts = await documents_under(connection)
    labels = await read_labels(connection)
    entries = [LabelEntry(label_id, policy, counts.get(label_id, 0)) for label_id, policy in labels.items()]
    return sorted(entries, key=lambda e: (-e.documents, str(e.policy)))
