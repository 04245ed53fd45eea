"""Reading a kept source again: what changed gets a new version, what is gone no longer answers, the rest is left.

One run of a source at a time, over all processes. A run that was killed is simply begun anew: what it had stored
is found unchanged.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from auth.database import Database
from auth.errors import OstiaryError
from retrieval.ingestion import NEVER_GIVEN, Ingestor, NothingToRead, Submission
from retrieval.parsing.document import UnreadableDocument
from retrieval.sources.items import UNMARKED, Mark, SkippedFile
from retrieval.sources.kept import Counts, Item, Kind, Source, begin_run, end_run, items_of, source_with
from retrieval.sources.ledger import ItemEntry, Ledger, ReadersChanged, RemovedByHand, SourceStopped
from retrieval.sources.reading import Found, ItemGone, Loaded, Reader, SourceUnreadable

Progress = Callable[[str, int], None]
"""Told of each thing in a source, by name, and how many came before it."""

_CHANGES_AT_MOST = 3
_NO_VALUE = "It carries no value in the field {field}, which decides who may read it: nobody may."
_UNKNOWN_VALUE = "Its {field} is {value}, for which no readers are named: nobody may read it."


class AlreadyRunning(OstiaryError):
    """Another process reads this source just now; the message says to wait."""


@dataclass(frozen=True)
class RunLimits:
    """After `seconds` what is left of a source is left for the next run, which begins with it."""

    seconds: float = 6 * 3600.0


@dataclass
class Run:
    """How a run went: the figures, and a sentence for each thing that failed."""

    tally: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def counts(self) -> Counts:
        return Counts(**{name: self.tally[name] for name in Counts.__dataclass_fields__})


class Refresher:
    """Reads kept sources. `readers` knows how, for each kind; other rooms may add theirs."""

    def __init__(
        self,
        database: Database,
        ingestor: Ingestor,
        readers: Mapping[Kind, Reader],
        limits: RunLimits | None = None,
    ) -> None:
        self._database = database
        self._ingestor = ingestor
        self._readers = readers
        self._limits = limits or RunLimits()

    async def refresh(
        self, workspace_id: int, source_id: int, *, by_hand: bool = False, on_progress: Progress | None = None
    ) -> Run:
        """Read a source. Raises UnknownSource or AlreadyRunning; what fails in it is in what is returned.

        `by_hand`: also what could not be read the last time, and did not change since.
        """
        async with self._database.sole(f"source {workspace_id} {source_id}") as alone:
            if not alone:
                raise AlreadyRunning(f"Source {source_id} is being read just now. Wait until that has ended.")
            async with self._database.writing_in(workspace_id) as connection:
                source = await source_with(connection, source_id)
                if source.paused:
                    raise SourceStopped(
                        f"Source {source_id} is paused. First take it up again: `ostiary sources resume"
                        f" {source_id}`."
                    )
                items = await items_of(connection, source_id)
                await begin_run(connection, source_id)
            book = _Book(self._database, workspace_id, source, items)
            run = await self._read(book, by_hand, on_progress)
            async with self._database.writing_in(workspace_id) as connection:
                await end_run(connection, source_id, run.counts, run.error)
        return run

    async def _read(self, book: "_Book", by_hand: bool, on_progress: Progress | None) -> Run:
        run = Run()
        there, skipped, gone, left = set[str](), list[str](), set[str](), set[str]()
        until = asyncio.get_running_loop().time() + self._limits.seconds
        try:
            reader = self._reader_of(book.source)
            async for found in reader.read(book.source, book.items):
                if on_progress is not None:
                    on_progress(found.uri if isinstance(found, SkippedFile) else found.name, len(there))
                if isinstance(found, SkippedFile):
                    skipped.append(found.uri)
                    await self._pass_over(found, book, run)
                    continue
                there.add(found.uri)
                if asyncio.get_running_loop().time() > until:
                    left.add(found.uri)
                    continue
                if not await self._take(found, book, run, by_hand):
                    gone.add(found.uri)
        except OstiaryError as error:
            run.error = str(error)
            return run
        if not there and not skipped and any(item.state == "stored" for item in book.items.values()):
            run.error = (
                "It came back empty, though there was something in it: nothing was withdrawn. If that is right,"
                f" remove it with its documents: `ostiary sources remove {book.source.id} --with-documents`."
            )
            return run
        missing = {uri for uri in book.items if uri not in there and not _lies_below(uri, skipped)} | gone
        await book.ledger.seen((there - gone) | set(skipped), left)
        run.tally["withdrawn"] += await book.ledger.missed(missing, reader.patience)
        return run

    def _reader_of(self, source: Source) -> Reader:
        reader = self._readers.get(source.kind)
        if reader is None:
            raise SourceUnreadable(
                f"Sources of the kind {source.kind.value} are read where the bot's token is, by `ostiary serve`."
            )
        return reader

    async def _pass_over(self, skipped: SkippedFile, book: "_Book", run: Run) -> None:
        """Note why something is not read, for those who would read it if it were."""

        async def note() -> bool:
            label_id = book.source.label_id if book.source.label_by is None else None
            await book.ledger.failed(skipped.uri, label_id, skipped.reason)
            return True

        await _by_its_readers(book, note)
        _failed(run, skipped.reason)

    async def _take(self, found: Found, book: "_Book", run: Run, by_hand: bool) -> bool:
        """Take one thing over; False where it turned out to be gone."""

        async def take() -> bool:
            one = _One(book.workspace_id, book.source, found, book.items.get(found.uri), by_hand)
            return await self._take_one(one, book.ledger, run)

        return await _by_its_readers(book, take)

    async def _take_one(self, one: "_One", ledger: Ledger, run: Run) -> bool:
        try:
            run.tally[await self._taken(one, ledger)] += 1
        except ItemGone as error:
            if one.known is None:
                _failed(run, str(error))
            return False
        except (SourceStopped, SourceUnreadable, ReadersChanged):
            raise
        except AlreadyNoted as error:
            _failed(run, str(error))
        except OstiaryError as error:
            await ledger.failed(one.found.uri, _label_for(one), str(error))
            _failed(run, str(error))
        return True

    async def _taken(self, one: "_One", ledger: Ledger) -> str:
        """What became of one thing in a source: a name in Counts."""
        known = one.known
        if known is not None and (known.was_removed or (known.state == "stored" and not known.answers)):
            return (
                "unchanged"  # somebody else decided that it does not answer: not to be brought back by itself
            )
        label_id = _label_for(one)
        if label_id is None:
            await ledger.closed(one.found.uri)
            raise UnknownReaders(_why_closed(one))
        loaded = await one.found.load(one.mark)
        if loaded is None:
            if known is not None and known.refused_hash is not None:
                raise AlreadyNoted(known.error or f"{one.found.name} could not be read.")
            await _recover(one, ledger)
            return "unchanged"
        digest = hashlib.sha256(loaded.data).digest()
        entry = ItemEntry(one.found.uri, label_id, loaded.mark, digest)
        if known is not None and known.refused_hash == digest and not one.by_hand:
            raise AlreadyNoted(known.error or f"{loaded.name} could not be read.")
        if known is not None and known.content_hash == digest and _is_settled(known, label_id):
            if loaded.mark != UNMARKED and loaded.mark != _mark_of(known):
                await ledger.marked(entry)
            await _recover(one, ledger)
            return "unchanged"
        return await self._ingest(one, loaded, entry, ledger)

    async def _ingest(self, one: "_One", loaded: Loaded, entry: ItemEntry, ledger: Ledger) -> str:
        source, known = one.source, one.known
        submission = Submission(
            uri=one.found.uri,
            name=loaded.name,
            data=loaded.data,
            label_id=entry.label_id,
            title=loaded.title,
            dated=loaded.dated,
            department=source.department,
            added_by=source.kept_by,
            given_label_id=(known.given_label_id if known else None) or NEVER_GIVEN,
        )
        try:
            outcome = await self._ingestor.ingest(one.workspace_id, submission, entry=ledger.of(entry))
        except (UnreadableDocument, NothingToRead) as error:
            await ledger.refused(entry, str(error))
            raise AlreadyNoted(str(error)) from error
        except RemovedByHand:
            return "unchanged"
        if known is not None and known.state == "withdrawn":
            return "updated"  # it answers again, be it with what it said before
        return {"added": "added", "unchanged": "unchanged"}.get(outcome.status, "updated")


@dataclass
class _Book:
    """A source as it is read, and what is known of it."""

    database: Database
    workspace_id: int
    source: Source
    items: Mapping[str, Item]

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database, self.workspace_id, self.source)

    async def open_anew(self) -> None:
        async with self.database.writing_in(self.workspace_id) as connection:
            self.source = await source_with(connection, self.source.id)
            self.items = await items_of(connection, self.source.id)


async def _by_its_readers(book: _Book, do: Callable[[], Awaitable[bool]]) -> bool:
    """Do it; and anew, as the source stands then, where it was given other readers meanwhile."""
    for _ in range(_CHANGES_AT_MOST):
        try:
            return await do()
        except ReadersChanged:
            await book.open_anew()
    return await do()


async def _recover(one: "_One", ledger: Ledger) -> None:
    known = one.known
    if known is not None and known.error is not None and known.state == "stored":
        await ledger.recovered(one.found.uri)


class UnknownReaders(OstiaryError):
    """What a source says about something names no readers for it; the message says so."""


class AlreadyNoted(OstiaryError):
    """Something cannot be read, which is written down already."""


@dataclass(frozen=True)
class _One:
    """Something in a source, and what is known of it."""

    workspace_id: int
    source: Source
    found: Found
    known: Item | None
    by_hand: bool

    @property
    def mark(self) -> Mark:
        """What to ask with whether it changed; nothing where it has to be read whatever the answer."""
        known = self.known
        if known is None or known.state == "withdrawn" or (self.by_hand and known.error):
            return UNMARKED
        if known.state == "stored" and not _is_settled(known, _label_for(self)):
            return UNMARKED
        return _mark_of(known)


def _mark_of(item: Item) -> Mark:
    return Mark(item.etag, item.last_modified)


def _is_settled(item: Item, label_id: int | None) -> bool:
    """Whether its document answers, under the label that it would get."""
    return item.state == "stored" and item.answers and item.given_label_id in (None, label_id)


def _label_for(one: _One) -> int | None:
    """The label that the source gives it; None where nobody may read it."""
    if one.found.closed is not None:
        return None
    if one.source.label_by is None:
        return one.source.label_id
    return one.source.labels.get(one.found.value) if one.found.value is not None else None


def _why_closed(one: _One) -> str:
    said = one.found.closed or (_NO_VALUE if one.found.value is None else _UNKNOWN_VALUE)
    return f"{one.found.name}: {said.format(field=one.source.label_by, value=one.found.value)}"


def _failed(run: Run, sentence: str) -> None:
    run.tally["failed"] += 1
    run.failures.append(sentence)


def _lies_below(uri: str, skipped: list[str]) -> bool:
    """Whether it is what could not be looked at, or in it: a folder, or an archive."""
    return any(uri == place or uri.startswith((f"{place}/", f"{place}#")) for place in skipped)
