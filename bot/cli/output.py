"""What the command line prints: answers, outcomes, progress and errors. Documents' words are never markup."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.assistant import NOTHING_FOUND, Parts, Reply
from bot.citing import source_details, source_name
from retrieval.passages import Passage

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
            err.print(Text(f"{line} ..."), soft_wrap=True)
        last = step

    return show


def print_parts(parts: Parts, asker: str, place: str | None) -> None:
    """An answer as everybody in a place, and the asker alone, would get it."""
    if parts.everybody:
        out.print(_panel(f"For everybody in {place}" if place else f"For {asker}", parts.everybody))
    if parts.asker:
        out.print(_panel(f"For {asker} alone: not everybody in {place} may read this", parts.asker))
    if not (parts.everybody or parts.asker):
        out.print(Panel(Text(NOTHING_FOUND), title=f"For {asker} alone" if place else f"For {asker}"))


def _panel(title: str, reply: Reply) -> Panel:
    said = " ".join(
        sentence.text + "".join(f" [{number}]" for number in sentence.passages)
        for sentence in reply.answer.sentences
    )
    sources = [Text(cite(number, p), style="dim") for number, p in enumerate(reply.answer.cited, start=1)]
    return Panel(Group(Text(said), Text(""), *sources), title=Text(title), title_align="left")


def cite(number: int, passage: Passage) -> str:
    """`[1] Title › Heading, p. 3 · 1 March 2026`."""
    return f"[{number}] {source_name(passage)}{source_details(passage)}"


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
