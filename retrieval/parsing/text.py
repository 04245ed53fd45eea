"""Plain text: paragraphs, lists, aligned columns, and the headings that their look gives away."""

import re

from retrieval.parsing.cleaning import one_line, without_unwanted
from retrieval.parsing.dates import stated_date
from retrieval.parsing.decoding import decode
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline, table_text

MEDIA_TYPE = "text/plain"

_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,})\s*")
_LEVEL_OF_UNDERLINE = {"=": 1, "-": 2, "~": 3}
_CAPITALS_LEVEL = 2
# One number alone numbers a list's item as often as a section.
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){1,4})\.?\s+[^\W\d_].*")
_ITEM = re.compile(r"\s*(?:[-*+•–]|\(?\d{1,3}[.)])\s+\S")
_BULLET = re.compile(r"[*+•–]\s+")
_COLUMN_GAP = re.compile(r"(?<=\S)(?: {2,}|\t+)(?=\S)")
_LONGEST_HEADING = 80


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads text. Title: its first line if that is a heading, else the first heading, else the file's name."""
    text = decode(data)
    if text is None:
        raise UnreadableDocument(f"{name} could not be read as text: it is not text in any known encoding.")
    outline = Outline()
    paragraphs = _paragraphs(without_unwanted(text))
    for paragraph in paragraphs:
        _add(paragraph, outline)
    title = outline.first_heading() or title_from(name)
    dated = stated_date("\n".join(paragraph) for paragraph in paragraphs[:4])
    return ParsedDocument(title, outline.blocks(title), MEDIA_TYPE, dated)


def _paragraphs(text: str) -> list[list[str]]:
    """Runs of lines without a blank line between them."""
    runs: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            runs[-1].append(line.rstrip())
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _add(lines: list[str], outline: Outline) -> None:
    if len(lines) > 1 and (mark := _UNDERLINE.fullmatch(lines[1].strip())) and _may_head(lines[0]):
        outline.heading(_LEVEL_OF_UNDERLINE[mark[1][0]], lines[0])
        lines = lines[2:]
    elif (level := _level_by_look(lines[0])) and (len(lines) == 1 or level == _CAPITALS_LEVEL):
        outline.heading(level, lines[0])
        lines = lines[1:]
    if not lines or all(_UNDERLINE.fullmatch(line.strip()) for line in lines):
        return
    if _is_table(lines):
        _add_columns([_COLUMN_GAP.split(line.strip()) for line in lines], outline)
    else:
        _add_prose(lines, outline)


def _add_columns(rows: list[list[str]], outline: Outline) -> None:
    """Columns with a header are a table; without one, each line is an item that its first cell names."""
    if _has_header(rows):
        outline.add(table_text([row for row in rows if not _is_rule(row)]), "table")
        return
    items = [f"- {first}: {', '.join(rest)}" for first, *rest in rows]
    outline.add("\n".join(map(one_line, items)), "list")


def _has_header(rows: list[list[str]]) -> bool:
    """A rule under the first row, or a first row without figures over rows that all have some."""
    if _is_rule(rows[1]):
        return True
    figures = [any(letter.isdigit() for cell in row for letter in cell) for row in rows]
    return len(rows) > 2 and not figures[0] and all(figures[1:])


def _is_rule(row: list[str]) -> bool:
    return all(set(cell) <= set("-=+|:") for cell in row)


def _level_by_look(line: str) -> int | None:
    """The level of a line that looks like a heading: IN CAPITALS, or numbered and without a full stop."""
    text = line.strip()
    if not _may_head(line) or _COLUMN_GAP.search(text):
        return None
    if sum(letter.isalpha() for letter in text) >= 3 and text == text.upper() != text.lower():
        return _CAPITALS_LEVEL
    numbered = _NUMBERED.fullmatch(text)
    if not numbered or not text[-1].isalnum() or not text[numbered.end(1) :].lstrip(". ")[0].isupper():
        return None
    return _CAPITALS_LEVEL + numbered[1].count(".")


def _may_head(line: str) -> bool:
    text = line.strip()
    return 0 < len(text) <= _LONGEST_HEADING and not text.endswith((".", ",", ";")) and line[:1] not in " \t"


def _is_table(lines: list[str]) -> bool:
    """Every line of two or more falls into the same number of columns, two at least."""
    if len(lines) < 2 or any(_ITEM.match(line) for line in lines):
        return False
    return len(widths := {len(_COLUMN_GAP.split(line.strip())) for line in lines}) == 1 and widths.pop() > 1


def _add_prose(lines: list[str], outline: Outline) -> None:
    """A paragraph whose lines are wrapped; list items in it are parted from the words that lead to them."""
    starts = [at for at, line in enumerate(lines) if _ITEM.match(line)]
    lead = lines[: starts[0]] if starts else lines
    outline.add(_joined(lead))
    runs = [lines[at:end] for at, end in zip(starts, [*starts[1:], len(lines)], strict=False)]
    outline.add("\n".join(_item(run) for run in runs), "list")


def _item(lines: list[str]) -> str:
    text = _joined(lines)
    bullet = _BULLET.match(text)
    return f"- {text[bullet.end() :]}" if bullet else text


def _joined(lines: list[str]) -> str:
    return one_line(" ".join(lines))
