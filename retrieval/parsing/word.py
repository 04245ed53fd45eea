"""Word documents (.docx): headings, paragraphs, lists, tables and footnotes, in reading order.

What a reader of the document does not see is left out: deleted and hidden text.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.oxml.ns import qn

from retrieval.parsing import archives
from retrieval.parsing.cleaning import code_lines, one_block, one_line
from retrieval.parsing.dates import stated_date
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.office import properties_of
from retrieval.parsing.outline import Outline, table_text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_CODE = re.compile(r"code|preformatted|source", re.IGNORECASE)
_LIST = re.compile(r"list", re.IGNORECASE)
_TITLE = "title"
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Text that was deleted, fields' instructions, the copy of a drawing for old programs, and what belongs elsewhere.
_UNSEEN = {qn("w:del"), qn("w:moveFrom"), qn("w:instrText"), qn("w:txbxContent"), _FALLBACK}
_FOOTNOTES = "/footnotes"

Element = Any


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a document. Title: the one in it, else its first heading, its properties', the file's name."""
    archives.opened(data, name).close()
    document = docx.Document(io.BytesIO(data))
    outline = Outline()
    writer = _Writer(document, outline)
    writer.walk(document.element.body)
    for text in _footnotes(document):
        outline.add(text)
    stated = properties_of(document)
    title = writer.title or outline.first_heading() or stated.title or title_from(name)
    blocks = outline.blocks(title)
    dated = stated_date(block.text for block in blocks[:3]) or stated.modified
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, stated.author)


class _Writer:
    def __init__(self, document: Document, outline: Outline) -> None:
        self._outline = outline
        self._styles = {style.style_id: style for style in document.styles}
        self.title = ""

    def walk(self, parent: Element) -> None:
        """Adds all that stands under a body, a text box or a content control."""
        for element in parent.iterchildren():
            if element.tag == qn("w:p"):
                self._paragraph(element)
            elif element.tag == qn("w:tbl"):
                self._table(element)
            elif element.tag in {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins")}:
                self.walk(element)

    def _paragraph(self, paragraph: Element) -> None:
        text, style = text_of(paragraph), self._style_of(paragraph)
        level = self._level(paragraph, style)
        if style.lower() == _TITLE and text.strip():
            self.title = self.title or one_line(text)
        elif level:
            self._outline.heading(level, text)
        elif _CODE.search(style):
            self._outline.add(code_lines(text), "code")
        elif item := one_line(text) if self._is_item(paragraph, style) else "":
            self._outline.add_item(f"- {item}")
        else:
            self._outline.add(one_block(text))
        for box in _boxes(paragraph):
            self.walk(box)

    def _style_of(self, paragraph: Element) -> str:
        marks = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style = self._styles.get(marks.get(qn("w:val"))) if marks is not None else None
        return str(style.name or "") if style is not None else ""

    def _level(self, paragraph: Element, style: str) -> int:
        """1 to 9 for a heading, by its style or its place in the outline; 0 for anything else."""
        if found := _HEADING.match(style):
            return int(found[1])
        mark = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        value = mark.get(qn("w:val")) if mark is not None else "9"
        return int(value) + 1 if value in set("012345678") else 0

    def _is_item(self, paragraph: Element, style: str) -> bool:
        return paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None or bool(_LIST.match(style))

    def _table(self, table: Element) -> None:
        """A table of one column or one row lays out a page: what stands in it is read as if there were none."""
        rows = _rows(table)
        if len(rows) > 1 and max(map(len, rows)) > 1:
            self._outline.add(table_text(rows), "table")
            return
        for cell in table.iter(qn("w:tc")):
            if next(cell.iterancestors(qn("w:tbl"))) is table:
                self.walk(cell)


def text_of(element: Element) -> str:
    """What a reader sees of an element, line breaks and tabs included; paragraphs in it end with a line feed."""
    parts: list[str] = []
    stack = [element]
    while stack:
        current = stack.pop()
        if current.tag == qn("w:t"):
            parts.append(current.text or "")
        elif current.tag in _BREAKS:
            parts.append(_BREAKS[current.tag])
        elif current.tag == qn("w:p") and parts:
            parts.append("\n")
        if current.tag not in _UNSEEN and not _is_hidden(current):
            stack.extend(reversed(list(current.iterchildren(tag=None))))
    return "".join(parts)


def _is_hidden(element: Element) -> bool:
    if element.tag != qn("w:r"):
        return False
    mark = element.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return mark is not None and mark.get(qn("w:val")) not in {"0", "false"}


def _boxes(paragraph: Element) -> Iterator[Element]:
    """Text boxes anchored in a paragraph, once each: a copy for old programs stands beside them."""
    for box in paragraph.iter(qn("w:txbxContent")):
        if not any(True for _ in box.iterancestors(_FALLBACK)):
            yield box


def _rows(table: Element) -> list[list[str]]:
    """The texts of cells; one that spans columns or rows is repeated in each."""
    grid: list[list[str]] = []
    for row in table.iterchildren(qn("w:tr")):
        texts: list[str] = []
        for cell in row.iter(qn("w:tc")):
            if next(cell.iterancestors(qn("w:tr"))) is not row:
                continue
            properties = cell.find(qn("w:tcPr"))
            continued = _continues(properties) and grid and len(texts) < len(grid[-1])
            text = grid[-1][len(texts)] if continued else one_line(text_of(cell))
            texts.extend([text] * _span(properties))
        grid.append(texts)
    return [row for row in grid if row]


def _continues(properties: Element) -> bool:
    """Whether a cell is the lower part of the one above it."""
    mark = properties.find(qn("w:vMerge")) if properties is not None else None
    return mark is not None and mark.get(qn("w:val"), "continue") == "continue"


def _span(properties: Element) -> int:
    mark = properties.find(qn("w:gridSpan")) if properties is not None else None
    value = mark.get(qn("w:val"), "1") if mark is not None else "1"
    return min(int(value), 50) if value.isascii() and value.isdigit() and int(value) else 1


def _footnotes(document: Document) -> Iterator[str]:
    from lxml import etree

    for relation in document.part.rels.values():
        if relation.is_external or not relation.reltype.endswith(_FOOTNOTES):
            continue
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        for note in etree.fromstring(relation.target_part.blob, parser).iterchildren(qn("w:footnote")):
            if note.get(qn("w:type")) is None and (text := one_line(text_of(note))):
                yield f"Footnote {note.get(qn('w:id'))}: {text}"


def warm_up() -> None:
    """What a process that will read many documents does once."""
    docx.Document()
