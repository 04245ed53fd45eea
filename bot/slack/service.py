"""One workspace connected: the bot comes to its desk, answers until it is told to stop, and leaves tidily."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from auth.database import Database
from auth.directory import register_workspace
from auth.errors import OstiaryError
from auth.granting import define_built_in_roles
from auth.rights import Audience
from bot.approving import Approvals
from bot.assistant import Assistant
from bot.background import in_background
from bot.expiring import keep_sweeping
from bot.gaps import Gaps
from bot.queue import ALL_LANES, JobQueue, Lane, QueueSettings
from bot.slack.admin.desk import AdminDesk
from bot.slack.app import Desk, MessageDesk, slack_app, slack_client
from bot.slack.approving import ApprovalDesk
from bot.slack.asking import AskingDesk
from bot.slack.audiences import Audiences
from bot.slack.courtesies import Courtesies
from bot.slack.delivery import Outbox
from bot.slack.digests import DigestDesk, DigestSender
from bot.slack.gaps import GapsDesk
from bot.slack.handing_in import IngestionDesk
from bot.slack.home import HomeDesk
from bot.slack.ingesting import Intake
from bot.slack.lending import Lending
from bot.slack.line import Line
from bot.slack.people import Roster
from bot.slack.places import Place
from bot.slack.prompts import Prompts
from bot.slack.question_forms import QuestionForms
from bot.slack.refusals import reason
from bot.slack.replying import ANSWER_JOB, Replier
from bot.slack.requests import RequestDoor
from bot.slack.small_talk import small_talk
from bot.slack.standing import RESYNC_S, StandingDesk, StandingReader
from bot.slack.stopping import Stops
from bot.slack.team import Team
from bot.slack.under_answers import UnderAnswers
from bot.source_jobs import SourceKeeper, readers
from retrieval.ingestion import Ingestor
from retrieval.sources.kept import Kind

log = structlog.get_logger(__name__)


class SlackRefused(OstiaryError):
    """Slack does not let the bot in; the message says which token or scope to mend."""


@dataclass(frozen=True)
class SlackAccess:
    """How to reach Slack: the two tokens of the app, and where its Web API is.

    With a `door` Slack's requests come in there, and no socket is opened: the app token is not needed. Several
    `sockets` carry on for one that breaks or is renewed; Slack gives an app ten, for all its processes together.
    """

    bot_token: str
    app_token: str
    api_url: str
    door: RequestDoor | None = None
    sockets: int = 1


async def ask_who_i_am(client: AsyncWebClient) -> AsyncSlackResponse:
    """What Slack says of the bot token (`auth.test`). Raises SlackRefused."""
    try:
        return await client.auth_test()
    except SlackApiError as error:
        raise SlackRefused(
            f"Slack refused the bot token ({reason(error)}). Set SLACK_BOT_TOKEN to the token that"
            " begins with xoxb-, from the app's page under OAuth & Permissions."
        ) from error
    except (ClientError, OSError, TimeoutError) as error:
        raise SlackRefused(
            f"Slack could not be reached at {client.base_url} ({error}). Check the network."
        ) from error


async def check_app_token(client: AsyncWebClient, app_token: str) -> None:
    """Raise SlackRefused where Slack would give this token no socket."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        raise _app_token_refused(error) from error


async def identify(client: AsyncWebClient, database: Database) -> Team:
    """Ask Slack who the bot is and make its workspace known. Raises SlackRefused."""
    said = await ask_who_i_am(client)
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, said["team_id"], said["team"])
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
    return Team(workspace_id, said["team_id"], said["team"], said["user_id"])


