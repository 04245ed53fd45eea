"""One document as administrators see it: its versions, what it is like, and what could not be taken in.

Titles, authors, addresses and likenesses are read as the viewer. No viewer is the machine itself: it sees addresses
and likenesses, which its owner can find out anyway, and no title.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import Database
from auth.labelling import read_labels
from auth.labels import NOBODY, Policy
from bot.administering.telling import is_told
from retrieval.cataloguing import titles_of
from retrieval.failing import Failed, list_failures
from retrieval.likeness import Alike, documents_like
from retrieval.versions import VersionEntry, VersionFacts, list_versions, read_versions

VERSIONS_SHOWN, ALIKE_SHOWN = 20, 5


@dataclass(frozen=True)
class Twin:
    """Another document that says nearly the same; its title only for whoever may read it."""

    document_id: int
    title: str | None
    share: float
    same_bytes: bool

    def in_words(self) -> str:
        """`the same file as Leave (document 7)`, `96 % like document 7`."""
        name = f"{self.title} (document {self.document_id})" if self.title else f"document {self.document_id}"
        return f"the same file as {name}" if self.same_bytes else f"{_percent(self.share)} % like {name}"

    def said_of(self, name: str) -> str:
        """The same of a document that is called so, as a sentence."""
        return f"{name} {'is' if self.same_bytes else 'looks'} {self.in_words()}."


@dataclass(frozen=True)
class Described:
    """What there is of a document, the newest version first; `facts` of those that the viewer may read."""

    versions: Sequence[VersionEntry]
    facts: Mapping[int, VersionFacts]
    twins: Sequence[Twin]


@dataclass(frozen=True)
class FailureEntry:
    """Something that is not in. Where it came from and why is None for whoever would not be among its readers."""

    id: int
    policy: Policy
    uri: str | None
    reason: str | None
    actor: str
    tries: int
    failed_at: datetime


def _percent(share: float) -> int:
    """Rounded, but for what is not quite the same."""
    return 99 if 0.99 < share < 1 else round(share * 100)


async def describe_document(
    database: Database, workspace_id: int, viewer: Clearance | None, document_id: int
) -> Described:
    async with database.writing_in(workspace_id) as connection:
        versions = await list_versions(connection, document_id, VERSIONS_SHOWN)
    twins = await twins_of(database, workspace_id, viewer, document_id)
    if viewer is None:
        return Described(versions, {}, twins)
    async with database.reading_as(viewer) as reader:
        return Described(versions, await read_versions(reader, document_id), twins)


async def twins_of(
    database: Database, workspace_id: int, viewer: Clearance | None, document_id: int
) -> list[Twin]:
    """Documents that say nearly the same, the most alike first, as far as the viewer may read both."""
    if viewer is None:
        async with database.writing_in(workspace_id) as connection:
            return _twins(await documents_like(connection, document_id), {})
    async with database.reading_as(viewer) as reader:
        alike = await documents_like(reader, document_id)
        titles = await titles_of(reader, [found.document_id for found in alike])
    return _twins([found for found in alike if found.document_id in titles], titles)


def _twins(alike: Sequence[Alike], titles: Mapping[int, str]) -> list[Twin]:
    return [
        Twin(found.document_id, titles.get(found.document_id), found.share, found.same_bytes)
        for found in alike[:ALIKE_SHOWN]
    ]


async def failures_there(
    connection: AsyncConnection, viewer: Clearance | None, actor: str, limit: int, offset: int
) -> list[FailureEntry]:
    """What could not be taken in, the newest first; told to its would-be readers, and to whoever handed it in."""
    labels = await read_labels(connection)
    return [
        _failure(failed, labels, is_told(viewer, [failed.label_id], whose=failed.actor, actor=actor))
        for failed in await list_failures(connection, limit, offset)
    ]


def _failure(failed: Failed, labels: Mapping[int, Policy], told: bool) -> FailureEntry:
    return FailureEntry(
        failed.id,
        labels.get(failed.label_id, NOBODY),
        failed.uri if told else None,
        failed.reason if told else None,
        failed.actor,
        failed.tries,
        failed.failed_at,
    )
