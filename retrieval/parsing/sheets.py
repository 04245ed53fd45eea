"""Workbooks (.xlsx, .xls, .xlsb, .ods): each sheet's tables, with a header over every part of them."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from retrieval.parsing import archives
from retrieval.parsing.cleaning import one_line
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline, table_text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads all sheets that are not hidden; title: the file's name. Formulas come as what they last showed."""
    if data.startswith(b"PK"):
        archives.opened(data, name).close()
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise UnreadableDocument(
            f"{name} is locked with a password. Save it without one and send it again."
        ) from error
    except CalamineError as error:
        raise UnreadableDocument(f"{name} is damaged ({error}). Save it anew and send it again.") from error
    outline = Outline()
    for sheet in workbook.sheets_metadata:
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
            outline.heading(1, sheet.name)
            _add(workbook.get_sheet_by_name(sheet.name).to_python(), outline)
    title = title_from(name)
    return ParsedDocument(title, outline.blocks(title), MEDIA_TYPE)


def _add(rows: Sequence[Sequence[Any]], outline: Outline) -> None:
    for table in _tables(rows):
        if len(table) == 1 or max(map(len, table)) == 1:
            for row in table:
                outline.add(" ".join(cell for cell in row if cell))
        else:
            outline.add(table_text(table), "table")


def _tables(rows: Sequence[Sequence[Any]]) -> Iterator[list[list[str]]]:
    """Runs of rows without an empty row between them, without the columns that are empty in all of them."""
    run: list[list[str]] = []
    for row in [*rows, []]:
        texts = [cell_text(cell) for cell in row]
        if any(texts):
            run.append(texts)
        elif run:
            yield without_empty_columns(run)
            run = []


def without_empty_columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    width = max(map(len, rows))
    filled = [at for at in range(width) if any(at < len(row) and row[at] for row in rows)]
    return [[row[at] if at < len(row) else "" for at in filled] for row in rows]


def cell_text(cell: Any) -> str:
    """What a cell shows, as far as its value tells: 3 for 3.0, a day without a midnight."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.12g}"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date | time | timedelta | int):
        return str(cell)
    return one_line(str(cell)) if cell is not None else ""
