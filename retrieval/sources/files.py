"""Finds the documents under a path of this machine."""

import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path

from retrieval.parsing.cleaning import file_label
from retrieval.sources.items import UNMARKED, Mark, SkippedFile, SourceItem, UnreadableFile
from retrieval.sources.zipped import find_members, is_archive

_MIB = 2**20
_SETTLED_S = 2.0
# A file of this size is no document, and reading it would take the memory of this process.
LARGEST_READ = 512 * _MIB


def find_files(path: Path) -> Iterator[SourceItem | SkippedFile]:
    """The file, or all files below the folder in the order of their names; of a zip archive, what is in it.

    Hidden files and links to what lies inside are passed over; links that lead out are reported, not followed.
    """
    for item in _files(path):
        yield from _unpacked(item)


def _unpacked(item: SourceItem | SkippedFile) -> Iterator[SourceItem | SkippedFile]:
    if not isinstance(item, SourceItem) or not item.name.lower().endswith(".zip"):
        yield item
        return
    try:
        data = item.load()
    except UnreadableFile as refusal:
        yield SkippedFile(item.uri, str(refusal))
        return
    if is_archive(data, item.name):
        yield from find_members(data, item.uri, item.name)
    else:
        yield item


def _files(path: Path) -> Iterator[SourceItem | SkippedFile]:
    root = path.resolve()
    if not root.is_dir():
        yield _item(root, path.name or root.name)
        return
    waiting = [root]
    while waiting:
        found = waiting.pop()
        if found.is_dir() and not found.is_symlink():
            inside = _inside(found, root)
            if isinstance(inside, SkippedFile):
                yield inside
            else:
                waiting.extend(reversed(inside))
        elif not found.is_symlink():
            yield _item(found, found.relative_to(root).as_posix())
        elif not _leads_inside(found, root):
            yield SkippedFile(
                found.as_uri(), f"{_label(found, root)} is a link that leads out of the folder."
            )


def _inside(folder: Path, root: Path) -> list[Path] | SkippedFile:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        return SkippedFile(folder.as_uri(), f"{_label(folder, root)} could not be listed: {_why(error)}.")


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _item(path: Path, name: str) -> SourceItem | SkippedFile:
    try:
        found = path.lstat()
    except OSError as error:
        return SkippedFile(path.as_uri(), f"{file_label(name)} could not be read: {_why(error)}.")
    if not stat.S_ISREG(found.st_mode):
        return SkippedFile(path.as_uri(), f"{file_label(name)} is not a file that can be read.")
    if found.st_size > LARGEST_READ:
        size = f"{ceil(found.st_size / _MIB)} MB"
        return SkippedFile(path.as_uri(), f"{file_label(name)} is {size}, too large for a document.")
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return SourceItem(path.as_uri(), name, modified, partial(_load, path, name), _mark_of(found))


def _mark_of(found: os.stat_result) -> Mark:
    """None of it for a file that changed a moment ago: it may change again within one tick of the clock."""
    if time.time() - found.st_ctime < _SETTLED_S:
        return UNMARKED
    return Mark(f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}")


def _load(path: Path, name: str) -> bytes:
    """The file's bytes; it may have been exchanged for a link or a pipe since it was found."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableFile(f"{file_label(name)} could not be read: {_why(error)}.") from None
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise UnreadableFile(f"{file_label(name)} is not a file that can be read.")
        try:
            return file.read(LARGEST_READ)
        except OSError as error:
            raise UnreadableFile(f"{file_label(name)} could not be read: {_why(error)}.") from None


def _label(path: Path, root: Path) -> str:
    return file_label(path.relative_to(root).as_posix() if path != root else path.name)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
