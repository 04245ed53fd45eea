"""`ostiary audit export`: the whole log in a file, written as it is read."""

import csv
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.text import Text

from auth.errors import OstiaryError
from auth.exporting import COLUMNS, rows_for_export
from bot.cli.administering import open_desk
from bot.cli.output import counted, out


class FileThere(OstiaryError):
    """An export would overwrite a file; the message names it."""


async def export_log(file: Path, form: str) -> None:
    """Write every event to a file as jsonl or csv, and print how many. Raises FileThere."""
    with _appearing(file) as target:
        async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
            written = await _write(rows_for_export(connection), target, form)
    out.print(Text(f"{counted(written, 'event')} written to {file}."))


@contextmanager
def _appearing(file: Path) -> Iterator[TextIO]:
    """A file that is there only once it is complete, for the eyes of its owner alone."""
    if file.exists():
        raise FileThere(f"There is a file {file} already. Name another one, or move it away.")
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as target:
            yield target
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


async def _write(rows: AsyncIterator[dict[str, str | int | None]], target: TextIO, form: str) -> int:
    written = 0
    table = csv.DictWriter(target, COLUMNS) if form == "csv" else None
    if table:
        table.writeheader()
    async for row in rows:
        if table:
            table.writerow(row)
        else:
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
        written += 1
    return written
