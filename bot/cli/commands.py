"""The commands and their options, as `--help` shows them."""

import asyncio
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import access, admin, approved, audit, digests, docs, gaps, jobs, models, roles, sources
from bot.cli.options import span

app = typer.Typer(
    name="ostiary",
    help="A permission-aware assistant: it answers only from documents that everybody who will see the answer may"
    " read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(roles.app)
app.add_typer(access.app)
app.add_typer(docs.app)
app.add_typer(admin.app)
app.add_typer(audit.app)
app.add_typer(sources.app)
app.add_typer(jobs.app)
app.add_typer(models.app)
app.add_typer(digests.app)
app.add_typer(approved.app)
app.add_typer(gaps.app)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ostiary {version('ostiary')}")
        raise typer.Exit


@app.callback(help=app.info.help)
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """What stands before a command."""


def _legible(given: str | None) -> str | None:
    """What a shell may pass that is no text, a lone byte, is shown as such."""
    return given and given.encode("utf-8", "replace").decode()


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.", callback=_legible)],
    as_: Annotated[
        str, typer.Option("--as", help="Handle of the person who asks.", metavar="HANDLE", callback=_legible)
    ],
    in_: Annotated[
        str | None,
        typer.Option(
            "--in",
            help="Channel in which it is asked. Without it: a direct message.",
            metavar="CHANNEL",
            callback=_legible,
        ),
    ] = None,
) -> None:
    """Ask a question as somebody would in Slack, and see who would get which answer."""
    from bot.cli.asking import ask_once

    asyncio.run(ask_once(question, as_, in_))


@app.command()
def ingest(
    source: Annotated[
        str, typer.Argument(help="A file, a folder, a zip archive, or a web address.", metavar="PATH|URL")
    ],
    readers: Annotated[
        str,
        typer.Option(
            help="Who may read it: roles, a comma for any of them, a plus where all are needed, ! for must not be"
            " held. Example: finance+leadership,hr",
            metavar="ROLE,...",
        ),
    ],
    title: Annotated[
        str | None, typer.Option(help="Title, instead of the document's own.", callback=_legible)
    ] = None,
    dated: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date of the document, YYYY-MM-DD.", metavar="DATE"),
    ] = None,
    department: Annotated[str, typer.Option(help="Department that it belongs to.", callback=_legible)] = "",
    expires: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Last day on which it answers, YYYY-MM-DD (UTC).", metavar="DATE"
        ),
    ] = None,
    every: Annotated[
        timedelta | None,
        typer.Option(
            help="Keep it as a source and read it again this often: 12h, 7d.", metavar="TIME", parser=span
        ),
    ] = None,
) -> None:
    """Add documents, or newer versions of them, and say who may read them."""
    from bot.cli.ingesting import ingest_source
    from bot.cli.options import end_of

    if every is not None:
        if title or dated or expires:
            raise typer.BadParameter("What is read again and again has its own title, date and end.")
        from bot.cli.keeping import Given, keep

        given = Given(source, readers, every, department=department)
        asyncio.run(keep(given, later=False, dry_run=False))
        return
    day = dated.date() if dated else None
    asyncio.run(ingest_source(source, readers, title, day, department, end_of(expires, None)))


@app.command()
def directory(
    file: Annotated[
        Path, typer.Argument(help="TOML file with [workspace], [[roles]], [[people]], [[channels]].")
    ],
) -> None:
    """Load roles, people and channels from a file. Loading it again brings everything to what it says."""
    from bot.cli.directory import load_directory_file

    asyncio.run(load_directory_file(file))


@app.command()
def serve(
    no_worker: Annotated[
        bool,
        typer.Option("--no-worker", help="Leave documents to `ostiary worker`, and answer questions alone."),
    ] = False,
) -> None:
    """Connect to Slack and answer until stopped."""
    from bot.cli.serving import serve as run

    asyncio.run(run(works=not no_worker))


@app.command()
def worker() -> None:
    """Take documents in beside the bot: what is handed in through Slack, and sources when they are due."""
    from bot.cli.working import work

    asyncio.run(work())


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the page.", min=0, max=65535)] = 8765,
) -> None:
    """Try it without Slack: a demo company, its workspace in the browser, and the bot in it."""
    from bot.cli.demo import run_demo

    asyncio.run(run_demo(port))


@app.command()
def migrate(
    down_to: Annotated[
        str | None, typer.Option(help="Go back to this revision instead; `base` takes everything away.")
    ] = None,
    half_vectors: Annotated[
        bool | None,
        typer.Option(
            "--half-vectors/--whole-vectors",
            help="Index vectors in half numbers, for little more than half the memory; or in whole ones again.",
        ),
    ] = None,
) -> None:
    """Bring the database to this version of Ostiary."""
    from bot.cli.migrating import migrate as run

    asyncio.run(run(down_to, half_vectors))


@app.command()
def doctor() -> None:
    """Say what is configured, what is missing, and how to mend it."""
    from bot.cli.doctor import examine

    if not asyncio.run(examine()):
        raise typer.Exit(1)


@app.command()
def probe(
    seed: Annotated[int, typer.Option(help="Decides what is drawn where not everything can be tried.")] = 0,
    people: Annotated[int, typer.Option(help="Synthetic people at most.", min=20)] = 300,
    asks: Annotated[int, typer.Option(help="Questions on each surface at most.", min=10)] = 2500,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this surface; may be given again.", metavar="SURFACE")
    ] = None,
    real_model: Annotated[
        bool, typer.Option("--real-model", help="Answer with the language model instead of repeating it all.")
    ] = False,
) -> None:
    """Plant secrets under every label, try to get them out as people of every role, and say what leaked."""
    from bot.cli.probe import run_probe
    from bot.probe.scene import Limits

    limits = Limits(people=people, asks=asks)
    if not asyncio.run(run_probe(seed, limits, only or [], real_model=real_model)):
        raise typer.Exit(1)
