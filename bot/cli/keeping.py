"""What `ostiary sources` does: keep a source, change it, read it here and now."""

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.text import Text

from auth.errors import OstiaryError
from auth.labels import NOBODY, Policy, parse_policy
from bot.administering.changes import AddSource, Change, RelabelSource
from bot.administering.wording import capitalised
from bot.cli.administering import Desk, carry_out, open_desk
from bot.cli.output import err, out
from bot.runtime import load_embeddings, open_ingestor
from bot.settings import load_settings
from bot.source_jobs import readers
from retrieval.sources.kept import Kind, list_sources
from retrieval.sources.refreshing import Refresher, Run


class UnclearSource(OstiaryError):
    """It cannot be told what source is meant, or for whom; the message says what to write."""


@dataclass(frozen=True)
class Given:
    """What was written on the command line."""

    reference: str
    readers: str
    every: timedelta | None = None
    kind: str | None = None
    arguments: str = "{}"
    label_by: tuple[str, ...] = ()
    id_by: str | None = None
    collection: str | None = None
    department: str = ""


async def keep(given: Given, *, later: bool, dry_run: bool) -> None:
    """Keep a source; unless `later`, read it at once."""
    wanted = _wanted(given)
    await change(wanted, dry_run=dry_run)
    if not later and not dry_run:
        async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
            same = [
                source for source in await list_sources(connection) if source.reference == wanted.reference
            ]
        await refresh(same[-1].id)


async def relabel(source_id: int, readers: str, label_by: tuple[str, ...], *, dry_run: bool) -> None:
    """Give a source other readers, by the values of its field where it goes by one."""
    if not readers and not label_by:
        raise UnclearSource("Say who may read it: --readers everyone, or --readers ROLE,...")
    field, by_value = _readers_by(label_by)
    policy = parse_policy(readers) if readers else None
    await change(RelabelSource(source_id, policy, by_value, field), dry_run=dry_run)


async def change(wanted: Change, *, dry_run: bool) -> None:
    async def made(_desk: Desk) -> Change:
        return wanted

    await carry_out(made, dry_run=dry_run)


async def refresh(source_id: int) -> None:
    """Read a source here; exit code 1 where something of it could not be read."""
    settings = load_settings()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk())
        embeddings = await load_embeddings(settings)
        ingestor = await stack.enter_async_context(open_ingestor(settings, desk.database, embeddings))
        refresher = Refresher(desk.database, ingestor, readers(settings.max_document_bytes))
        columns = (SpinnerColumn(), TextColumn("{task.completed} read"), TextColumn("{task.description}"))
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("Looking what is there", total=None)
            run = await refresher.refresh(
                desk.workspace_id,
                source_id,
                by_hand=True,
                on_progress=lambda name, done: bar.update(task, description=_shown(name), completed=done),
            )
    _report(source_id, run)
    if run.error or run.failures:
        sys.exit(1)


def _shown(name: str) -> str:
    """For rich: no markup, and not too long."""
    return (name if len(name) < 60 else f"...{name[-57:]}").replace("[", "\\[")


def _report(source_id: int, run: Run) -> None:
    for failure in run.failures:
        err.print(Text.assemble(("Not read: ", "bold red"), failure))
    if run.error:
        err.print(Text.assemble((f"Source {source_id} was not read to its end: ", "bold red"), run.error))
    counts = ", ".join(f"{number} {what}" for what, number in vars(run.counts).items())
    out.print(Text(f"Source {source_id}: {counts}."))


def _wanted(given: Given) -> AddSource:
    kind = _kind(given)
    if kind is not Kind.LOADER and (given.label_by or given.id_by or given.arguments != "{}"):
        raise UnclearSource("--arguments, --label-by and --id-by are for loaders: add --loader.")
    if not given.readers and not given.label_by:
        raise UnclearSource("Say who may read it: --readers everyone, or --readers ROLE,...")
    label_by, by_value = _readers_by(given.label_by)
    details: dict[str, Any] = {"arguments": _json(given.arguments)} if kind is Kind.LOADER else {}
    details |= {"label_by": label_by} if label_by else {}
    details |= {"id_by": given.id_by} if given.id_by else {}
    policy = parse_policy(given.readers) if given.readers else NOBODY
    reference = _absolute(given.reference) if kind is Kind.PATH else given.reference
    return AddSource(
        kind, reference, policy, details, by_value, given.collection, given.department, given.every
    )


def _kind(given: Given) -> Kind:
    if given.kind is not None:
        try:
            return Kind(given.kind)
        except ValueError:
            known = "path, url, sitemap, loader"
            raise UnclearSource(
                f"There is no kind of source called {given.kind}. There are: {known}."
            ) from None
    if not given.reference.startswith(("http://", "https://")):
        return Kind.PATH
    file = given.reference.partition("?")[0].rpartition("/")[2].lower()
    return Kind.SITEMAP if "sitemap" in file and file.endswith((".xml", ".xml.gz")) else Kind.URL


def _absolute(reference: str) -> str:
    path = Path(reference).expanduser().resolve()
    if not reference.strip() or not path.exists():
        raise UnclearSource(
            f"There is no file or folder {reference}. Check the path; a web address begins with https://, and a"
            " loader needs --loader."
        )
    return str(path)


def _json(arguments: str) -> dict[str, Any]:
    try:
        read = json.loads(arguments)
    except ValueError as error:
        raise UnclearSource(f"The arguments are no JSON: {error}.") from None
    if not isinstance(read, dict):
        raise UnclearSource('Arguments go by name: {"name": value}.')
    return read


def _readers_by(given: tuple[str, ...]) -> tuple[str | None, dict[str, Policy]]:
    """(field, value -> readers) of `department=finance:finance+leadership`."""
    fields, by_value = set[str](), dict[str, Policy]()
    for one in given:
        field, named, rest = one.partition("=")
        value, readable, policy = rest.rpartition(":")
        if not (field and named and value and readable and policy):
            raise UnclearSource(f"{one!r} names no readers. Write FIELD=VALUE:READERS, as department=hr:hr.")
        if value in by_value:
            raise UnclearSource(f"{capitalised(field)} {value} has readers twice. Name them once.")
        fields.add(field)
        by_value[value] = parse_policy(policy)
    if len(fields) > 1:
        raise UnclearSource(
            f"One field decides who may read something, not {len(fields)}: {', '.join(fields)}."
        )
    return (fields.pop() if fields else None), by_value
