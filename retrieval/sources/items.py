"""What a source is made of: items that can be loaded, and those that are passed over with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from auth.errors import OstiaryError


class UnreadableFile(OstiaryError):
    """A file could not be read; the message names it and says why."""


@dataclass(frozen=True)
class Mark:
    """How to tell later, without reading it, whether something is still what it was."""

    etag: str | None = None
    last_modified: str | None = None


UNMARKED = Mark()


@dataclass(frozen=True)
class SourceItem:
    """A file to be read. `name` is its path below what was asked for; `load` raises UnreadableFile."""

    uri: str
    name: str
    modified: datetime
    load: Callable[[], bytes]
    mark: Mark = UNMARKED


@dataclass(frozen=True)
class SkippedFile:
    """Something under the path that is not read; `reason` is a sentence that names it."""

    uri: str
    reason: str
