"""Comma-separated values and their kin: rows under the names of their columns."""

import csv
from io import StringIO

from retrieval.parsing.cleaning import one_line, without_unwanted
from retrieval.parsing.decoding import decode
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline, table_text
from retrieval.parsing.sheets import without_empty_columns

MEDIA_TYPE = "text/csv"
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES, _ENOUGH_LINES, _ALIKE = 30, 2, 0.9


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads rows; title: the file's name. The first row names the columns."""
    text = decode(data)
    if text is None:
        raise UnreadableDocument(
            f"{name} could not be read as a table: it is not text in any known encoding."
        )
    text = without_unwanted(text)
    csv.field_size_limit(10**6)
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter_of(text) or ","))
    except csv.Error as error:
        raise UnreadableDocument(f"{name} is damaged ({error}). Save it anew and send it again.") from error
    cells = [[one_line(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    outline = Outline()
    if cells:
        outline.add(table_text(without_empty_columns(cells)), "table")
    title = title_from(name)
    return ParsedDocument(title, outline.blocks(title), MEDIA_TYPE)


def delimiter_of(text: str) -> str | None:
    """What parts the columns; None where rows are not of one width throughout."""
    sample = "\n".join(text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES])
    widths = {mark: _width(sample, mark) for mark in DELIMITERS}
    best = max(widths, key=lambda mark: widths[mark])
    return best if widths[best] > 1 else None


def _width(sample: str, delimiter: str) -> int:
    """How many columns nine of ten rows have; 1 where they differ."""
    try:
        rows = [row for row in csv.reader(StringIO(sample, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return 1
    widths = [len(row) for row in rows]
    if len(rows) < _ENOUGH_LINES:
        return 1
    usual = max(set(widths), key=widths.count)
    return usual if widths.count(usual) >= _ALIKE * len(widths) else 1
