"""`ostiary demo`: the demo company in a database, its workspace in the browser, and the bot at its desk."""

from contextlib import AsyncExitStack

from rich.text import Text

from auth.errors import OstiaryError
from bot.cli.output import out, progress_line
from bot.cli.serving import until_stopped
from bot.demo.company import load_company, read_people
from bot.directory_file import ChannelEntry, DirectoryFile, PersonEntry
from bot.logging import configure_logging
from bot.runtime import load_embeddings, open_assistant, open_database, open_ingestor
from bot.sandbox.seed import ChannelSeed, PersonSeed, WorkspaceSeed
from bot.sandbox.server import SandboxPortTaken, SandboxServer
from bot.settings import load_settings
from bot.slack.app import slack_client
from bot.slack.service import SlackAccess, connected, identify


class PortTaken(OstiaryError):
    """The page's port is in use; the message says how to choose another."""


async def run_demo(port: int) -> None:
    """Run until Ctrl-C. A second start finds documents and conversations as they were."""
    settings = load_settings()
    configure_logging(settings.log_level)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            progress("Opening the sandbox workspace")
            state = settings.home / "sandbox.json"
            state.parent.mkdir(parents=True, exist_ok=True)
            sandbox = SandboxServer(workspace_seed(read_people()), port=port, state_file=state)
            try:
                await sandbox.start()
            except SandboxPortTaken as error:
                raise PortTaken(
                    f"Port {port} is in use by another program. Choose another: `make demo PORT=8766`."
                ) from error
            stack.push_async_callback(sandbox.stop)
            database = await stack.enter_async_context(open_database(settings, progress))
            embeddings = await load_embeddings(settings, progress)
            ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
            await load_company(
                database,
                ingestor,
                lambda done, total: progress(f"Reading the company's documents: {done} of {total}"),
            )
            access = SlackAccess(sandbox.bot_token, sandbox.app_token, sandbox.api_url)
            team = await identify(slack_client(access.bot_token, access.api_url), database)
            assistant = await stack.enter_async_context(
                open_assistant(settings, database, team.workspace_id, embeddings, progress)
            )
            progress("Connecting the bot")
            await stack.enter_async_context(
                connected(
                    access,
                    database,
                    team,
                    assistant,
                    ingestor,
                    max_document_bytes=settings.max_document_bytes,
                )
            )
        out.print(
            Text.assemble("\nOpen ", (sandbox.url, "bold cyan"), " and ask. Ctrl-C stops everything.\n")
        )
        await until_stopped()
        out.print(Text("Stopping."))


def workspace_seed(directory: DirectoryFile) -> WorkspaceSeed:
    """The company's people and channels as the sandbox wants them."""
    return WorkspaceSeed(
        team_id=directory.workspace.team_id,
        name=directory.workspace.name,
        people=tuple(_person(entry) for entry in directory.people),
        channels=tuple(_channel(entry) for entry in directory.channels),
        bot_name=directory.workspace.bot_handle or "ostiary",
        commands=(("/ingest", "Add a document to the knowledge base", "web address or text"),),
    )


def _person(entry: PersonEntry) -> PersonSeed:
    return PersonSeed(
        user_id=entry.user_id,
        handle=entry.handle,
        name=entry.name,
        title=entry.title,
        kind=entry.kind.value,
        deleted=entry.deactivated,
        is_admin=entry.is_admin,
        team_id=entry.team_id,
    )


def _channel(entry: ChannelEntry) -> ChannelSeed:
    return ChannelSeed(
        channel_id=entry.channel_id,
        name=entry.name,
        private=entry.private,
        members=entry.members,
        topic=entry.topic,
        shared=entry.shared,
    )
