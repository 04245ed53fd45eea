"""From the lines of pages to headings, paragraphs, lists and tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.outline import Outline, table_text
from retrieval.parsing.pdf_lines import Cell, Line
from retrieval.parsing.pdf_rows import put_together

_HEADING_SIZE = 1.15  # times that of the text
_LONGEST_HEADING = 150
_LONGEST_BOLD_HEADING = 80
_LEVELS = 4
_MARGIN = 0.09  # of the page's height, at its head and foot
_PARAGRAPH_GAP = 1.45  # times the usual distance of lines
_FLUSH = 4.0  # points
_ITEM = re.compile(r"(?:[•‣◦▪●○–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_BULLET = re.compile(r"[•‣◦▪●○–*-]\s+")
_PAGE_NUMBER = re.compile(r"(?:page|seite|p\.)?\W*\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE)


def write(pages: Sequence[list[Line]], outline: Outline) -> None:
    """Adds the pages' blocks to the outline; running heads and page numbers are left out. Pages count from 1."""
    pages = [put_together(page) for page in _without_running_heads(pages)]
    text_size = _text_size(pages)
    sizes = sorted({line.size for page in pages for line in page if line.size >= _HEADING_SIZE * text_size})[
        ::-1
    ]
    for number, page in enumerate(pages, start=1):
        for run in _runs(page, text_size):
            _write_run(run, number, text_size, sizes, outline)


def _without_running_heads(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Lines in the margins that stand on most pages, their figures aside, or that only number the page."""
    in_margins = Counter(key for page in pages for key in {_key(line) for line in page if _in_margin(line)})
    most = max(2, len(pages) * 0.4)

    def is_running(line: Line) -> bool:
        return _in_margin(line) and (
            in_margins[_key(line)] >= most or bool(_PAGE_NUMBER.fullmatch(line.text))
        )

    return [[line for line in page if not is_running(line)] for page in pages]


def _in_margin(line: Line) -> bool:
    return not _MARGIN < line.height_on_page < 1 - _MARGIN


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _text_size(pages: Sequence[list[Line]]) -> float:
    """The size in which most letters are set."""
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 1.0


def _runs(page: list[Line], text_size: float) -> Iterator[list[Line]]:
    """Lines that belong together: of a heading, of a paragraph or item, or the rows of a table."""
    distances = [above.bottom - below.top for above, below in pairwise(page) if above.size == below.size]
    usual = (
        median(near) if (near := [gap for gap in distances if 0 < gap < 3 * text_size]) else 1.2 * text_size
    )
    right = max((line.right for line in page), default=0.0)
    run: list[Line] = []
    for line in page:
        if run and not _continues(run, line, usual, right):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _continues(run: list[Line], line: Line, usual: float, right: float) -> bool:
    """Whether the line goes on with what the run began."""
    last = run[-1]
    if abs(last.size - line.size) > 0.5 or _ITEM.match(line.text):
        return False
    if len(line.cells) > 1 or len(last.cells) > 1:
        return _continues_table(run, line, usual)
    if last.bold != line.bold:
        return False
    gap = last.bottom - line.top
    if _ITEM.match(run[0].text):
        return gap <= _PARAGRAPH_GAP * usual and _continues_item(run, line, right)
    if gap > _PARAGRAPH_GAP * usual:
        return False
    if gap < 0:  # the next column: a sentence may go on there
        return not _ends_sentence(last)
    return not (
        _ends_sentence(last)
        and (last.right < right - 0.25 * right or line.left > last.left + 0.5 * line.size)
    )


def _continues_item(run: list[Line], line: Line, right: float) -> bool:
    """The lines of an item hang behind its mark; where they do not, only a full line is followed by another."""
    last = run[-1]
    if last.bottom < line.top:
        return False
    return line.left > run[0].left + 0.5 * line.size or (
        last.right > 0.85 * right and not _ends_sentence(last)
    )


def _continues_table(run: list[Line], line: Line, usual: float) -> bool:
    """A row stands close below the last one, with a cell flush with one of its own."""
    last = run[-1]
    if len(line.cells) < 2 or len(last.cells) < 2:
        return False
    if not 0 < last.bottom - line.top < 2.5 * max(usual, line.size * 1.2):
        return False
    return any(_are_flush(above, below) for above in last.cells[1:] for below in line.cells[1:])


def _are_flush(above: Cell, below: Cell) -> bool:
    middles = abs(above.left + above.right - below.left - below.right) / 2
    return min(_distance(above, below), middles) < _FLUSH


def _ends_sentence(line: Line) -> bool:
    return line.text.rstrip("\"'”’)").endswith((".", "!", "?", ":"))


def _write_run(run: list[Line], page: int, text_size: float, sizes: list[float], outline: Outline) -> None:
    text = one_line(" ".join(line.text for line in run))
    level = _heading_level(run, text, text_size, sizes)
    if level is not None:
        outline.heading(level, text, page)
    elif len(run) > 1 and len(run[0].cells) > 1:
        outline.add(table_text(_rows(run)), "table", page)
    elif _ITEM.match(text):
        bullet = _BULLET.match(text)
        outline.add_item(f"- {text[bullet.end() :]}" if bullet else text, page)
    else:
        outline.add(text, page=page)


def _heading_level(run: list[Line], text: str, text_size: float, sizes: list[float]) -> int | None:
    """By the rank of its size; bold lines in the text's own size stand below all others."""
    if not any(letter.isalpha() for letter in text) or any(len(line.cells) > 2 for line in run):
        return None
    if run[0].size in sizes and len(text) <= _LONGEST_HEADING:
        return min(sizes.index(run[0].size), _LEVELS - 1) + 1
    may_head = run[0].bold and len(run) == 1 and len(run[0].cells) == 1 and run[0].size >= text_size - 0.5
    if may_head and len(text) <= _LONGEST_BOLD_HEADING and not text.endswith((".", ",", ";", ":")):
        return min(len(sizes), _LEVELS) + 1
    return None


def _rows(run: list[Line]) -> list[list[str]]:
    """Each cell in the column that it stands nearest to; the row with the most cells sets the columns."""
    columns = max(run, key=lambda line: len(line.cells)).cells
    return [_row(line, columns) for line in run]


def _row(line: Line, columns: tuple[Cell, ...]) -> list[str]:
    if len(line.cells) == len(columns):
        return [cell.text for cell in line.cells]
    row = [""] * len(columns)
    for cell in line.cells:
        nearest = min(range(len(columns)), key=lambda at: _distance(cell, columns[at]))
        row[nearest] = f"{row[nearest]} {cell.text}".strip()
    return row


def _distance(cell: Cell, column: Cell) -> float:
    """Columns are flush on one of their sides."""
    return min(abs(cell.left - column.left), abs(cell.right - column.right))
