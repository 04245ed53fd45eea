"""`ostiary sources`: where documents come from, again and again."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from bot.cli.options import DryRun, legible, span

app = typer.Typer(
    name="sources",
    help="Sources that are kept: read again on a schedule. What changed gets a new version, what is gone no longer"
    " answers, what somebody was given or denied by hand stays so.",
    no_args_is_help=True,
)
Id = Annotated[int, typer.Argument(help="Number of a source, as `ostiary sources list` shows it.", min=1)]
Every = Annotated[
    timedelta | None,
    typer.Option(
        help="How often it is read: 30m, 12h, 7d. Without it: when you ask.", metavar="TIME", parser=span
    ),
]

LabelBy = Annotated[
    list[str] | None,
    typer.Option(
        help="Readers by a field of what the loader loads: department=finance:finance+leadership. Once for each"
        " value; nobody may read what carries another.",
        metavar="FIELD=VALUE:POLICY",
    ),
]


Reference = Annotated[
    str,
    typer.Argument(
        help="A file, folder or zip archive, a web address, a sitemap (https://.../sitemap.xml), or with"
        " --loader the dotted name of a LangChain loader.",
        metavar="PATH|URL|NAME",
        callback=legible,
    ),
]
Readers = Annotated[
    str,
    typer.Option(
        help="Who may read what comes from it, as for `ostiary ingest`. With --label-by: nobody, by default.",
        metavar="POLICY",
        callback=legible,
    ),
]
Kind = Annotated[
    str | None, typer.Option(help="path, url, sitemap or loader, where it does not show.", callback=legible)
]
Arguments = Annotated[
    str,
    typer.Option(
        help='Arguments of the loader, as JSON. "env:NAME" stands for the environment variable NAME.',
        metavar="JSON",
        callback=legible,
    ),
]
IdBy = Annotated[
    str | None,
    typer.Option(
        help="Field of what the loader loads that tells one document from another.", callback=legible
    ),
]
Collection = Annotated[
    str | None, typer.Option(help="Collection that its documents are filed in.", callback=legible)
]
Department = Annotated[str, typer.Option(help="Department that they belong to.", callback=legible)]


@app.command()
def add(
    reference: Reference,
    readers: Readers = "",
    every: Every = None,
    kind: Kind = None,
    loader: Annotated[bool, typer.Option("--loader", help="It is a LangChain loader.")] = False,
    arguments: Arguments = "{}",
    label_by: LabelBy = None,
    id_by: IdBy = None,
    collection: Collection = None,
    department: Department = "",
    later: Annotated[bool, typer.Option("--later", help="Do not read it now.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Keep a source, and read it for the first time."""
    from bot.cli.keeping import Given, keep

    given = Given(
        reference, readers, every, "loader" if loader else kind, arguments, tuple(label_by or ()), id_by,
        collection, department,
    )  # fmt: skip
    asyncio.run(keep(given, later=later, dry_run=dry_run))


@app.command("list")
def list_() -> None:
    """Every source, how often it is read, and how the last time went."""
    from bot.cli.source_tables import print_sources

    asyncio.run(print_sources())


@app.command()
def show(source: Id) -> None:
    """One source, and what is in it."""
    from bot.cli.source_tables import print_source

    asyncio.run(print_source(source))


@app.command()
def relabel(
    source: Id,
    readers: Annotated[
        str,
        typer.Option(
            help="Who may read what comes from it, as for `ostiary ingest`.",
            metavar="POLICY",
            callback=legible,
        ),
    ] = "",
    label_by: LabelBy = None,
    dry_run: DryRun = False,
) -> None:
    """Give a source, and what came from it, other readers.

    A document that somebody gave readers of its own keeps them. What is being read meanwhile comes in for the new
    readers.
    """
    from bot.cli.keeping import relabel as run

    asyncio.run(run(source, readers, tuple(label_by or ()), dry_run=dry_run))


@app.command()
def pause(source: Id, dry_run: DryRun = False) -> None:
    """Leave a source alone. What came from it goes on answering."""
    from bot.administering.changes import PauseSource
    from bot.cli.keeping import change

    asyncio.run(change(PauseSource(source), dry_run=dry_run))


@app.command()
def resume(source: Id, dry_run: DryRun = False) -> None:
    """Take a paused source up again."""
    from bot.administering.changes import ResumeSource
    from bot.cli.keeping import change

    asyncio.run(change(ResumeSource(source), dry_run=dry_run))


@app.command()
def refresh(source: Id) -> None:
    """Read a source now, here; also what could not be read the last time."""
    from bot.cli.keeping import refresh as run

    asyncio.run(run(source))


@app.command()
def remove(
    source: Id,
    with_documents: Annotated[
        bool | None,
        typer.Option(
            "--with-documents/--keep-documents",
            help="Remove what came from it for good, or leave it as it is.",
        ),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Keep a source no longer; its documents with it, or not."""
    from bot.administering.changes import RemoveSource
    from bot.cli.keeping import change

    if with_documents is None:
        raise typer.BadParameter("Say what becomes of its documents: --with-documents or --keep-documents.")
    asyncio.run(change(RemoveSource(source, with_documents), dry_run=dry_run))
