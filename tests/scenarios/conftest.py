"""The whole bot against the sandbox workspace: real PostgreSQL, models and Slack SDK."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from auth.database import Database, DatabaseUrls
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.answering import Answerer
from bot.assistant import Assistant
from bot.demo.workspace import workspace_seed
from bot.directory_file import DirectoryFile, load_directory
from bot.generation import GeneratorChatModel, LocalGenerator
from bot.queue import QueueSettings
from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import Visitor
from bot.slack.app import slack_client
from bot.slack.requests import RequestDoor
from bot.slack.service import SlackAccess, connected, identify
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.locks import CrossCheck
from retrieval.parsing.isolated import ParserProcess
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import SearchSettings
from tests.conftest import CACHE
from tests.parrot import Parrot

MANIFEST = Path(__file__).parents[2] / "deploy" / "slack-manifest.yaml"
FAST_QUEUE = QueueSettings(polling_s=0.2, heartbeat_s=0.5, dead_after_s=2.0, retry_wait_s=0)

OFFICE = DirectoryFile.model_validate(
    {
        "workspace": {"team_id": "T0TEST", "name": "Test", "bot_user_id": "U0BOT", "bot_handle": "ostiary"},
        "roles": [{"name": "people"}, {"name": "engineering"}],
        "people": [
            {"user_id": "U0PIA", "handle": "pia", "name": "Pia", "roles": ["people", "ostiary-admin"]},
            {"user_id": "U0ENZO", "handle": "enzo", "name": "Enzo", "roles": ["engineering"]},
            {"user_id": "U0GUS", "handle": "gus", "name": "Gus", "kind": "guest"},
        ],
        "channels": [
            {"channel_id": "C0GENERAL", "name": "general", "members": ["pia", "enzo", "ostiary"]},
            {"channel_id": "C0PEOPLE", "name": "people", "private": True, "members": ["pia", "ostiary"]},
            {
                "channel_id": "C0MIXED",
                "name": "mixed",
                "private": True,
                "members": ["pia", "enzo", "ostiary"],
            },
            {"channel_id": "C0GUESTS", "name": "guests", "members": ["pia", "gus", "ostiary"]},
        ],
    }
)
DOCUMENTS = {
    "Leave": ("everyone", "# Leave\n\nEmployees receive 27 days of paid leave a year."),
    "Salary bands": ("people", "# Salary bands\n\nA senior engineer earns 78,000 to 94,000 euros a year."),
}


def without_roles(handle: str) -> DirectoryFile:
    """The office's directory file once an admin has struck out every role of one person."""
    people = [
        entry.model_copy(update={"roles": ()}) if entry.handle == handle else entry for entry in OFFICE.people
    ]
    return OFFICE.model_copy(update={"people": tuple(people)})


@dataclass
class Office:
    """A bot at its desk in a sandbox workspace."""

    sandbox: SandboxServer
    database: Database
    workspace_id: int
    stack: AsyncExitStack

    @property
    def visitor(self) -> Visitor:
        return self.sandbox.visitor


@pytest.fixture(scope="session")
def language_model() -> Iterator[LocalGenerator]:
    model = LocalGenerator.load(cache=CACHE, threads=2)
    yield model
    model.stop()


def install_by_manifest(sandbox: SandboxServer) -> None:
    """Give the app what its manifest asks of a workspace, and no more."""
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    sandbox.scopes.clear()
    sandbox.scopes.update(manifest["oauth_config"]["scopes"]["bot"])
    sandbox.subscriptions.clear()
    sandbox.subscriptions.update(manifest["settings"]["event_subscriptions"]["bot_events"])


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(workspace_seed(OFFICE)) as running:
        install_by_manifest(running)
        yield running


@pytest.fixture
async def office(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings, language_model: LocalGenerator
) -> AsyncIterator[Office]:
    answerer = Answerer(GeneratorChatModel.over(language_model), embeddings.encode, likelihood=language_model)
    async with open_office(sandbox, urls, embeddings, answerer) as opened:
        yield opened


@pytest.fixture
async def parrot_office(
    sandbox: SandboxServer, urls: DatabaseUrls, embeddings: LocalEmbeddings
) -> AsyncIterator[Office]:
    """An office whose bot repeats all that it is given to read: for what the door keeps, not the model."""
    async with open_office(sandbox, urls, embeddings, Parrot()) as opened:
        yield opened


@asynccontextmanager
async def open_office(
    sandbox: SandboxServer,
    urls: DatabaseUrls,
    embeddings: LocalEmbeddings,
    answerer: Answerer | Parrot,
    queue_settings: QueueSettings = FAST_QUEUE,
    *,
    door: RequestDoor | None = None,
    sockets: int = 1,
) -> AsyncIterator[Office]:
    """A bot at its desk; it opens a socket, unless Slack's requests come in at a door."""
    async with AsyncExitStack() as stack:
        database = Database(urls)
        stack.push_async_callback(database.close)
        workspace_id = await load_directory(database, OFFICE)
        parser = await stack.enter_async_context(ParserProcess())
        ingestor = Ingestor(database, embeddings, parser)
        await fill(database, workspace_id, ingestor)
        search = SearchSettings(cross_check=CrossCheck(1.0))
        library = Library(database, embeddings, settings=RetrievalSettings(search=search))
        access = SlackAccess(sandbox.bot_token, sandbox.app_token, sandbox.api_url, door, sockets)
        team = await identify(slack_client(access.bot_token, access.api_url), database)
        await stack.enter_async_context(
            connected(
                access,
                database,
                team,
                Assistant(library, answerer),  # type: ignore[arg-type]
                ingestor,
                max_document_bytes=2**20,
                queue_settings=queue_settings,
            )
        )
        if door is None:
            await sandbox.wait_for_connection()
        yield Office(sandbox, database, workspace_id, stack)


async def fill(database: Database, workspace_id: int, ingestor: Ingestor) -> None:
    """Bring the documents of the office in."""
    for title, (readers, text) in DOCUMENTS.items():
        async with database.writing_in(workspace_id) as connection:
            label_id = await intern_label(connection, parse_policy(readers))
        submission = Submission(title, f"{title}.md", text.encode(), label_id, title)
        await ingestor.ingest(workspace_id, submission)
