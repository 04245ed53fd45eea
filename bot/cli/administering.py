"""What commands of administration share: a desk with the database open, a change carried out, its effect told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from auth.clearance import Clearance
from auth.database import Database
from auth.directory import person_called
from auth.labelling import label_with
from auth.labels import Policy
from auth.people import Person
from auth.rights import nothing, rights_of
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import Change
from bot.administering.wording import capitalised
from bot.cli.output import out, progress_line
from bot.opening import open_database, the_workspace
from bot.settings import load_settings
from retrieval.cataloguing import Collected, collection_called, document_called

PEOPLE_NAMED = 12


@dataclass(frozen=True)
class Desk:
    """The workspace that the command line works in, and whom and what its arguments name."""

    database: Database
    workspace_id: int

    @property
    def administration(self) -> Administration:
        return Administration(self.database, self.workspace_id)

    async def person(self, handle: str) -> Person:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await person_called(connection, handle)

    async def viewer(self, handle: str | None) -> Clearance | None:
        """Whose eyes titles are shown to; None where nobody is named."""
        if handle is None:
            return None
        person = await self.person(handle)
        rights = await rights_of(self.database, self.workspace_id, person.slack_user_id)
        return rights.clearance if rights else nothing(self.workspace_id)

    async def documents(self, names: Iterable[str]) -> tuple[int, ...]:
        """The ids of documents named by id, address, or the end of an address."""
        async with self.database.writing_in(self.workspace_id) as connection:
            return tuple([(await document_called(connection, name)).id for name in names])

    async def label(self, policy: Policy) -> int:
        """The id of the label with just these readers. Raises UnknownLabel."""
        async with self.database.writing_in(self.workspace_id) as connection:
            return await label_with(connection, policy)

    async def collection(self, name: str) -> Collected:
        async with self.database.writing_in(self.workspace_id) as connection:
            return await collection_called(connection, name)


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
        yield Desk(database, await the_workspace(database, settings))


async def carry_out(of: Callable[[Desk], Awaitable[Change]], *, dry_run: bool) -> None:
    """Carry out a change, or only look, and print what it does to whom and how to undo it."""
    async with open_desk() as desk:
        change = await of(desk)
        if dry_run:
            effect = await desk.administration.preview(change, COMMAND_LINE)
            out.print(Text(f"Nothing is changed (--dry-run). This would be: {change.in_words()}."))
            out.print(Text(effect.in_words(PEOPLE_NAMED)))
            return
        done = await desk.administration.carry_out(change, COMMAND_LINE)
    if done.change_id is None:
        out.print(Text("Nothing changed: it was so already."))
        for note in done.effect.notes:
            out.print(Text(note))
        return
    out.print(Text(f"{capitalised(change.in_words())}."))
    out.print(Text(done.effect.in_words(PEOPLE_NAMED)))
    if done.undoable_id is not None:
        out.print(Text(f"Undo: ostiary access undo {done.undoable_id}", style="dim"))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """A table, or the sentence that says why there is none. What it shows is never markup."""
    if not rows:
        out.print(Text(empty))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        right = column in {"Id", "Documents", "Holders", "Labels"}
        name = column in {"Role", "Handle", "Holds", "Name"}
        table.add_column(column, justify="right" if right else "left", no_wrap=name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)
