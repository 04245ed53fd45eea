"""The versions of a document: when each came in, and, for whoever may read it, what it was called and by whom.

`list_versions` takes a connection of `Database.writing_in`, which sees that they are there; `read_versions` one of
`Database.reading_as`, which sees what its clearance covers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

_LIST = text(
    "SELECT v.id, v.created_at, v.is_current, v.media_type, v.size, (SELECT count(*) FROM retrieval.chunk c"
    "  WHERE c.workspace_id = v.workspace_id AND c.version_id = v.id) AS passages"
    f" FROM retrieval.version v WHERE v.workspace_id = {WORKSPACE} AND v.document_id = :document_id"
    " ORDER BY v.id DESC LIMIT :limit"
)
_READ = text(
    "SELECT id, title, dated, author FROM retrieval.version"
    f" WHERE workspace_id = {WORKSPACE} AND document_id = :document_id"
)
_HOW_STATED = text(
    "SELECT v.title, v.dated, v.stated, d.department FROM retrieval.version v"
    " JOIN retrieval.document d ON d.workspace_id = v.workspace_id AND d.id = v.document_id"
    f" WHERE v.workspace_id = {WORKSPACE} AND v.document_id = :document_id AND v.is_current"
)


@dataclass(frozen=True)
class VersionEntry:
    """One state of a document. `size` is in bytes, None for one that was taken in before sizes were kept."""

    id: int
    created_at: datetime
    is_current: bool
    media_type: str
    size: int | None
    passages: int


@dataclass(frozen=True)
class VersionFacts:
    """What a version says of itself."""

    title: str
    dated: date | None
    author: str | None


@dataclass(frozen=True)
class Stated:
    """What was stated when a document was handed in, and is to be stated again; None: left to the document."""

    title: str | None
    dated: date | None
    department: str = ""


async def list_versions(connection: AsyncConnection, document_id: int, limit: int) -> list[VersionEntry]:
    """The newest first."""
    rows = await connection.execute(_LIST, {"document_id": document_id, "limit": limit})
    return [VersionEntry(**row._mapping) for row in rows]


async def read_versions(reader: AsyncConnection, document_id: int) -> Mapping[int, VersionFacts]:
    """Version -> what it says of itself; nothing of what the reader may not read."""
    rows = await reader.execute(_READ, {"document_id": document_id})
    return {row.id: VersionFacts(row.title, row.dated, row.author) for row in rows}


async def read_stated(reader: AsyncConnection, document_id: int) -> Stated:
    """What was stated of the current version; nothing where the reader may not read it."""
    row = (await reader.execute(_HOW_STATED, {"document_id": document_id})).first()
    if row is None:
        return Stated(None, None)
    title = row.title if "title" in row.stated else None
    return Stated(title, row.dated if "dated" in row.stated else None, row.department)
