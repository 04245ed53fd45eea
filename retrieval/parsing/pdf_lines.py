"""The lines of a PDF page as PDFium reads them, with the look and the place that give away their role."""

import ctypes
import re
from dataclasses import dataclass
from statistics import median
from typing import Any

import pypdfium2.raw as pdfium

_BOLD = re.compile(r"bold|black|heavy|semibold|cmbx", re.IGNORECASE)
_BOLD_WEIGHT = 600
# Cells stand apart by more than a letter's height; words in justified text by less.
_CELL_GAP = 1.2


@dataclass(frozen=True)
class Cell:
    """Words of one line without a wide gap between them; `left` and `right` in points."""

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """One line. `top` and `bottom` are the heights of its first and last letter above the page's foot, in points.

    They differ where PDFium joined a word that was parted at a line's end.
    """

    cells: tuple[Cell, ...]
    size: float
    bold: bool
    top: float
    bottom: float
    height_on_page: float  # 0 at the foot, 1 at the head

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right


def read_lines(page: Any) -> list[Line]:
    """The lines of a pypdfium2 page in PDFium's reading order."""
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        page_height = max(page.get_height(), 1.0)
        lines: list[Line] = []
        start = 0
        for line in text.split("\r\n"):
            if line.strip():
                first = start + len(line) - len(line.lstrip())
                lines.append(_line(text_page, line.strip(), first, page_height))
            start += len(line) + 2
        return lines
    finally:
        text_page.close()


def _line(text_page: Any, text: str, first: int, page_height: float) -> Line:
    last = first + len(text) - 1
    # The first letter may be a bullet, the last one a footnote's mark.
    sizes = [pdfium.FPDFText_GetFontSize(text_page, at) for at in (first, (first + last) // 2, last)]
    size = max(median(sizes), 1.0)
    _, start_bottom, _, start_top = _box(text_page, first)
    end_bottom = _box(text_page, last)[1]
    return Line(
        cells=_cells(text_page, text, first, size),
        size=round(size, 1),
        bold=_is_bold(text_page, first) and _is_bold(text_page, last),
        top=start_bottom,
        bottom=end_bottom,
        height_on_page=(start_bottom + start_top) / 2 / page_height,
    )


def _cells(text_page: Any, text: str, first: int, size: float) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    start = 0
    for space in [found.start() for found in re.finditer(r"(?<=\S) (?=\S)", text)] + [len(text)]:
        if space < len(text):
            end_of_word = _box(text_page, first + space - 1)[2]
            gap = _box(text_page, first + space + 1)[0] - end_of_word
            if gap < _CELL_GAP * size:
                continue
        left, right = _box(text_page, first + start)[0], _box(text_page, first + space - 1)[2]
        cells.append(Cell(text[start:space].strip(), left, right))
        start = space + 1
    return tuple(cells)


def _box(text_page: Any, at: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a letter; zeros where PDFium made the letter up."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(text_page, at, left, right, bottom, top)
    return left.value, bottom.value, right.value, top.value


def _is_bold(text_page: Any, at: int) -> bool:
    name = ctypes.create_string_buffer(96)
    pdfium.FPDFText_GetFontInfo(text_page, at, name, len(name), ctypes.c_int())
    if name.value:
        return bool(_BOLD.search(name.value.decode("utf-8", "replace")))
    return bool(pdfium.FPDFText_GetFontWeight(text_page, at) >= _BOLD_WEIGHT)
