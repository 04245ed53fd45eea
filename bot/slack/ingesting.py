"""Documents that admins hand in through Slack: offered, given readers, taken in piece by piece, reported."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import Policy
from auth.rights import rights_of
from bot.administering.administration import Administration
from bot.administering.describing import twins_of
from bot.progress import report
from bot.queue import JobQueue, Lane
from bot.refreshing import StillThere
from bot.slack.channel_readers import ChannelReaders
from bot.slack.channel_source import ChannelReader
from bot.slack.delivery import Outbox
from bot.slack.ingest_requests import (
    IngestionRequest,
    forget_old_texts,
    set_request_aside,
)
from bot.slack.ingest_words import NotAdded, Tally, called, describe_all
from bot.slack.intake_reports import IntakeReports
from bot.slack.keeping_channels import ChannelKeeper
from bot.slack.narrating import CalledOff, narrated
from bot.slack.pieces import Open, Piece, Pieces
from bot.slack.places import DIRECT, Place
from bot.slack.taking_again import Again
from bot.slack.threads import ThreadReader
from bot.slack.views import escape, offer_blocks, plain_blocks
from retrieval.cataloguing import collection_called, file_documents
from retrieval.failing import record_failure
from retrieval.ingestion import Entry, Ingestor, Outcome, Progress, Submission

INGEST_JOB, OFFER_JOB, FORGET_JOB = "ingest", "offer_ingestion", "forget_old_texts"
ADMINS_ONLY = "Only people who hold the role ostiary-admin may add documents. Ask one of them to add it."


@dataclass(frozen=True)
class FiledIn:
    """Files a document in the transaction that stores it: an entry for `Ingestor.ingest`."""

    collection_id: int

    async def open(self, connection: AsyncConnection) -> None:
        """Raises UnknownCollection where it was removed meanwhile."""
        await collection_called(connection, self.collection_id)

    async def enter(self, connection: AsyncConnection, outcome: Outcome) -> None:
        await file_documents(connection, [outcome.document_id], self.collection_id)


class Intake:
    """Does the jobs behind ingestion in Slack. Rights are checked again in each, and for each document."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        ingestor: Ingestor,
        outbox: Outbox,
        max_bytes: int,
        bot_user_id: str = "",
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._ingestor = ingestor
        self._outbox = outbox
        client = outbox.client
        threads = ThreadReader(client, database, workspace_id, bot_user_id)
        self._pieces = Pieces(client, threads, max_bytes)
        self._again = Again(database, workspace_id, self._pieces)
        self._administration = Administration(database, workspace_id)
        self.channel_reader = ChannelReader(client, threads)
        self.channels = ChannelReaders(client, database, workspace_id, bot_user_id)
        self._keeper = ChannelKeeper(database, workspace_id, self.channels)
        self._reports = IntakeReports(database, workspace_id, outbox)
        self._queue: JobQueue | None = None

    def register(self, queue: JobQueue) -> None:
        self._queue = queue
        queue.on(INGEST_JOB, self.ingest, given_up=self.give_up, lane=Lane.HANDED_IN)
        queue.on(OFFER_JOB, self.offer, given_up=self.give_up)
        queue.every_minute(FORGET_JOB, self.forget_old, lane=Lane.HANDED_IN)

    async def forget_old(self) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await forget_old_texts(connection)

    async def is_admin(self, slack_user_id: str) -> bool:
        return await self._administration.may_administer(slack_user_id)

    async def offer(self, request_id: int) -> None:
        """Ask whoever sent a file who may read it; or say that they may not add any."""
        request = await self._reports.read(request_id)
        if request is None or request.state != "waiting":
            return
        place = Place(request.channel_id, DIRECT, None)
        if await self.is_admin(request.requested_by):
            await self._outbox.post(
                place, escape(f"Who may read {request.title}?"), offer_blocks(request.title, request.id)
            )
            return
        await self._outbox.post(place, ADMINS_ONLY, plain_blocks(ADMINS_ONLY))
        await self._reports.close(request, "failed")

    async def again(self, document_id: int, actor: str) -> str:
        """Have a document taken in again, for its readers; a sentence on what will be. Raises UnknownDocument."""
        assert self._queue is not None
        return await self._again.ask(document_id, actor, self._queue, INGEST_JOB)

    async def ingest(self, request_id: int) -> None:
        """Take in all of what was handed in, and report. What makes it impossible is reported too."""
        request = await self._reports.read(request_id)
        if request is not None and request.state == "cancelled":
            await self._reports.end(
                request, f"{called(request)} was not added: it was cancelled.", "cancelled"
            )
            return
        if request is None or request.state != "accepted":
            return
        if not await self.is_admin(request.requested_by):
            await self._reports.end(request, ADMINS_ONLY, "failed")
            return
        if request.kind == "channel":
            assert self._queue is not None
            await self._reports.end(request, *await self._keeper.keep(request, self._queue))
            return
        tally = Tally()
        try:
            readers = await narrated(
                self._take_in(request, tally),
                tally.in_words,
                lambda said: self._reports.show(request.id, said),
                lambda: self._reports.is_cancelled(request.id),
            )
        except CalledOff:
            await self._reports.end(request, describe_all(tally, tally.readers, cancelled=True), "cancelled")
        except OstiaryError as error:
            await self._reports.end(request, f"{called(request)} was not added. {error}", "failed")
        else:
            state = "done" if tally.outcomes else "failed"
            await self._reports.end(request, describe_all(tally, readers), state)

    async def give_up(self, request_id: int) -> None:
        request = await self._reports.read(request_id)
        if request is not None and request.state in {"waiting", "accepted"}:
            said = f"{called(request)} was not added: something went wrong. Please try again later."
            await self._reports.tell(request, said)
            async with self._database.writing_in(self._workspace_id) as connection:
                await set_request_aside(connection, request.id)

    async def _take_in(self, request: IngestionRequest, tally: Tally) -> str:
        """Piece by piece: one that fails is noted, the rest goes on. Returns for which readers."""
        if request.kind == "again":
            return await self._take_in_again(request, tally)
        policy = await self.channels.readers_of(request)
        tally.readers = str(policy)
        async with self._database.writing_in(self._workspace_id) as connection:
            label_id = await intern_label(connection, policy)
        things = self._pieces.things_of(request)
        tally.total = len(things)
        for thing in things:
            if not await self._take_apart(request, thing, policy, label_id, tally):
                break
        return str(policy)

    async def _take_apart(
        self, request: IngestionRequest, thing: Open, policy: Policy, label_id: int, tally: Tally
    ) -> bool:
        """One of the things handed in, which is let go of before the next is opened; False to leave the rest."""
        pieces = await thing()
        tally.total += len(pieces) - 1
        for piece in pieces:
            tally.begin(piece.name)
            if not await self.is_admin(request.requested_by):
                tally.failures.append(NotAdded(piece.name, ADMINS_ONLY))
                return False
            try:
                submission = await self._submission(request, piece, policy, label_id)
                filed = FiledIn(request.collection_id) if request.collection_id is not None else None
                await self._store(request, submission, tally, filed)
            except OstiaryError as error:
                tally.failures.append(NotAdded(_named(request, piece, tally), str(error)))
                await self._note_failure(piece.uri, label_id, str(error), request.requested_by)
        return True

    async def _submission(
        self, request: IngestionRequest, piece: Piece, policy: Policy, label_id: int
    ) -> Submission:
        name, data = await piece.load()
        return Submission(
            uri=piece.uri,
            name=name,
            data=data,
            label_id=label_id,
            title=piece.title,
            dated=piece.dated,
            added_by=request.requested_by,
            actor=request.requested_by,
            policy=policy,
            expires_at=request.expires_at,
        )

    async def _store(
        self, request: IngestionRequest, submission: Submission, tally: Tally, entry: Entry | None
    ) -> None:
        def follow(progress: Progress) -> None:
            tally.note(progress)
            report(progress.stage, progress.done, progress.total)

        outcome = await self._ingestor.ingest(self._workspace_id, submission, follow, entry=entry)
        tally.outcomes.append(outcome)
        if outcome.status not in {"added", "updated"}:
            return
        rights = await rights_of(self._database, self._workspace_id, request.requested_by)
        if rights is not None:
            twins = await twins_of(self._database, self._workspace_id, rights.clearance, outcome.document_id)
            tally.alike += [twin.said_of(outcome.title) for twin in twins[:1]]

    async def _take_in_again(self, request: IngestionRequest, tally: Tally) -> str:
        """From where it came, as it is labelled now. What goes wrong leaves it as it is."""
        document_id, actor = int(request.locator), request.requested_by
        tally.total = 1
        tally.begin(f"document {document_id}")
        try:
            submission = await self._again.submission(document_id, actor)
            await self._store(request, submission, tally, StillThere(document_id))
        except OstiaryError as error:
            why = await self._again.note_failure(actor, document_id, str(error))
            tally.failures.append(NotAdded(f"Document {document_id}", why, "was not taken in again"))
        shown = await self._again.shown_to(actor, document_id)
        title = shown.title or f"Document {document_id}"
        tally.outcomes = [replace(outcome, title=title) for outcome in tally.outcomes]
        return str(shown.policy)

    async def _note_failure(self, uri: str, label_id: int, reason: str, actor: str) -> None:
        async with self._database.writing_in(self._workspace_id, actor) as connection:
            await record_failure(connection, uri, label_id, reason, actor)


def _named(request: IngestionRequest, piece: Piece, tally: Tally) -> str:
    return called(request) if tally.total == 1 else piece.name
