"""How the command line prints an answer. Documents' words are never markup."""

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from bot.assistant import NOTHING_FOUND, Parts, Reply
from bot.citing import source_details, source_name
from bot.cli.output import out
from retrieval.passages import Passage


def print_parts(parts: Parts, asker: str, place: str | None) -> None:
    """An answer as everybody in a place, and the asker alone, would get it."""
    if parts.everybody:
        out.print(_panel(f"For everybody in {place}" if place else f"For {asker}", parts.everybody))
    if parts.asker:
        out.print(_panel(f"For {asker} alone: not everybody in {place} may read this", parts.asker))
    if not (parts.everybody or parts.asker):
        out.print(Panel(Text(NOTHING_FOUND), title=f"For {asker} alone" if place else f"For {asker}"))


def _panel(title: str, reply: Reply) -> Panel:
    said = ("\n" if reply.answer.as_list else " ").join(
        sentence.text + "".join(f" [{number}]" for number in sentence.passages)
        for sentence in reply.answer.sentences
    )
    sources = [Text(cite(number, p), style="dim") for number, p in enumerate(reply.answer.cited, start=1)]
    return Panel(Group(Text(said), Text(""), *sources), title=Text(title), title_align="left")


def cite(number: int, passage: Passage) -> str:
    """`[1] Title › Heading, p. 3 · 1 March 2026`."""
    return f"[{number}] {source_name(passage)}{source_details(passage)}"
