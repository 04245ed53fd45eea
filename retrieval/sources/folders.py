"""Reads sources that are a file, a folder or a zip archive on this machine."""

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from retrieval.parsing.cleaning import file_label
from retrieval.sources.files import find_files
from retrieval.sources.items import UNMARKED, Mark, SkippedFile, SourceItem
from retrieval.sources.kept import Item, Source
from retrieval.sources.reading import Found, ItemGone, Loaded, SourceUnreadable


class FolderReader:
    """Every file below a path. What is gone from the disk is gone at once."""

    patience = 1

    async def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        path = Path(source.reference)
        if not await asyncio.to_thread(path.exists):
            yield await asyncio.to_thread(_missing, path)
            return
        files = find_files(path)
        while (item := await asyncio.to_thread(next, files, None)) is not None:
            yield _found(item) if isinstance(item, SourceItem) else item


def _missing(path: Path) -> Found:
    """A single file that was deleted is gone. A folder may merely not be mounted, or stand on another machine."""
    if path.suffix and path.parent.is_dir() and any(path.parent.iterdir()):

        async def gone(_known: Mark) -> Loaded | None:
            raise ItemGone(f"{file_label(path.name)} is not there any more.")

        return Found(path.as_uri(), path.name, gone)
    raise SourceUnreadable(
        f"There is no {path} for {getpass.getuser()} on {socket.gethostname()}. A path is read where"
        " `ostiary serve` or `ostiary worker` runs: make it available there under this name, or keep it from there."
    )


def _found(item: SourceItem) -> Found:
    async def load(known: Mark) -> Loaded | None:
        if item.mark != UNMARKED and item.mark == known:
            return None
        return Loaded(await asyncio.to_thread(item.load), item.name, item.mark)

    return Found(item.uri, item.name, load)
