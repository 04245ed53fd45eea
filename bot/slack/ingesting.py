"""Documents that admins hand in through Slack: offered, given readers, ingested, reported."""

from urllib.parse import urlsplit

import structlog

from auth.database import Database
from auth.errors import OstiaryError
from auth.granting import list_roles
from auth.labelling import intern_label
from auth.labels import Clause, Policy, parse_policy
from auth.rights import rights_of
from bot.queue import JobQueue
from bot.slack.delivery import Outbox
from bot.slack.files import download
from bot.slack.ingest_requests import IngestionRequest, NewRequest, end_request, read_request
from bot.slack.places import DIRECT, Place
from bot.slack.views import escape, offer_blocks, plain_blocks
from retrieval.ingestion import Ingestor, Outcome, Submission
from retrieval.sources.urls import FetchLimits, fetch

log = structlog.get_logger(__name__)

INGEST_JOB, OFFER_JOB = "ingest", "offer_ingestion"
ADMINS_ONLY = "Only people who hold the role ostiary-admin may add documents. Ask one of them to add it."


class Intake:
    """Does the jobs behind ingestion in Slack. Rights are checked again in each."""

    def __init__(
        self, database: Database, workspace_id: int, ingestor: Ingestor, outbox: Outbox, max_bytes: int
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._ingestor = ingestor
        self._outbox = outbox
        self._max_bytes = max_bytes

    def register(self, queue: JobQueue) -> None:
        queue.on(INGEST_JOB, self.ingest, given_up=self.give_up)
        queue.on(OFFER_JOB, self.offer, given_up=self.give_up)

    async def is_admin(self, slack_user_id: str) -> bool:
        rights = await rights_of(self._database, self._workspace_id, slack_user_id)
        return rights is not None and rights.is_admin

    async def roles(self) -> dict[str, str]:
        async with self._database.writing_in(self._workspace_id) as connection:
            return await list_roles(connection)

    async def offer(self, request_id: int) -> None:
        """Ask whoever sent a file who may read it; or say that they may not add any."""
        request = await self._read(request_id)
        if request is None or request.state != "waiting":
            return
        place = Place(request.channel_id, DIRECT, None)
        if await self.is_admin(request.requested_by):
            await self._outbox.post(
                place, escape(f"Who may read {request.title}?"), offer_blocks(request.title, request.id)
            )
            return
        await self._outbox.post(place, ADMINS_ONLY, plain_blocks(ADMINS_ONLY))
        await self._end(request, "failed")

    async def ingest(self, request_id: int) -> None:
        """Fetch, ingest and report. What the document or its address makes impossible is reported too."""
        request = await self._read(request_id)
        if request is None or request.state != "accepted":
            return
        if not await self.is_admin(request.requested_by):
            await self._report(request, ADMINS_ONLY, "failed")
            return
        try:
            outcome = await self._ingest(request)
        except OstiaryError as error:
            await self._report(request, f"{_called(request)} was not added. {error}", "failed")
            return
        await self._report(request, describe(outcome, request.readers or ""), "done")

    async def give_up(self, request_id: int) -> None:
        request = await self._read(request_id)
        if request is not None and request.state in {"waiting", "accepted"}:
            said = f"{_called(request)} was not added: something went wrong. Please try again later."
            await self._report(request, said, "failed")

    async def _ingest(self, request: IngestionRequest) -> Outcome:
        policy = parse_policy(request.readers or "nobody")
        async with self._database.writing_in(self._workspace_id) as connection:
            label_id = await intern_label(connection, policy)
        name, uri, data = await self._load(request)
        submission = Submission(
            uri=uri,
            name=name,
            data=data,
            label_id=label_id,
            title=request.title or None,
            added_by=request.requested_by,
            actor=request.requested_by,
            policy=policy,
        )
        return await self._ingestor.ingest(self._workspace_id, submission)

    async def _load(self, request: IngestionRequest) -> tuple[str, str, bytes]:
        """(name, uri, content) of what was handed in."""
        if request.kind == "url":
            fetched = await fetch(request.locator, FetchLimits(max_bytes=self._max_bytes))
            return fetched.name, request.locator, fetched.data
        if request.kind == "file":
            name, data = await download(self._outbox.client, request.locator, self._max_bytes)
            return name, f"slack-file:{request.locator}", data
        return request.title or "Pasted text", f"slack-text:{request.id}", request.content or b""

    async def _report(self, request: IngestionRequest, said: str, state: str) -> None:
        await self._outbox.tell_in_person(request.requested_by, escape(said), plain_blocks(said))
        await self._end(request, state)

    async def _end(self, request: IngestionRequest, state: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await end_request(connection, request.id, state)

    async def _read(self, request_id: int) -> IngestionRequest | None:
        async with self._database.writing_in(self._workspace_id) as connection:
            return await read_request(connection, request_id)


def describe(outcome: Outcome, readers: str) -> str:
    """One line on what became of a document."""
    for_whom = f"for {describe_readers(readers)}"
    passages = f"{outcome.chunks} passage{'' if outcome.chunks == 1 else 's'}"
    return {
        "added": f"{outcome.title} was added {for_whom}: {passages} can be found now.",
        "updated": f"{outcome.title} was updated {for_whom}: its new version has {passages}.",
        "relabelled": f"{outcome.title} was known already; it can now be read {for_whom}.",
        "unchanged": f"{outcome.title} is known already, unchanged, {for_whom}.",
    }[outcome.status]


def describe_readers(readers: str) -> str:
    """`finance+leadership,hr` in words: finance and leadership together, or hr."""
    clauses = [clause.replace("+!", " but not ").replace("+", " and ") for clause in readers.split(",")]
    return ", or ".join(clauses)


def readers_policy(roles: list[str], rule: str) -> Policy:
    """What was chosen in the modal: any one of the roles, or all of them."""
    if rule == "all":
        return Policy(frozenset({Clause(frozenset(roles))}))
    return Policy(frozenset(Clause(frozenset({role})) for role in roles))


def has_own_title(request: IngestionRequest | NewRequest) -> bool:
    """Whether what was handed in may name itself: files and pages do, pasted text goes by its first words."""
    return request.kind != "text"


def _called(request: IngestionRequest) -> str:
    """What to call a document of which only the request is known."""
    return request.title or (title_of_link(request.locator) if request.kind == "url" else "The file")


def title_of_link(url: str) -> str:
    """Host and path, and the address as it is where it has none: fetching it will say so."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.netloc.rpartition("@")[2] + parts.path).rstrip("/") or url
