"""The files in a zip archive, each a document of its own. It is looked over before anything is unpacked."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

from retrieval.parsing import archives, sniff
from retrieval.parsing.cleaning import file_label
from retrieval.parsing.document import UnreadableDocument
from retrieval.sources.items import SkippedFile, SourceItem, UnreadableFile

_MARK = b"PK"
_FURNITURE = ("__MACOSX",)


def is_archive(data: bytes, name: str) -> bool:
    """Whether this is a zip of files, and not a document that happens to be packed so."""
    return data.startswith(_MARK) and sniff.media_type(data, name) == "application/zip"


def find_members(data: bytes, uri: str, name: str) -> Iterator[SourceItem | SkippedFile]:
    """Each file in an archive, in the order of their names; `uri` and `name` are the archive's.

    Hidden files are passed over. One that cannot be taken out says so when it is loaded; the rest goes on.
    """
    try:
        archive = archives.opened(data, file_label(name))
    except UnreadableDocument as refusal:
        yield SkippedFile(uri, str(refusal))
        return
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or any(part.startswith((".", *_FURNITURE)) for part in path.parts):
            continue
        called = f"{name}/{path}"
        yield SourceItem(
            f"{uri}#{quote(str(path))}", called, _modified(member), partial(_load, archive, member, called)
        )


def _modified(member: zipfile.ZipInfo) -> datetime:
    """Zip states local times without saying where: they are taken as they stand."""
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _load(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableFile(
            f"{file_label(name)} could not be unpacked: {str(error) or type(error).__name__}."
        ) from error
