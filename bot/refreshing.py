"""Documents taken in again from where they came: as their readers have them, with what was stated for them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import WORKSPACE, Database
from auth.errors import OstiaryError
from auth.labels import NOBODY
from auth.rights import as_readers_of, read_standing
from retrieval.cataloguing import UnknownDocument, document_with
from retrieval.ingestion import NEVER_GIVEN, Outcome, Submission
from retrieval.sources.files import find_files
from retrieval.sources.items import SkippedFile, SourceItem
from retrieval.sources.urls import FetchLimits, fetch
from retrieval.versions import Stated, read_stated

Load = Callable[[str], Awaitable[tuple[str, bytes]]]
"""From an address, (name, content). Raises OstiaryError."""
_HOLD = text(f"SELECT FROM retrieval.document WHERE workspace_id = {WORKSPACE} AND id = :id FOR UPDATE")


class NotRefreshed(OstiaryError):
    """A document cannot be taken in again from here; the message says why, and what to do."""


@dataclass(frozen=True)
class StillThere:
    """Has a document that was removed meanwhile stay so: an entry for `Ingestor.ingest`."""

    document_id: int

    async def open(self, connection: AsyncConnection) -> None:
        """Raises UnknownDocument."""
        if (await connection.execute(_HOLD, {"id": self.document_id})).first() is None:
            raise UnknownDocument(f"Document {self.document_id} was removed meanwhile.")

    async def enter(self, connection: AsyncConnection, outcome: Outcome) -> None:
        """There is nothing to note."""


async def submission_again(
    database: Database, workspace_id: int, document_id: int, load: Load, actor: str
) -> Submission:
    """A document as it would be handed in again now, for the readers that it has when it is stored.

    Raises UnknownDocument, NotRefreshed, or what `load` raises.
    """
    async with database.deciding_in(workspace_id) as connection:
        entry = await document_with(connection, document_id)
        standing = await read_standing(database, connection, workspace_id)
    policy = standing.index.labels[entry.label_id]
    if policy == NOBODY:
        raise NotRefreshed(
            "It is closed to everybody. Give it readers first: `/access`, or `ostiary docs relabel`."
        )
    stated = await _stated(database, as_readers_of(standing, entry.label_id), document_id)
    name, data = await load(entry.uri)
    return Submission(
        uri=entry.uri,
        name=name,
        data=data,
        label_id=entry.label_id,
        title=stated.title,
        dated=stated.dated,
        department=stated.department,
        added_by=actor,
        actor=actor,
        given_label_id=NEVER_GIVEN,
    )


async def _stated(database: Database, clearance: Clearance, document_id: int) -> Stated:
    async with database.reading_as(clearance) as reader:
        return await read_stated(reader, document_id)


def is_web_address(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


async def load_from_web(uri: str, limits: FetchLimits) -> tuple[str, bytes]:
    fetched = await fetch(uri, limits)
    return fetched.name, fetched.data


def _files_at(path: Path) -> list[SourceItem | SkippedFile]:
    if not path.exists():
        raise NotRefreshed(
            f"There is no file {path} any more. What was taken in stays as it is; to take it away: `ostiary docs"
            " remove`."
        )
    return list(find_files(path))


async def load_from_disk(uri: str) -> tuple[str, bytes]:
    """A file of this machine, or what is in an archive on it."""
    path = Path(unquote(urlsplit(uri).path))
    items = await asyncio.to_thread(_files_at, path)
    for item in items:
        if isinstance(item, SourceItem) and item.uri == uri:
            return item.name, await asyncio.to_thread(item.load)
    reasons = [item.reason for item in items if not isinstance(item, SourceItem) and item.uri == uri]
    raise NotRefreshed(reasons[0] if reasons else f"There is no such file in {path} any more.")
