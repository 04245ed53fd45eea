"""OpenDocument texts and presentations (.odt, .odp): headings, paragraphs, lists, tables, slides and notes.

The format is that of OASIS OpenDocument 1.3, part 3. Deleted text of a tracked change is left out, as in print.
"""

import zipfile
from collections.abc import Iterator
from datetime import date

from retrieval.parsing import archives, markup
from retrieval.parsing.cleaning import one_block, one_line
from retrieval.parsing.dates import as_date, stated_date
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.markup import Element, local_name
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline, table_text

MEDIA_TYPE = "application/vnd.oasis.opendocument"

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_UNSEEN = {"tracked-changes", "sequence-decls", "forms", "annotation", "bookmark", "note-citation"}
_REPEATED = 50


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a text or a presentation. Title: its properties', else its first heading, else the file's name."""
    with archives.opened(data, name) as archive:
        content = markup.member(archive, "content.xml", name)
        stated_title, author, modified = _properties(archive, name)
    outline = Outline()
    body = next(element for element in content.iter() if local_name(element) == "body")
    _Walk(outline).walk(body)
    title = stated_title or outline.first_heading() or title_from(name)
    blocks = outline.blocks(title)
    dated = stated_date(block.text for block in blocks[:3]) or modified
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, author)


class _Walk:
    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._slide: int | None = None

    def walk(self, parent: Element) -> None:
        for element in parent.iterchildren():
            tag = local_name(element)
            if not tag or tag in _UNSEEN:
                continue
            if tag == "h":
                level = element.get(f"{_TEXT}outline-level", "1")
                self._outline.heading(int(level) if level.isdigit() else 1, text_of(element), self._slide)
            elif tag == "p":
                self._outline.add(one_block(text_of(element)), page=self._slide)
            elif tag == "list":
                self._list(element, 0)
            elif tag == "table":
                self._outline.add(table_text(list(_rows(element))), "table", self._slide)
            else:
                self._slide = (self._slide or 0) + 1 if tag == "page" else self._slide
                self.walk(element)

    def _list(self, element: Element, depth: int) -> None:
        for item in element.iterchildren():
            for part in item.iterchildren():
                if local_name(part) == "list":
                    self._list(part, depth + 1)
                elif text := one_line(text_of(part)):
                    self._outline.add_item(f"{'  ' * depth}- {text}", self._slide)


def text_of(element: Element) -> str:
    """The text of a paragraph; footnotes follow in brackets where they are called."""
    parts = [element.text or ""]
    for child in element.iterchildren():
        tag = local_name(child)
        if tag in {"line-break", "tab", "s"}:
            parts.append({"line-break": "\n", "tab": "\t", "s": " "}[tag])
        elif tag == "note":
            parts.append(f" [{one_line(text_of(child))}]")
        elif tag and tag not in _UNSEEN:
            parts.append(text_of(child))
            if tag == "p":
                parts.append("\n")
        parts.append(child.tail or "")
    return "".join(parts)


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table.iter(f"{_TABLE}table-row"):
        texts: list[str] = []
        for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            repeated = cell.get(f"{_TABLE}number-columns-repeated", "1")
            times = min(int(repeated), _REPEATED) if repeated.isdigit() else 1
            texts.extend([one_line(text_of(cell))] * times)
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield texts


def _properties(archive: zipfile.ZipFile, name: str) -> tuple[str, str | None, date | None]:
    """Title, author and day of the last change, as far as the document states them."""
    if "meta.xml" not in archive.namelist():
        return "", None, None
    found = {local_name(element): element.text for element in markup.member(archive, "meta.xml", name).iter()}
    author = one_line(found.get("creator") or found.get("initial-creator") or "")
    return one_line(found.get("title") or ""), author or None, as_date(found.get("date"))
