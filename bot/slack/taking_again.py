"""Documents that are taken in again from Slack: had from where they came, and spoken of to those who may know."""

from auth.clearance import Clearance
from auth.database import ITSELF, Database
from auth.rights import nothing, rights_of
from bot.administering.administration import Administration
from bot.administering.overviews import DocumentEntry
from bot.administering.telling import is_told
from bot.queue import JobQueue
from bot.refreshing import NotRefreshed, is_web_address, submission_again
from bot.slack.ingest_requests import Chosen, NewRequest, accept_request, add_request
from bot.slack.pieces import Pieces
from retrieval.cataloguing import document_with
from retrieval.failing import record_failure
from retrieval.ingestion import Submission

NOT_FROM_HERE = (
    "It cannot be had again from here: it was taken in as text, at the machine, or from a source, which is read"
    " again by itself."
)
AGAIN = "I take it in again, and tell you in a direct message what became of it."
NOT_FOR_YOU = "Why, `/docs` tells those who may read it."
_FROM_SLACK = ("slack-file:", "slack-thread:")


def can_be_had(uri: str) -> bool:
    """Whether a document with this address can be had again from here."""
    return is_web_address(uri) or uri.startswith(_FROM_SLACK)


class Again:
    """Documents of one workspace, as they are where they came from."""

    def __init__(self, database: Database, workspace_id: int, pieces: Pieces) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._pieces = pieces

    async def ask(self, document_id: int, actor: str, queue: JobQueue, job: str) -> str:
        """Keep the wish, and have it done; a sentence on what will be. Raises UnknownDocument."""
        async with self._database.writing_in(self._workspace_id) as connection:
            entry = await document_with(connection, document_id)
            if not can_be_had(entry.uri):
                return NOT_FROM_HERE
            request_id = await add_request(connection, NewRequest("again", str(document_id), "", actor, ""))
            assert request_id is not None
            await accept_request(connection, request_id, Chosen(""))
            await queue.defer(connection, job, request_id=request_id)
        return AGAIN

    async def submission(self, document_id: int, actor: str) -> Submission:
        """As it would be handed in now, for its own readers. Raises OstiaryError."""
        return await submission_again(self._database, self._workspace_id, document_id, self._load, actor)

    async def shown_to(self, slack_user_id: str, document_id: int) -> DocumentEntry:
        """With its title only if this person may read it."""
        viewer = await self._viewer(slack_user_id)
        return await Administration(self._database, self._workspace_id).document(viewer, document_id)

    async def _viewer(self, slack_user_id: str) -> Clearance:
        rights = await rights_of(self._database, self._workspace_id, slack_user_id)
        return rights.clearance if rights is not None else nothing(self._workspace_id)

    async def note_failure(self, slack_user_id: str, document_id: int, reason: str) -> str:
        """Keep a failure for the document's readers; returns what to say of it to whoever asked.

        Who did not hand it in, and may not read it, hears its number, and neither title nor address.
        """
        async with self._database.writing_in(self._workspace_id) as connection:
            entry = await document_with(connection, document_id)
            await record_failure(connection, entry.uri, entry.label_id, reason, ITSELF)
        told = is_told(await self._viewer(slack_user_id), [entry.label_id])
        return reason if told else NOT_FOR_YOU

    async def _load(self, uri: str) -> tuple[str, bytes]:
        kind, _, rest = uri.partition(":")
        if is_web_address(uri):
            return await self._pieces.web_page(uri).load()
        if kind == "slack-file":
            return await self._pieces.member(rest)
        if kind == "slack-thread":
            return await (await self._pieces.thread(rest)).load()
        raise NotRefreshed("It cannot be had again from here.")
