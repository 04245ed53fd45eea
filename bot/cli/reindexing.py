"""What `ostiary docs reindex` does."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import structlog
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from auth.errors import OstiaryError
from bot.administering.wording import counted
from bot.cli.administering import open_desk
from bot.cli.output import err, out
from bot.runtime import load_embeddings
from bot.settings import load_settings
from retrieval.reindexing import Reindexer

log = structlog.get_logger(__name__)

AT_ONCE = 4
_LEFT = (
    "Left as they are: {those}, closed to everybody or changed meanwhile. Those that are opened again are indexed"
    " then: `ostiary docs reindex`."
)


class AlreadyReindexing(OstiaryError):
    """Another process indexes documents anew just now; the message says to wait."""


async def reindex(names: list[str] | None, *, every: bool, dry_run: bool) -> bool:
    """Index documents anew, those that need it or all; True if none failed."""
    settings = load_settings()
    async with open_desk() as desk:
        ids = await desk.documents(names) if names else None
        reindexer = Reindexer(desk.database, await load_embeddings(settings))
        async with desk.database.sole("reindexing", desk.workspace_id) as alone:
            if not alone:
                raise AlreadyReindexing(
                    "Documents are being indexed anew just now. Wait until that has ended."
                )
            found = await reindexer.outdated(desk.workspace_id, ids, every=every)
            if dry_run or not found:
                out.print(Text(f"{counted(len(found), 'document')} to index anew."))
                return True
            tally = await _take_turns(reindexer, desk.workspace_id, found)
    return _report(tally)


async def _take_turns(reindexer: Reindexer, workspace_id: int, found: list[int]) -> Counter[str]:
    """Several at a time: the encoder reads passages of about the same length together."""
    tally = Counter[str]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        whole = bar.add_task("Indexing anew", total=len(found))

        async def take(left: Iterator[int]) -> None:
            for document_id in left:
                await _one(reindexer, workspace_id, document_id, tally)
                bar.advance(whole)

        left = iter(found)
        async with asyncio.TaskGroup() as takers:
            for _ in range(min(AT_ONCE, len(found))):
                takers.create_task(take(left))
    return tally


async def _one(reindexer: Reindexer, workspace_id: int, document_id: int, tally: Counter[str]) -> None:
    try:
        passages = await reindexer.reindex(workspace_id, document_id)
    except SQLAlchemyError as error:
        log.warning("a document was not indexed anew", document=document_id, error=type(error).__name__)
        tally["failed"] += 1
        return
    tally["passages"] += passages
    tally["documents" if passages else "left"] += 1


def _report(tally: Counter[str]) -> bool:
    documents, passages = counted(tally["documents"], "document"), counted(tally["passages"], "passage")
    out.print(Text(f"Indexed anew: {documents}, {passages}."))
    if tally["left"]:
        out.print(Text(_LEFT.format(those=counted(tally["left"], "document"))))
    if tally["failed"]:
        failed = counted(tally["failed"], "document")
        err.print(Text.assemble(("Failed: ", "bold red"), f"{failed}. The log says why; run it again."))
    return not tally["failed"]
