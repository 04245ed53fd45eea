"""What every parser returns: a document's text with the structure that retrieval needs."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from auth.errors import OstiaryError

BlockKind = Literal["paragraph", "list", "table", "code"]


@dataclass(frozen=True)
class Block:
    """One run of text that belongs together, and its place in the document.

    `heading_path` runs from the outermost heading to the innermost; `page` counts from 1 and is None where
    the format has no pages. A table's text has one line a row, cells joined by " | ", its header first.
    """

    text: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    kind: BlockKind = "paragraph"


@dataclass(frozen=True)
class ParsedDocument:
    """A document's words in reading order. `dated` is the date the document itself states, if any."""

    title: str
    blocks: tuple[Block, ...]
    media_type: str
    dated: date | None = None
    author: str | None = None


class UnreadableDocument(OstiaryError):
    """The document could not be turned into text; the message is a sentence for whoever sent it."""