@asynccontextmanager
async def connected(
    access: SlackAccess,
    database: Database,
    team: Team,
    assistant: Assistant,
    ingestor: Ingestor,
    *,
    max_document_bytes: int,
    queue_settings: QueueSettings | None = None,
    lanes: Collection[Lane] = ALL_LANES,
    resync_s: float = RESYNC_S,
) -> AsyncIterator[None]:
    """Listen, and work in these lanes, while this is open. Jobs that an earlier process left are taken up again."""
    client = slack_client(access.bot_token, access.api_url)
    workspace_id = team.workspace_id
    outbox = Outbox(client)
    roster = Roster(client, database, team)
    audiences = Audiences(client, team.bot_user_id)
    queue = JobQueue(database.urls, workspace_id, queue_settings, lanes)
    intake = Intake(database, workspace_id, ingestor, outbox, max_document_bytes, team.bot_user_id)
    lending = Lending(database, team, assistant, outbox)
    stops, courtesies = Stops(), Courtesies()
    replier = Replier(database, team, assistant, roster, audiences, outbox, lending, stops)
    sources = SourceKeeper(
        database,
        workspace_id,
        ingestor,
        {**readers(max_document_bytes), Kind.SLACK_CHANNEL: intake.channel_reader},
    )
    for worker in (intake, lending, replier, sources, DigestSender(database, team)):
        worker.register(queue)
    standing = StandingReader(client, database, team, roster)
    line = Line(database, team, outbox, ANSWER_JOB)
    asking = AskingDesk(database, team, queue, outbox, lending, stops, line)
    ingestion = IngestionDesk(database, workspace_id, queue, intake)
    admin = AdminDesk(client, database, workspace_id, roster, standing, intake.again, sources.read_soon)
    others: tuple[Desk, ...] = (
        UnderAnswers(database, team, ApprovalDesk(Approvals(database, workspace_id, ingestor))),
        QuestionForms(team, asking, outbox),
        HomeDesk(database, team, Prompts(assistant), courtesies),
        DigestDesk(database, team, queue),
        GapsDesk(_gaps(database, team, assistant, audiences)),
    )
    await standing.read_all()
    app = slack_app(
        client, team.team_id, desks(team, asking, ingestion, admin, standing, roster, audiences, *others)
    )
    async with (
        queue.working(),
        in_background(standing.keep_reading(resync_s)),
        in_background(keep_sweeping(database, workspace_id)),
        in_background(line.keep_telling()),
        courtesies.ending(),
        access.door.answering(team, app) if access.door else _sockets(app, access, standing),
    ):
        yield


def desks(
    team: Team,
    asking: AskingDesk,
    ingestion: IngestionDesk,
    admin: AdminDesk,
    standing: StandingReader,
    roster: Roster,
    audiences: Audiences,
    *more: Desk,
) -> tuple[Desk, ...]:
    """What listens in a workspace, questions first: Bolt asks one listener after another whether it is meant."""
    messages = MessageDesk(asking, ingestion, team.bot_user_id)
    following = StandingDesk(standing, roster, audiences, team.bot_user_id)
    return messages, asking, following, ingestion, admin, *more


def _gaps(database: Database, team: Team, assistant: Assistant, audiences: Audiences) -> Gaps:
    """Whoever looks is shown what they could read in Slack: who is in a channel, Slack is asked each time."""

    async def who_is_in(channel_id: str) -> Audience:
        return await audiences.now(Place(channel_id, "channel", None), team.bot_user_id)

    embed = assistant.library.embeddings.encode
    return Gaps(database, team.workspace_id, embed, who_is_in, lambda words: small_talk(words) is None)


@asynccontextmanager
async def _sockets(app: AsyncApp, access: SlackAccess, standing: StandingReader) -> AsyncIterator[None]:
    """Listen on all of them while this is open: each thing comes on any one."""
    async with AsyncExitStack() as stack:
        for _ in range(access.sockets):
            await stack.enter_async_context(_socket(app, access.app_token, standing))
        yield


@asynccontextmanager
async def _socket(app: AsyncApp, app_token: str, standing: StandingReader) -> AsyncIterator[None]:
    """Listen by Socket Mode while this is open. Raises SlackRefused."""
    handler = AsyncSocketModeHandler(app, app_token, logger=app.client.logger)
    handler.client.message_listeners.append(_on_reconnection(standing))
    try:
        await _connect(handler)
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


def _on_reconnection(standing: StandingReader) -> Callable[..., Awaitable[None]]:
    """What happened while the line was down, or not up yet, was told to nobody: with every `hello` look again."""

    async def listen(_client: object, message: Mapping[str, Any], _raw: object = None) -> None:
        if message.get("type") == "hello":
            standing.look_again()

    return listen


async def _connect(handler: AsyncSocketModeHandler) -> None:
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        raise _app_token_refused(error) from error


def _app_token_refused(error: SlackApiError) -> SlackRefused:
    return SlackRefused(
        f"Slack refused the app token ({reason(error)}). Set SLACK_APP_TOKEN to the token that"
        " begins with xapp-, with the scope connections:write, and turn Socket Mode on."
    )
