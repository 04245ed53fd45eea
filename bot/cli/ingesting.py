"""`ostiary ingest`: files, folders and web addresses into the knowledge base, each whole or not at all."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from auth.database import Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import Policy, parse_policy
from bot.administering.administration import COMMAND_LINE
from bot.administering.describing import twins_of
from bot.background import end
from bot.cli.output import counted, err, out, progress_line
from bot.opening import open_database, the_workspace
from bot.runtime import load_embeddings, open_ingestor
from bot.settings import load_settings
from retrieval.failing import record_failure
from retrieval.ingestion import Ingestor, OnProgress, Submission
from retrieval.ingestion import Progress as Stage
from retrieval.parsing.cleaning import file_label
from retrieval.sources.files import find_files
from retrieval.sources.items import SkippedFile, SourceItem
from retrieval.sources.urls import FetchLimits, fetch

SHOWN_NAME = 40
AT_ONCE = 6
"""Documents under way together: while one is embedded, the next is parsed and the one before is stored."""


class NoSource(OstiaryError):
    """What was to be ingested is not there; the message says what was looked for."""


@dataclass(frozen=True)
class Wanted:
    """What is the same for every document of one command."""

    label_id: int
    policy: Policy
    title: str | None
    dated: date | None
    department: str
    expires_at: datetime | None
    limits: FetchLimits


@dataclass
class Tally:
    """How it went, to be said at the end."""

    outcomes: Counter[str] = field(default_factory=Counter)
    passages: int = 0
    failures: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)


async def ingest_source(
    source: str,
    readers: str,
    title: str | None,
    dated: date | None,
    department: str,
    expires_at: datetime | None = None,
) -> None:
    """Ingest all of `source`; what fails is named, the rest goes on, and the exit code says that some failed."""
    settings = load_settings()
    policy = parse_policy(readers)
    items = _items(source)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            workspace_id = await the_workspace(database, settings)
            async with database.writing_in(workspace_id) as connection:
                label_id = await intern_label(connection, policy)
            embeddings = await load_embeddings(settings, progress)
        ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
        limits = FetchLimits(max_bytes=settings.max_document_bytes)
        wanted = Wanted(label_id, policy, title, dated, department, expires_at, limits)
        batch = _Batch(database, ingestor, workspace_id, wanted)
        await batch.ingest(items)
    _report(batch.tally, str(policy))
    if batch.tally.failures:
        sys.exit(1)


def _items(source: str) -> list[SourceItem | SkippedFile | str]:
    """The files of a path, or the address itself."""
    if source.startswith(("http://", "https://")):
        return [source]
    try:
        path = Path(source).expanduser()
        is_there = bool(source.strip()) and path.exists()  # an empty variable of a shell is not this folder
    except (OSError, RuntimeError):
        is_there = False
    if not is_there:
        raise NoSource(
            f"There is no file or folder {file_label(source)}. Check the path, or begin a web address with https://."
        )
    items = list(find_files(path))
    if not items:
        raise NoSource(f"There are no files in {source}.")
    return list(items)


@dataclass
class _Batch:
    """All documents of one command, several of them under way at a time."""

    database: Database
    ingestor: Ingestor
    workspace_id: int
    wanted: Wanted
    tally: Tally = field(default_factory=Tally)

    async def ingest(self, items: Sequence[SourceItem | SkippedFile | str]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            whole = bar.add_task("Ingesting", total=len(items))
            left = iter(items)

            async def take() -> None:
                line = bar.add_task("", total=1)
                for item in left:
                    await self._one(item, bar, line)
                    bar.advance(whole)

            takers = [asyncio.create_task(take()) for _ in range(min(AT_ONCE, len(items)))]
            try:
                await asyncio.gather(*takers)
            finally:
                await end(*takers)

    async def _one(self, item: SourceItem | SkippedFile | str, bar: Progress, line: TaskID) -> None:
        tally = self.tally
        try:
            submission = await _submission(item, self.wanted)
            show = shown_on(bar, line, submission.name)
            outcome = await self.ingestor.ingest(self.workspace_id, submission, show)
        except OstiaryError as error:
            tally.failures.append(str(error))
            uri = item if isinstance(item, str) else item.uri
            async with self.database.writing_in(self.workspace_id, COMMAND_LINE) as connection:
                await record_failure(connection, uri, self.wanted.label_id, str(error), COMMAND_LINE)
            return
        if outcome.status in {"added", "updated"}:
            twins = await twins_of(self.database, self.workspace_id, None, outcome.document_id)
            tally.alike += [twin.said_of(submission.name) for twin in twins[:1]]
        tally.outcomes[outcome.status] += 1
        tally.passages += outcome.chunks


def shown_on(bar: Progress, task: TaskID, name: str) -> OnProgress:
    """How far the document at hand has come, on a line of its own."""
    called = name if len(name) <= SHOWN_NAME else f"...{name[3 - SHOWN_NAME :]}"

    def show(progress: Stage) -> None:
        said = f"{progress.stage} {called}"
        bar.update(task, description=escape(said), completed=progress.done, total=progress.total)

    return show


async def _submission(item: SourceItem | SkippedFile | str, wanted: Wanted) -> Submission:
    if isinstance(item, SkippedFile):
        raise NoSource(item.reason)
    if isinstance(item, str):
        fetched = await fetch(item, wanted.limits)
        uri, name, data = item, fetched.name, fetched.data
    else:
        uri, name, data = item.uri, item.name, await asyncio.to_thread(item.load)
    return Submission(
        uri=uri,
        name=name,
        data=data,
        label_id=wanted.label_id,
        title=wanted.title,
        dated=wanted.dated,
        department=wanted.department,
        expires_at=wanted.expires_at,
        added_by=COMMAND_LINE,
        actor=COMMAND_LINE,
        policy=wanted.policy,
    )


def _report(tally: Tally, readers: str) -> None:
    for failure in tally.failures:
        err.print(Text.assemble(("Not added: ", "bold red"), failure))
    for sentence in tally.alike:
        out.print(Text(sentence))
    counts = ", ".join(f"{count} {status}" for status, count in tally.outcomes.items()) or "0 added"
    new = counted(tally.passages, "new passage")
    out.print(Text(f"{counts}, {len(tally.failures)} failed; {new} for {readers}."))
