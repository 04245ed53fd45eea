"""Files and folders as sources: what there is to read, in a steady order, and what was passed over and why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from auth.errors import OstiaryError


class UnreadableFile(OstiaryError):
    """A file could not be read from disk; the message names it."""


@dataclass(frozen=True)
class SourceItem:
    """A file to ingest. `uri` names the document for good; `load` reads the bytes, or raises UnreadableFile."""

    uri: str
    name: str
    modified: datetime
    load: Callable[[], bytes]


@dataclass(frozen=True)
class SkippedFile:
    """A file that cannot be read, and the sentence that says so."""

    uri: str
    reason: str


def find_files(path: Path) -> Iterator[SourceItem | SkippedFile]:
    """The file itself, or every file under a folder, sorted; hidden ones and links that lead out are left alone."""
    root = path.resolve()
    if root.is_file():
        yield _item(root)
        return
    for found in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in found.relative_to(root).parts)
        if hidden or not found.is_file() or not found.resolve().is_relative_to(root):
            continue
        yield _item(found)


def _item(path: Path) -> SourceItem | SkippedFile:
    uri = path.as_uri()
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        return SkippedFile(uri, _sentence(path, error))
    return SourceItem(uri, path.name, modified, lambda: _load(path))


def _load(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(_sentence(path, error)) from error


def _sentence(path: Path, error: OSError) -> str:
    return f"{path.name} could not be read ({error.strerror or error}); check its permissions."
