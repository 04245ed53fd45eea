"""`ostiary access`: who may read what, why, and changes of it."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.collections import app as collections
from bot.cli.options import As, Document, Documents, DryRun, Handle, Readers, legible

if TYPE_CHECKING:
    from bot.administering.changes import Change
    from bot.cli.administering import Desk

app = typer.Typer(
    name="access",
    help="Readers: who may read which document, why, and changes of it. Titles are shown only as somebody who may"
    " read them: administering is not reading.",
    no_args_is_help=True,
)
app.add_typer(collections)


@app.command()
def show(
    words: Annotated[
        str,
        typer.Argument(help="Words of a title, an address, or a collection's name.", callback=legible),
    ] = "",
    as_: As = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option(help="How many to leave out first.", min=0)] = 0,
) -> None:
    """Documents and who may read them."""
    from bot.cli.access_tables import print_documents

    asyncio.run(print_documents(words, as_, limit, offset))


@app.command()
def explain(handle: Handle, document: Document) -> None:
    """Why somebody can, or cannot, read a document."""
    from bot.cli.access_tables import print_explanation

    asyncio.run(print_explanation(handle, document))


@app.command()
def change(documents: Documents, readers: Readers, dry_run: DryRun = False) -> None:
    """Give documents other readers."""
    from auth.labels import parse_policy
    from bot.administering.changes import RelabelDocuments
    from bot.cli.administering import carry_out

    async def relabel(desk: "Desk") -> "Change":
        return RelabelDocuments(await desk.documents(documents), parse_policy(readers))

    asyncio.run(carry_out(relabel, dry_run=dry_run))


@app.command()
def remove(documents: Documents, dry_run: DryRun = False) -> None:
    """Remove documents for good, with all of their versions and the text of answers made from them."""
    from bot.administering.changes import RemoveDocuments
    from bot.cli.administering import carry_out

    async def removed(desk: "Desk") -> "Change":
        return RemoveDocuments(await desk.documents(documents))

    asyncio.run(carry_out(removed, dry_run=dry_run))


@app.command()
def change_label(
    policy: Annotated[str, typer.Argument(help="Readers as they are.", metavar="POLICY", callback=legible)],
    to: Annotated[
        str, typer.Option("--to", help="Readers as they shall be.", metavar="POLICY", callback=legible)
    ],
    dry_run: DryRun = False,
) -> None:
    """Give everything with the same readers other ones, in one place."""
    from auth.labels import parse_policy
    from bot.administering.changes import ChangeLabel
    from bot.cli.administering import carry_out

    async def changed(desk: "Desk") -> "Change":
        was = parse_policy(policy)
        return ChangeLabel(await desk.label(was), parse_policy(to), was)

    asyncio.run(carry_out(changed, dry_run=dry_run))


@app.command()
def labels() -> None:
    """Every combination of readers, and how many documents have it."""
    from bot.cli.access_tables import print_labels

    asyncio.run(print_labels())


@app.command()
def undo(
    change: Annotated[int, typer.Argument(help="Number of the change, as it was printed.", min=1)],
    dry_run: DryRun = False,
) -> None:
    """Put back what a change changed, where nothing of it was changed since."""
    from bot.administering.changes import UndoChange
    from bot.cli.administering import carry_out

    async def undone(desk: "Desk") -> "Change":
        return UndoChange(change)

    asyncio.run(carry_out(undone, dry_run=dry_run))
