"""What a reader of sources gives: what is there, each with a way to have its content, one after the other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from auth.errors import OstiaryError
from retrieval.sources.items import UNMARKED, Mark, SkippedFile
from retrieval.sources.kept import Item, Source


class SourceUnreadable(OstiaryError):
    """A source as a whole could not be read; the message says why. Nothing is known of what is in it."""


class ItemGone(OstiaryError):
    """Something that the source named is not there (any more)."""


@dataclass(frozen=True)
class Loaded:
    """The content of something in a source, and what is known about it besides."""

    data: bytes
    name: str
    mark: Mark = UNMARKED
    title: str | None = None
    dated: date | None = None


Load = Callable[[Mark], Awaitable[Loaded | None]]
"""Gives the content; None where it is still what was marked so. Raises ItemGone, or an OstiaryError."""


@dataclass(frozen=True)
class Found:
    """Something that a source has. `value` decides its readers, where the source goes by a field of its own.

    `closed`: why nobody may read it, whatever the source says besides.
    """

    uri: str
    name: str
    load: Load
    value: str | None = None
    closed: str | None = None


class Reader(Protocol):
    """Reads sources of one kind. What is missing in `patience` runs in a row is taken for gone."""

    @property
    def patience(self) -> int: ...

    def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        """All that the source has now. Raises SourceUnreadable, at once or after some.

        What is skipped counts as there, and so does all below it: nobody could look.
        """
