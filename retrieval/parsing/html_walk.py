# ruff: noqa: SIM905 - lists of tags read better as words
"""Walks a tree of HTML in reading order and writes its blocks into an outline.

The walk keeps a stack of its own: a page may nest deeper than Python may recurse.
"""

from selectolax.lexbor import LexborNode

from retrieval.parsing.cleaning import code_lines, one_block, one_line
from retrieval.parsing.html_tables import holds_data, inline_text, rows
from retrieval.parsing.outline import Outline, table_text

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_SKIPPED = frozenset(
    "head script style noscript template iframe object svg canvas select textarea button input audio video map "
    "-comment !doctype".split()
)
_LISTS = frozenset(("ul", "ol", "dl", "menu"))
_ITEMS = frozenset(("li", "dt"))
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark q ruby s samp small "
    "span strike strong sub sup time tt u var".split()
)


def walk(root: LexborNode, outline: Outline) -> None:
    """Adds every block under `root` to `outline`."""
    writer = _Writer(outline)
    stack: list[tuple[LexborNode, bool]] = [(root, True)]
    while stack:
        node, entering = stack.pop()
        if not entering:
            writer.leave(node.tag or "")
        elif writer.enter(node, node.tag or ""):
            stack.append((node, False))
            stack.extend((child, True) for child in reversed(list(node.iter(include_text=True))))
    writer.flush()


class _List:
    """An open list and those inside it. `depth` counts open tags, `numbers` their last item's number."""

    def __init__(self) -> None:
        self.numbers: list[int | None] = []  # None: bullets
        self.items: list[str] = []
        self.only_leads_around_the_page = True


class _Writer:
    """Gathers inline text until a block ends, then says which kind of block it was."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._text: list[str] = []
        self._list = _List()
        self._in_page_link = False

    def enter(self, node: LexborNode, tag: str) -> bool:
        """Takes in a node; True if its children are to be walked and its end reported."""
        if tag == "-text":
            self._take(node.text_content or "")
            return False
        if tag in _SKIPPED:
            return False
        if tag in _HEADINGS or tag == "pre" or (tag == "table" and holds_data(node)):
            self._write_whole(node, tag)
            return False
        if tag in _INLINE:
            self._enter_inline(node, tag)
        else:
            self._end_paragraph()
            self._enter_block(node, tag)
        return True

    def leave(self, tag: str) -> None:
        if tag == "a":
            self._in_page_link = False
        elif tag not in _INLINE:
            self._end_paragraph()
        if tag in _LISTS and self._list.numbers:
            self._list.numbers.pop()
            if not self._list.numbers:
                self._write_list()

    def flush(self) -> None:
        """Writes what is still open."""
        self._end_paragraph()
        self._write_list()

    def _enter_inline(self, node: LexborNode, tag: str) -> None:
        if tag == "a":
            self._in_page_link = (node.attributes.get("href") or "").startswith("#")
        elif tag == "br":
            self._text.append("\n")
        elif tag == "img" and " " in (described := (node.attributes.get("alt") or "").strip()):
            self._take(described)

    def _enter_block(self, node: LexborNode, tag: str) -> None:
        if tag in _LISTS:
            self._list.numbers.append(_first_number(node) - 1 if tag == "ol" else None)
        elif tag in _ITEMS:
            self._start_item()
        elif tag == "dd" and self._list.items:
            self._list.items[-1] += ":"

    def _take(self, text: str) -> None:
        self._text.append(text.replace("\n", " ").replace("\r", " "))
        if not self._in_page_link and text.strip():
            self._list.only_leads_around_the_page = False

    def _start_item(self) -> None:
        numbers = self._list.numbers or [None]
        mark = "- "
        if (last := numbers[-1]) is not None:
            numbers[-1] = last + 1
            mark = f"{last + 1}. "
        if not self._list.items:
            self._list.only_leads_around_the_page = True
        self._list.items.append("  " * (len(numbers) - 1) + mark)

    def _end_paragraph(self) -> None:
        text = one_block("".join(self._text))
        self._text.clear()
        if text and self._list.numbers and self._list.items:
            item = self._list.items.pop()
            self._list.items.append(item + ("" if item.endswith(" ") else " ") + text.replace("\n", " "))
        else:
            self._outline.add(text)

    def _write_list(self) -> None:
        """A list of links around its own page is a table of contents: it repeats the headings."""
        items = [item for item in self._list.items if item.strip(" -.:0123456789")]
        if items and not (len(items) > 1 and self._list.only_leads_around_the_page):
            self._outline.add("\n".join(items), "list")
        self._list.items = []

    def _write_whole(self, node: LexborNode, tag: str) -> None:
        """A heading, code or a table is read in one go; inside a list it ends what was gathered so far."""
        self._end_paragraph()
        self._write_list()
        if tag in _HEADINGS:
            self._outline.heading(_HEADINGS[tag], one_line(inline_text(node)))
        elif tag == "pre":
            self._outline.add(code_lines(inline_text(node)), "code")
        else:
            for caption in node.css("caption"):
                self._outline.add(one_line(inline_text(caption)))
            self._outline.add(table_text(rows(node)), "table")


def _first_number(node: LexborNode) -> int:
    value = (node.attributes.get("start") or "1").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 1
