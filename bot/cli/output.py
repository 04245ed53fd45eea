"""How the command line prints: outcomes, progress and errors. Imports nothing heavy: even `--help` waits for it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

_FIGURES = re.compile(r"\d+")

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)


def say_error(sentence: str) -> None:
    err.print(Text.assemble(("Error: ", "bold red"), sentence))


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Shows the long step that runs at the moment; on a pipe it prints each step once."""
    if not err.is_terminal:
        yield _each_step_once()
        return
    with err.status("Starting ...") as status:
        yield lambda line: status.update(Text(f"{line} ..."))


def _each_step_once() -> Callable[[str], None]:
    """Prints a line unless it is the last one again with other figures: a log is no place to count aloud."""
    last = ""

    def show(line: str) -> None:
        nonlocal last
        step = _FIGURES.sub("", line)
        if step != last:
            err.print(Text(f"{line.partition(':')[0]} ..."), soft_wrap=True)
        last = step

    return show


def counted(number: int, thing: str) -> str:
    """`1 passage`, `2 passages`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def checks_table(rows: list[tuple[bool | None, str, str]]) -> Table:
    """(fine, what, how it stands): a tick, a cross, or a dot for what is merely said."""
    table = Table(show_header=False, box=None, padding=(0, 1))
    marks = {
        True: Text("ok", style="green"),
        False: Text("!!", style="bold red"),
        None: Text("--", style="dim"),
    }
    for fine, what, how in rows:
        table.add_row(marks[fine], Text(what, style="bold"), Text(how))
    return table
