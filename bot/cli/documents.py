"""What `ostiary docs` prints and does."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from rich.text import Text

from auth.audit import Sought, search
from auth.database import Database
from auth.errors import OstiaryError
from auth.labelling import UnknownLabel
from auth.labels import parse_policy
from bot.administering.administration import COMMAND_LINE
from bot.administering.describing import Described
from bot.administering.overviews import DocumentEntry
from bot.administering.wording import counted, end_in_words, listed, policy_in_words, size_in_words
from bot.audit_names import read_names
from bot.audit_words import in_words
from bot.cli.administering import Desk, open_desk, print_table
from bot.cli.output import err, out, progress_line
from bot.opening import open_database, the_workspace
from bot.refreshing import (
    NotRefreshed,
    StillThere,
    is_web_address,
    load_from_disk,
    load_from_web,
    submission_again,
)
from bot.runtime import load_embeddings, open_ingestor
from bot.settings import load_settings
from retrieval.cataloguing import Filter, State, document_with
from retrieval.failing import record_failure
from retrieval.ingestion import Ingestor, Outcome
from retrieval.sources.urls import FetchLimits

UNREAD = "(not for these eyes)"
_MINUTE = "%Y-%m-%d %H:%M"


class UnknownState(OstiaryError):
    """A state was named that documents are never in; the message lists those that they are."""


@dataclass(frozen=True)
class Listed:
    """Which documents to list, as the command line says it."""

    words: str
    collection: str | None
    readers: str | None
    source: str
    state: str | None


async def print_documents(wanted: Listed, as_: str | None, limit: int, offset: int) -> None:
    async with open_desk() as desk:
        viewer = await desk.viewer(as_)
        try:
            which = await _filter(desk, wanted)
        except UnknownLabel:
            entries = []  # no document ever had these readers
        else:
            entries = await desk.administration.documents(
                viewer, wanted.words, limit + 1, offset, which=which, source=wanted.source
            )
    rows = [_row(entry, titled=as_ is not None) for entry in entries[:limit]]
    columns = ("Id", *(["Title"] if as_ else []), "Address", "Readers", "Collection", "Owner", "State")
    sought = any((wanted.words, wanted.collection, wanted.readers, wanted.source, wanted.state, offset))
    print_table(columns, rows, "No document here is like that." if sought else "No documents yet.")
    if len(entries) > limit:
        out.print(Text(f"There are more: --offset {offset + limit}.", style="dim"))


async def _filter(desk: Desk, wanted: Listed) -> Filter:
    collection_id = (await desk.collection(wanted.collection)).id if wanted.collection else None
    label_id = await desk.label(parse_policy(wanted.readers)) if wanted.readers else None
    try:
        state = State(wanted.state) if wanted.state else None
    except ValueError:
        known = listed([*State])
        raise UnknownState(f"No document is ever {wanted.state}. States: {known}.") from None
    return Filter(collection_id, label_id, state)


def _row(entry: DocumentEntry, *, titled: bool) -> tuple[str, ...]:
    title = [entry.title or UNREAD] if titled else []
    where = entry.uri or ""
    return (
        str(entry.id),
        *title,
        where,
        str(entry.policy),
        entry.collection or "",
        entry.owner,
        _standing(entry),
    )


def _standing(entry: DocumentEntry) -> str:
    """`answering`, `answering until the end of 3 March 2026`, `expired`."""
    if entry.state is State.ANSWERING and entry.expires_at:
        return f"answering until {end_in_words(entry.expires_at)}"
    return entry.state.value


async def _entry(desk: Desk, named: str, as_: str | None) -> tuple[DocumentEntry, Described]:
    viewer = await desk.viewer(as_)
    (document_id,) = await desk.documents([named])
    entry = await desk.administration.document(viewer, document_id)
    return entry, await desk.administration.describe(viewer, document_id)


async def print_document(named: str, as_: str | None) -> None:
    async with open_desk() as desk:
        entry, described = await _entry(desk, named, as_)
    facts = [
        ("Title", (entry.title or UNREAD) if as_ else ""),
        ("Address", entry.uri or ""),
        ("Readers", f"{entry.policy} ({policy_in_words(entry.policy)})"),
        ("Collection", entry.collection or ""),
        ("Owner", entry.owner or "nobody"),
        ("State", _standing(entry)),
        *(("Like it", twin.in_words()) for twin in described.twins),
    ]
    out.print(Text(f"Document {entry.id}", style="bold"))
    for name, fact in facts:
        if fact:
            out.print(Text.assemble((f"  {name:<11}", "dim"), fact))
    _print_versions(described)


def _print_versions(described: Described) -> None:
    rows = []
    for version in described.versions:
        facts = described.facts.get(version.id)
        said = [facts.title, str(facts.dated or ""), facts.author or ""] if facts else []
        size = size_in_words(version.size) if version.size is not None else ""
        state = "current" if version.is_current else "superseded"
        rows.append(
            (f"{version.created_at:{_MINUTE}}", state, version.media_type, size, str(version.passages), *said)
        )
    columns = ("Taken in (UTC)", "Version", "Type", "Size", "Passages")
    print_table(
        (*columns, *(["Title", "Dated", "Author"] if described.facts else [])), rows, "It has no version."
    )


async def print_history(named: str, as_: str | None, limit: int) -> None:
    async with open_desk() as desk:
        entry, described = await _entry(desk, named, as_)
        async with desk.database.writing_in(desk.workspace_id) as connection:
            events = await search(connection, Sought(document_id=entry.id), limit=limit + 1)
            names = await read_names(connection, events)
    _print_versions(described)
    out.print()
    rows = [(f"{event.at:{_MINUTE}}", in_words(event, names)) for event in events[:limit]]
    print_table(("When (UTC)", "What happened"), rows, "The audit log says nothing of it.")
    if len(events) > limit:
        out.print(Text(f"There is more: ostiary audit search --document {entry.id}.", style="dim"))


async def print_failures(limit: int, offset: int) -> None:
    async with open_desk() as desk:
        found = await desk.administration.failures(None, COMMAND_LINE, limit + 1, offset)
    rows = [
        (str(f.id), f"{f.failed_at:{_MINUTE}}", f.uri or "", f.reason or "", str(f.policy), str(f.tries))
        for f in found[:limit]
    ]
    print_table(("Id", "When (UTC)", "Address", "Why", "For", "Tries"), rows, "Nothing failed.")
    if len(found) > limit:
        out.print(Text(f"There are more: --offset {offset + limit}.", style="dim"))


async def forget_failures(failure_ids: list[int]) -> None:
    async with open_desk() as desk:
        gone = await desk.administration.dismiss(failure_ids, COMMAND_LINE)
    out.print(Text(f"Let go of {counted(gone, 'failure')}."))


async def refresh_documents(names: list[str]) -> bool:
    """Take each in again; True if none failed."""
    settings = load_settings()
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            desk = Desk(database, await the_workspace(database, settings))
            ids = await desk.documents(names)
            embeddings = await load_embeddings(settings, progress)
        ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
        limits = FetchLimits(max_bytes=settings.max_document_bytes)
        return all([await _refresh(desk, ingestor, document_id, limits) for document_id in ids])


async def _refresh(desk: Desk, ingestor: Ingestor, document_id: int, limits: FetchLimits) -> bool:
    try:
        submission = await submission_again(
            desk.database, desk.workspace_id, document_id, partial(_load, limits=limits), COMMAND_LINE
        )
        outcome = await ingestor.ingest(desk.workspace_id, submission, entry=StillThere(document_id))
    except OstiaryError as error:
        err.print(Text.assemble(("Not refreshed: ", "bold red"), f"document {document_id}. {error}"))
        await _note(desk.database, desk.workspace_id, document_id, str(error))
        return False
    out.print(Text(_said(outcome)))
    return True


async def _load(uri: str, limits: FetchLimits) -> tuple[str, bytes]:
    if is_web_address(uri):
        return await load_from_web(uri, limits)
    if uri.startswith("file:"):
        return await load_from_disk(uri)
    raise NotRefreshed("It was handed in through Slack, and has no address here: hand it in there again.")


async def _note(database: Database, workspace_id: int, document_id: int, reason: str) -> None:
    async with database.writing_in(workspace_id, COMMAND_LINE) as connection:
        entry = await document_with(connection, document_id)
        await record_failure(connection, entry.uri, entry.label_id, reason, COMMAND_LINE)


def _said(outcome: Outcome) -> str:
    what = {
        "updated": f"has a new version with {counted(outcome.chunks, 'passage')}",
        "unchanged": "is unchanged",
    }.get(outcome.status, outcome.status)
    expired = "" if outcome.answers else " It has expired, and does not answer."
    return f"Document {outcome.document_id} {what}.{expired}"
