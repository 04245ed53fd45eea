"""`ostiary access collection`: documents that belong together, their readers, and who may be asked for them."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Documents, DryRun, For, Readers, legible

if TYPE_CHECKING:
    from bot.administering.changes import Change
    from bot.cli.administering import Desk

app = typer.Typer(
    name="collection",
    help="Collections: documents with one set of readers, whose owners can be asked for them.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Name of a collection.", metavar="NAME", callback=legible)]


@app.command("list")
def list_() -> None:
    """Every collection, its readers, and how many documents are in it."""
    from bot.cli.access_tables import print_collections

    asyncio.run(print_collections())


@app.command()
def define(
    name: Name,
    readers: Readers,
    owners: Annotated[
        str | None,
        typer.Option(help="Role whose holders may be asked for it.", metavar="ROLE", callback=legible),
    ] = None,
    lends: Annotated[
        str | None,
        typer.Option(help="Role that the owners lend to whoever asks.", metavar="ROLE", callback=legible),
    ] = None,
    for_: For = None,
    dry_run: DryRun = False,
) -> None:
    """Make a collection, or change the one of this name; its documents follow its readers.

    With --owners and --lends, whoever may not read it can ask its owners. --for says how long the role is lent: a
    day where nothing is said.
    """
    from auth.labels import parse_policy
    from bot.administering.changes import DefineCollection
    from bot.cli.administering import carry_out

    async def defined(desk: "Desk") -> "Change":
        return DefineCollection(name, parse_policy(readers), owners, lends, for_ or timedelta(days=1))

    asyncio.run(carry_out(defined, dry_run=dry_run))


@app.command()
def change(name: Name, readers: Readers, dry_run: DryRun = False) -> None:
    """Give a collection, and every document in it, other readers."""
    from auth.labels import parse_policy
    from bot.administering.changes import RelabelCollection
    from bot.cli.administering import carry_out

    async def relabelled(desk: "Desk") -> "Change":
        collection = await desk.collection(name)
        return RelabelCollection(collection.id, parse_policy(readers), collection.name)

    asyncio.run(carry_out(relabelled, dry_run=dry_run))


@app.command()
def fade(
    name: Name,
    half_life: Annotated[
        int | None,
        typer.Option(help="Days after which what is in it counts half.", metavar="DAYS", min=1, max=36_500),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="It does not matter how old it is.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Let news count less the older it is. Policies count the same however old they are: that is the default."""
    from bot.administering.changes import FadeCollection
    from bot.cli.administering import carry_out

    if (half_life is None) != never:
        raise typer.BadParameter("Give --half-life DAYS, or --never.")

    async def faded(desk: "Desk") -> "Change":
        return FadeCollection((await desk.collection(name)).name, half_life)

    asyncio.run(carry_out(faded, dry_run=dry_run))


@app.command()
def file(
    documents: Documents,
    into: Annotated[
        str | None, typer.Option("--in", help="Name of the collection.", metavar="NAME", callback=legible)
    ] = None,
    out: Annotated[bool, typer.Option("--out", help="Take them out of their collection.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Put documents into a collection, or take them out. They keep their own readers."""
    from bot.administering.changes import FileDocuments
    from bot.cli.administering import carry_out

    if (into is None) != out:
        raise typer.BadParameter("Give --in NAME, or --out.")

    async def filed(desk: "Desk") -> "Change":
        collection_id = None if into is None else (await desk.collection(into)).id
        return FileDocuments(await desk.documents(documents), collection_id, into or "")

    asyncio.run(carry_out(filed, dry_run=dry_run))
