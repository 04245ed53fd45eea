"""`ostiary demo`: the demo company in a database, its workspace in the browser, and the bot at its desk."""

from contextlib import AsyncExitStack

from rich.text import Text

from auth.errors import OstiaryError
from bot.cli.output import out, progress_line
from bot.cli.serving import staffed, until_stopped
from bot.demo.company import load_company, read_company, read_people
from bot.demo.workspace import workspace_seed
from bot.logging import configure_logging
from bot.opening import open_database
from bot.runtime import load_embeddings, open_ingestor
from bot.sandbox.server import SandboxPortTaken, SandboxServer
from bot.settings import Settings, load_settings
from bot.slack.app import slack_client
from bot.slack.service import SlackAccess, identify


class PortTaken(OstiaryError):
    """The page's port is in use; the message says how to choose another."""


async def run_demo(port: int) -> None:
    """Run until Ctrl-C. A second start finds documents and conversations as they were."""
    settings = load_settings()
    configure_logging(settings.log_level)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            progress("Opening the sandbox workspace")
            sandbox = await _open_sandbox(settings, port)
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
            await stack.enter_async_context(
                staffed(settings, access, team, database, embeddings, ingestor, progress)
            )
        out.print(_welcome(sandbox.url))
        await until_stopped()
        out.print(Text("Stopping."))


def _welcome(url: str) -> Text:
    return Text.assemble(
        "\nOpen ",
        (url, "bold cyan"),
        " and ask. For example, write to ostiary as Odile, then as Priya:\n",
        (f"  {read_company().tour[0].question}\n", "bold"),
        "Ctrl-C stops everything.\n",
    )


async def _open_sandbox(settings: Settings, port: int) -> SandboxServer:
    """The company's workspace with what was said in it before. Raises PortTaken."""
    state = settings.home / "sandbox.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    sandbox = SandboxServer(workspace_seed(read_people()), port=port, state_file=state)
    try:
        await sandbox.start()
    except SandboxPortTaken as error:
        raise PortTaken(
            f"Port {port} is in use by another program. Choose another: `make demo PORT=8766`."
        ) from error
    return sandbox
