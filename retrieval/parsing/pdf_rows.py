"""Puts together again what PDFium reads as several lines: rows of tables, cells that wrap, marks of items."""

import re
from collections.abc import Sequence
from dataclasses import replace

from retrieval.parsing.pdf_lines import Cell, Line

# A row's later cells follow its first ones after at most so many lines of a cell that wraps.
_LOOK_BACK = 4
_SAME_HEIGHT = 0.35  # of a letter
_SAME_LEFT = 2.5  # points
_MARK_ALONE = re.compile(r"[•‣◦▪●○–*-]|\(?\d{1,3}[.)]?")
_NUMBER = re.compile(r"(\d{1,3}) (?=[^\W\d_])")


def put_together(page: Sequence[Line]) -> list[Line]:
    """The page's lines with rows whole and every item behind a mark: "•" or "1."."""
    return _numbered(_rows([_mark_joined(line) for line in page]))


def _mark_joined(line: Line) -> Line:
    """A bullet or number that stands apart from its item is no cell of a table."""
    if len(line.cells) != 2 or not _MARK_ALONE.fullmatch(line.cells[0].text):
        return line
    mark, text = line.cells
    if text.left - mark.right > 4 * line.size:
        return line
    return replace(line, cells=(Cell(f"{mark.text} {text.text}", mark.left, text.right),))


def _rows(page: Sequence[Line]) -> list[Line]:
    lines: list[Line] = []
    for line in page:
        row = _row_at_same_height(lines, line)
        if row is not None:
            wrapped = lines[row + 1 :]
            lines[row:] = [_with_cells(_with_wrapped(lines[row], wrapped, -1), line.cells)]
        elif (column := _column_above(lines, line)) is not None:
            lines[-1] = _with_wrapped(lines[-1], [line], column)
        else:
            lines.append(line)
    return lines


def _row_at_same_height(lines: Sequence[Line], line: Line) -> int | None:
    """The line before, or shortly before, that this one continues to the right."""
    for at in range(len(lines) - 1, max(-1, len(lines) - 1 - _LOOK_BACK), -1):
        before = lines[at]
        if abs(before.top - line.top) < _SAME_HEIGHT * line.size and line.left > before.right:
            return at
    return None


def _column_above(lines: Sequence[Line], line: Line) -> int | None:
    """The column, not the first, of the row directly above under which a lone cell goes on."""
    if not lines or len(line.cells) != 1 or len(lines[-1].cells) < 2:
        return None
    if not 0 < lines[-1].bottom - line.top < 1.5 * line.size:
        return None
    lefts = [cell.left for cell in lines[-1].cells[1:]]
    near = [at for at, left in enumerate(lefts, start=1) if abs(left - line.left) < _SAME_LEFT]
    return near[0] if near else None


def _with_wrapped(row: Line, wrapped: Sequence[Line], column: int) -> Line:
    text = " ".join([row.cells[column].text, *(line.text for line in wrapped)])
    cells = list(row.cells)
    cells[column] = replace(cells[column], text=text)
    bottom = min([row.bottom, *(line.bottom for line in wrapped)])
    return replace(row, cells=tuple(cells), bottom=bottom)


def _with_cells(row: Line, cells: tuple[Cell, ...]) -> Line:
    return replace(row, cells=row.cells + cells)


def _numbered(page: Sequence[Line]) -> list[Line]:
    """Figures that count up from 1 at one left edge number items: "2 Check" becomes "2. Check"."""
    found = [_NUMBER.match(line.cells[0].text) if len(line.cells) == 1 else None for line in page]
    lines = list(page)
    counted: list[int] = []  # where 1, 2, 3 ... stand so far
    for at, (line, number) in enumerate([*zip(page, found, strict=True), (None, None)]):
        if line is not None and number is None:
            continue
        goes_on = number and int(number[1]) == len(counted) + 1 and _is_below(page, counted, at)
        if goes_on:
            counted.append(at)
            continue
        if len(counted) > 1:
            for item in counted:
                lines[item] = _with_dot(page[item])
        counted = [at] if number and int(number[1]) == 1 else []
    return lines


def _is_below(page: Sequence[Line], counted: Sequence[int], at: int) -> bool:
    return not counted or abs(page[counted[-1]].left - page[at].left) < 2 * _SAME_LEFT


def _with_dot(line: Line) -> Line:
    cell = line.cells[0]
    return replace(line, cells=(replace(cell, text=_NUMBER.sub(r"\1. ", cell.text, count=1)),))
