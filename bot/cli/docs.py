"""`ostiary docs`: the documents there are, how they stand, and what can be done with them."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.access import change, remove
from bot.cli.options import As, Document, Documents, DryRun, end_of, legible, span

if TYPE_CHECKING:
    from bot.administering.changes import Change
    from bot.cli.administering import Desk

app = typer.Typer(
    name="docs",
    help="Documents: which there are, how they stand, their versions, what could not be taken in. Titles are shown"
    " only as somebody who may read them (--as).",
    no_args_is_help=True,
)
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)]
Offset = Annotated[int, typer.Option(help="How many to leave out first.", min=0)]
Collection = Annotated[
    str | None, typer.Option(help="Only those in this collection.", metavar="NAME", callback=legible)
]
Readers = Annotated[
    str | None, typer.Option(help="Only those with just these readers.", metavar="POLICY", callback=legible)
]
Source = Annotated[
    str,
    typer.Option(
        help="Only those whose address begins so: https://wiki, file:///srv, slack-", callback=legible
    ),
]
State = Annotated[
    str | None, typer.Option(help="Only those that are answering, expired, withdrawn or stale.")
]


@app.command("list")
def list_(
    collection: Collection = None,
    readers: Readers = None,
    source: Source = "",
    state: State = None,
    as_: As = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """Every document, or those of a collection, for some readers, from somewhere, in some state."""
    from bot.cli.documents import Listed, print_documents

    asyncio.run(print_documents(Listed("", collection, readers, source, state), as_, limit, offset))


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="Words of a title, or of an address.", callback=legible)],
    collection: Collection = None,
    readers: Readers = None,
    source: Source = "",
    state: State = None,
    as_: As = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """Documents by words of their addresses; with --as by words of what that person may read."""
    from bot.cli.documents import Listed, print_documents

    asyncio.run(print_documents(Listed(words, collection, readers, source, state), as_, limit, offset))


@app.command()
def show(document: Document, as_: As = None) -> None:
    """One document: its readers, owner and end, its versions, and what is nearly the same."""
    from bot.cli.documents import print_document

    asyncio.run(print_document(document, as_))


@app.command()
def history(document: Document, as_: As = None, limit: Limit = 50) -> None:
    """The versions of a document, and what happened to it."""
    from bot.cli.documents import print_history

    asyncio.run(print_history(document, as_, limit))


@app.command()
def expire(
    documents: Documents,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day on which they answer (UTC).", metavar="DATE"),
    ] = None,
    in_: Annotated[
        timedelta | None,
        typer.Option("--in", help="How long they still answer: 12h, 7d, 2w.", metavar="TIME", parser=span),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="They answer for good.")] = False,
    now: Annotated[bool, typer.Option("--now", help="They no longer answer.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Say until when documents answer. What has expired is kept, and answers again when its end is taken away."""
    from datetime import UTC

    from bot.administering.changes import ExpireDocuments
    from bot.cli.administering import carry_out

    if [on is not None, in_ is not None, never, now].count(True) != 1:
        raise typer.BadParameter("Give one of --on DATE, --in TIME, --now and --never.")
    at = datetime.now(UTC) if now else end_of(on, in_)

    async def expired(desk: "Desk") -> "Change":
        return ExpireDocuments(await desk.documents(documents), at)

    asyncio.run(carry_out(expired, dry_run=dry_run))


@app.command()
def owner(
    documents: Documents,
    role: Annotated[
        str | None, typer.Option(help="They belong to a role.", metavar="ROLE", callback=legible)
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="They belong to a person.", metavar="HANDLE", callback=legible)
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="They belong to nobody.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Say to whom documents belong. It opens nothing to them: readers are given with `relabel`."""
    from bot.administering.changes import OwnDocuments
    from bot.cli.administering import carry_out

    if [role is not None, person is not None, nobody].count(True) != 1:
        raise typer.BadParameter("Give one of --role ROLE, --person HANDLE and --nobody.")

    async def owned(desk: "Desk") -> "Change":
        ids = await desk.documents(documents)
        whose = await desk.person(person) if person else None
        return OwnDocuments(ids, role, whose.id if whose else None, whose.handle if whose else "")

    asyncio.run(carry_out(owned, dry_run=dry_run))


@app.command()
def refresh(documents: Documents) -> None:
    """Take documents in again from where they came: a web address, or a file of this machine."""
    from bot.cli.documents import refresh_documents

    if not asyncio.run(refresh_documents(documents)):
        raise typer.Exit(1)


@app.command()
def reindex(
    documents: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of documents, or addresses; all, without any.", metavar="[DOCUMENT]..."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that this embedding model has indexed already.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
) -> None:
    """Index documents anew that another embedding model, or an older Ostiary, has indexed.

    From the passages that are stored: nothing is fetched, and no version is added. Each is found as before until it
    is done; whatever a run that was stopped had not come to is left for the next.
    """
    from bot.cli.reindexing import reindex as run

    if not asyncio.run(run(documents, every=every, dry_run=dry_run)):
        raise typer.Exit(1)


@app.command()
def failures(
    limit: Limit = 50,
    offset: Offset = 0,
    forget: Annotated[
        list[int] | None, typer.Option(help="Let go of the failure with this id; may be given again.")
    ] = None,
) -> None:
    """What could not be taken in, and why. A failure goes by itself once the document is in."""
    from bot.cli.documents import forget_failures, print_failures

    asyncio.run(forget_failures(forget) if forget else print_failures(limit, offset))


app.command("relabel", help="Give documents other readers: as `ostiary access change`.")(change)
app.command("remove", help="Remove documents for good: as `ostiary access remove`.")(remove)
