"""`ostiary serve`: the bot in a real workspace, until it is told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace

from pydantic import SecretStr
from rich.text import Text

from auth.database import Database
from auth.errors import OstiaryError
from bot.background import in_background
from bot.cli.output import out, progress_line
from bot.logging import configure_logging
from bot.opening import open_database
from bot.probe.probing import Means
from bot.probe.scheduling import scheduled_probe
from bot.queue import ALL_LANES, SLOW_LANES, Lane
from bot.runtime import load_embeddings, open_assistant, open_ingestor
from bot.settings import Settings, load_settings
from bot.slack.app import slack_client
from bot.slack.heard_requests import HeardRequests
from bot.slack.requests import RequestDoor
from bot.slack.service import SlackAccess, connected, identify
from bot.slack.team import Team
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.weights import Progress


class TokensMissing(OstiaryError):
    """Slack's tokens are not set; the message says where they come from."""


class PortTaken(OstiaryError):
    """The port for figures is in use; the message names it."""


async def serve(*, works: bool = True) -> None:
    """Answer in the workspace that the tokens belong to, until stopped. Documents: only if it `works`."""
    settings = load_settings()
    configure_logging(settings.log_level)
    access = _access(settings)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            progress("Asking Slack who I am")
            team = await identify(slack_client(access.bot_token, access.api_url), database)
            if settings.http_port:
                door = RequestDoor(_signing_secret(settings), HeardRequests(database))
                await stack.enter_async_context(door.open(settings.http_host, settings.http_port))
                access = replace(access, door=door)
            embeddings = await load_embeddings(settings, progress)
            ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
            stack.enter_context(measured(settings.metrics_port))
            lanes = ALL_LANES if works else ALL_LANES - SLOW_LANES
            await stack.enter_async_context(
                staffed(settings, access, team, database, embeddings, ingestor, progress, lanes)
            )
        if settings.probe_hours:
            means = Means(database, embeddings, ingestor)
            probing = scheduled_probe(means, team.workspace_id, team.team_id, every_h=settings.probe_hours)
            await stack.enter_async_context(in_background(probing))
        where = f" Slack's requests come in on port {settings.http_port}." if settings.http_port else ""
        out.print(Text(f"Ostiary is at its desk in {team.name}.{where} Ctrl-C stops it."))
        await until_stopped()
        out.print(Text("Stopping."))


@asynccontextmanager
async def staffed(
    settings: Settings,
    access: SlackAccess,
    team: Team,
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    progress: Progress,
    lanes: Collection[Lane] = ALL_LANES,
) -> AsyncIterator[None]:
    """The bot in a workspace, its language model loaded and its jobs taken up, while this is open."""
    async with open_assistant(settings, database, team.workspace_id, embeddings, progress) as assistant:
        progress("Connecting the bot")
        size = settings.max_document_bytes
        async with connected(
            access,
            database,
            team,
            assistant,
            ingestor,
            max_document_bytes=size,
            lanes=lanes,
            resync_s=settings.resync_minutes * 60,
        ):
            yield


@contextmanager
def measured(port: int | None) -> Iterator[None]:
    """Figures for Prometheus on this machine's own address, while this is open and a port is set."""
    if port is None:
        yield
        return
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        raise PortTaken(
            f"Nothing can be served on port {port} ({error.strerror}). Set OSTIARY_METRICS_PORT to another."
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def until_stopped() -> None:
    """Return on Ctrl-C or SIGTERM, so that everything open is closed in order."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _access(settings: Settings) -> SlackAccess:
    if settings.http_port:
        _signing_secret(settings)
    app_token = SecretStr("") if settings.http_port else settings.slack_app_token
    if settings.slack_bot_token is None or app_token is None:
        missing = "SLACK_BOT_TOKEN" if settings.slack_bot_token is None else "SLACK_APP_TOKEN"
        raise TokensMissing(
            f"{missing} is not set. Create the app from deploy/slack-manifest.yaml, install it, and set"
            " SLACK_BOT_TOKEN (xoxb-...) and SLACK_APP_TOKEN (xapp-...). To try it without Slack: `ostiary demo`."
        )
    return SlackAccess(
        settings.slack_bot_token.get_secret_value(),
        app_token.get_secret_value(),
        settings.slack_api_url,
        sockets=settings.sockets,
    )


def _signing_secret(settings: Settings) -> str:
    if settings.slack_signing_secret is None or not settings.slack_signing_secret.get_secret_value().strip():
        raise TokensMissing(
            "SLACK_SIGNING_SECRET is not set, and without it nobody could tell Slack's requests from others."
            " It stands on the app's page under Basic Information. Without OSTIARY_HTTP_PORT it is not needed."
        )
    return settings.slack_signing_secret.get_secret_value().strip()
