"""Collects blocks under the headings that are open where they stand."""

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.document import Block, BlockKind

# A longer "heading" is a paragraph that somebody made large.
_LONGEST_HEADING = 200


class Outline:
    """Write-only while a document is read in order; `blocks()` at its end."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self._blocks: list[Block] = []
        self._headings: list[tuple[int, str]] = []

    def heading(self, level: int, text: str, page: int | None = None) -> None:
        """Opens a section; it closes every open section of the same or a deeper level. 1 is the outermost."""
        text = one_line(text)
        if not text:
            return
        if len(text) > _LONGEST_HEADING:
            self.add(text, page=page)
            return
        self._open = [(depth, title) for depth, title in self._open if depth < level] + [(level, text)]
        self._headings.append((level, text))

    def add(self, text: str, kind: BlockKind = "paragraph", page: int | None = None) -> None:
        """Adds a block of cleaned text; an empty one is nothing."""
        if text:
            self._blocks.append(Block(text, tuple(title for _, title in self._open), page, kind))

    def add_item(self, text: str, page: int | None = None) -> None:
        """Adds an item to the list that stands directly before it on the same page, or begins one."""
        path = tuple(title for _, title in self._open)
        last = self._blocks[-1] if self._blocks else None
        if last and (last.kind, last.page, last.heading_path) == ("list", page, path):
            self._blocks[-1] = Block(f"{last.text}\n{text}", path, page, "list")
        else:
            self.add(text, "list", page)

    def first_heading(self) -> str | None:
        """The first of the outermost headings: the document's title, as a rule."""
        outermost = min((level for level, _ in self._headings), default=0)
        return next((text for level, text in self._headings if level == outermost), None)

    def blocks(self, title: str) -> tuple[Block, ...]:
        """The blocks in reading order. A path never begins with the document's own title.

        A document of nothing but headings is its headings.
        """
        if not self._blocks:
            return tuple(Block(text) for _, text in self._headings)
        return tuple(_below(title, block) for block in self._blocks)


def _below(title: str, block: Block) -> Block:
    if block.heading_path[:1] != (title,):
        return block
    return Block(block.text, block.heading_path[1:], block.page, block.kind)


def table_text(rows: list[list[str]]) -> str:
    """Rows of cells as a block's text: a line a row, all of one width, bars inside cells made harmless."""
    width = max((len(row) for row in rows), default=0)
    cleaned = [[one_line(cell).replace(" | ", " / ").strip("|") for cell in row] for row in rows]
    return "\n".join(" | ".join(row + [""] * (width - len(row))) for row in cleaned if any(row))
