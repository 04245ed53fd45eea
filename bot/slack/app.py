"""The Bolt app: listeners that store what came and leave the work to jobs.

`process_before_response` makes Bolt run a listener to its end before Slack hears "ok": what is acknowledged
is stored, and what could not be stored is not acknowledged, so that Slack delivers it again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from auth.database import Database
from bot.queue import JobQueue, NotQueued
from bot.slack.ingest_requests import IngestionRequest, NewRequest, accept_request, add_request, read_request
from bot.slack.ingesting import (
    ADMINS_ONLY,
    INGEST_JOB,
    OFFER_JOB,
    Intake,
    describe_readers,
    has_own_title,
    readers_policy,
    title_of_link,
)
from bot.slack.messages import first_link, is_written_by_a_person, mentions, plain_text
from bot.slack.people import Roster
from bot.slack.places import DIRECT
from bot.slack.questions import IncomingQuestion, claim
from bot.slack.replying import ANSWER_JOB
from bot.slack.views import CHOOSE_READERS, READERS_VIEW, escape, plain_blocks, readers_view, role_choice

log = structlog.get_logger(__name__)

USAGE = "Write `/ingest` and a web address, or the text to add. Or send me a file in a direct message."
NOT_NOW = (
    "I cannot reach my database just now. I try again for the next five minutes; if no answer comes, please ask me"
    " again."
)
AWAY = "I cannot reach my database just now, and nothing was changed. Please try again later."
DATABASE_AWAY = (SQLAlchemyError, NotQueued, TimeoutError)
STORING_S = 10
SETTLING_S = 1.5  # Slack waits three seconds for the answer to a modal
REMEMBERED_APOLOGIES = 1000
PASTED_TITLE_LENGTH = 60


def slack_client(token: str, api_url: str) -> AsyncWebClient:
    """A Web API client that waits and tries again when Slack is busy, unreachable or broken."""
    retries = [
        AsyncConnectionErrorRetryHandler(max_retry_count=2),
        AsyncRateLimitErrorRetryHandler(max_retry_count=3),
        AsyncServerErrorRetryHandler(max_retry_count=2),
    ]
    return AsyncWebClient(token=token, base_url=api_url, retry_handlers=retries)


class Desk:
    """The listeners of one workspace. Each stores, enqueues and returns."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        queue: JobQueue,
        roster: Roster,
        intake: Intake,
        bot_user_id: str,
        team_id: str,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._team_id = team_id
        self._queue = queue
        self._roster = roster
        self._intake = intake
        self._bot_user_id = bot_user_id
        self._apologised_for: deque[str] = deque(maxlen=REMEMBERED_APOLOGIES)

    def app(self, client: AsyncWebClient) -> AsyncApp:
        app = AsyncApp(client=client, process_before_response=True, request_verification_enabled=False)
        app.middleware(self.refuse_other_teams)
        app.event("app_mention")(self.on_mention)
        app.event("message")(self.on_message)
        app.event("team_join")(self.on_person)
        app.event("user_change")(self.on_person)
        app.event("app_home_opened")(self.on_nothing)
        app.command("/ingest")(self.on_ingest)
        app.action(CHOOSE_READERS)(self.on_choose_readers)
        app.view(READERS_VIEW)(self.on_readers_chosen)
        return app

    async def refuse_other_teams(
        self, context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        """One app token hears every team that installed the app, and a user id says who somebody is in one only."""
        if context.team_id not in {None, self._team_id}:
            return BoltResponse(status=200)
        await next_()
        return None

    async def on_nothing(self) -> None:
        """An event that asks for nothing yet."""

    async def on_person(self, event: Mapping[str, Any]) -> None:
        await self._roster.note([event["user"]])

    async def on_mention(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        if is_written_by_a_person(event):
            await self._take_question(event, body, client)

    async def on_message(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """A direct message is a question; elsewhere only what mentions the bot, which `app_mention` brings too."""
        if not is_written_by_a_person(event) or event["user"] == self._bot_user_id:
            return
        if event.get("channel_type") == DIRECT and event.get("files"):
            async with self._apologising(event, client):
                await self._take_files(event, body)
            if not plain_text(event.get("text") or ""):
                return
        if event.get("channel_type") == DIRECT or mentions(event, self._bot_user_id):
            await self._take_question(event, body, client)

    async def _take_question(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        question = IncomingQuestion(
            event_id=body["event_id"],
            channel_id=event["channel"],
            channel_type=event.get("channel_type") or _type_by_id(event["channel"]),
            message_ts=event["ts"],
            thread_ts=event.get("thread_ts"),
            asker_slack_id=event["user"],
            text=plain_text(event.get("text") or ""),
        )
        async with (
            self._apologising(event, client),
            self._database.writing_in(self._workspace_id) as connection,
        ):
            question_id = await claim(connection, question)
            if question_id is not None:
                await self._queue.defer(connection, ANSWER_JOB, question_id=question_id)

    @asynccontextmanager
    async def _apologising(self, event: Mapping[str, Any], client: AsyncWebClient) -> AsyncIterator[None]:
        """Where the database is away, tell whoever wrote the message, alone, and once.

        The error goes on: the event is not acknowledged, and Slack delivers it again, at once and for minutes.
        """
        try:
            async with asyncio.timeout(STORING_S):
                yield
        except DATABASE_AWAY:
            if event["ts"] not in self._apologised_for:
                self._apologised_for.append(event["ts"])
                await _say_not_now(client, event)
            raise

    async def _take_files(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            for file in event["files"]:
                new = NewRequest(
                    kind="file",
                    locator=file["id"],
                    title=file.get("title") or file.get("name") or file["id"],
                    requested_by=event["user"],
                    channel_id=event["channel"],
                    event_id=f"{body['event_id']}:{file['id']}",
                )
                request_id = await add_request(connection, new)
                if request_id is not None:
                    await self._queue.defer(connection, OFFER_JOB, request_id=request_id)

    async def on_ingest(self, ack: AsyncAck, command: Mapping[str, Any], client: AsyncWebClient) -> None:
        """`/ingest URL or text`: keep what was given and ask who may read it."""
        given = (command.get("text") or "").strip()
        try:
            if not await self._intake.is_admin(command["user_id"]):
                await ack(ADMINS_ONLY)
            elif not given:
                await ack(USAGE)
            else:
                await self._take_given(given, command, client)
                await ack()
        except DATABASE_AWAY:
            log.exception("a command found the database away")
            await ack(AWAY)

    async def _take_given(self, given: str, command: Mapping[str, Any], client: AsyncWebClient) -> None:
        link = first_link(given)
        new = NewRequest(
            kind="url" if link else "text",
            locator=link or "pasted text",
            title=title_of_link(link) if link else _first_line(given),
            content=None if link else _pasted(given),
            requested_by=command["user_id"],
            channel_id=command["channel_id"],
        )
        async with self._database.writing_in(self._workspace_id) as connection:
            request_id = await add_request(connection, new)
        assert request_id is not None
        view = readers_view(
            new.title, request_id, await self._intake.roles(), has_own_title=has_own_title(new)
        )
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    async def on_choose_readers(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """The button under a file: opens the modal. Its value grants nothing: request and rights are looked up."""
        await ack()
        user_id, request_id = body["user"]["id"], _as_id(body["actions"][0].get("value"))
        offer_ts = body["container"]["message_ts"]
        async with self._database.writing_in(self._workspace_id) as connection:
            request = await read_request(connection, request_id) if request_id is not None else None
        if request is None or request.requested_by != user_id or not await self._intake.is_admin(user_id):
            return
        if request.state != "waiting":
            await _settle_offer(
                client, request, offer_ts, f"The readers of {request.title} are chosen already."
            )
            return
        own = has_own_title(request)
        roles = await self._intake.roles()
        view = readers_view(request.title, request.id, roles, has_own_title=own, offer_ts=offer_ts)
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def on_readers_chosen(
        self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """The modal: fix the readers and start the work, in one transaction."""
        try:
            refused = await self._accept(body["user"]["id"], view, client)
        except DATABASE_AWAY:
            log.exception("a modal found the database away")
            refused = AWAY
        if refused:
            await ack(response_action="errors", errors={"readers": refused})
        else:
            await ack()

    async def _accept(self, user_id: str, view: Mapping[str, Any], client: AsyncWebClient) -> str | None:
        """Take over what was chosen; a sentence where that cannot be."""
        title, roles, rule = role_choice(view["state"])
        carried, _, offer_ts = str(view.get("private_metadata") or "").partition(" ")
        request_id = _as_id(carried)
        if not await self._intake.is_admin(user_id):
            return ADMINS_ONLY
        unknown = sorted(set(roles) - set(await self._intake.roles()))
        if unknown or not roles:
            return f"There is no role called {', '.join(unknown)} any more." if unknown else "Choose a role."
        policy = readers_policy(list(roles), rule)
        async with self._database.writing_in(self._workspace_id) as connection:
            request = await read_request(connection, request_id) if request_id is not None else None
            if request is None or request.requested_by != user_id:
                return None
            title = title or ("" if has_own_title(request) else request.title)
            accepted = await accept_request(connection, request.id, str(policy), title)
            if accepted:
                await self._queue.defer(connection, INGEST_JOB, request_id=request.id)
        if accepted and offer_ts:
            said = f"{request.title} is being added for {describe_readers(str(policy))}."
            await _settle_offer(client, request, offer_ts, said)
        return None


async def _settle_offer(client: AsyncWebClient, request: IngestionRequest, offer_ts: str, said: str) -> None:
    """Put a sentence where the button was. Only a courtesy: the button does nothing a second time."""
    try:
        async with asyncio.timeout(SETTLING_S):
            await client.chat_update(
                channel=request.channel_id, ts=offer_ts, text=escape(said), blocks=plain_blocks(said)
            )
    except (SlackApiError, ClientError, OSError, TimeoutError) as error:
        log.warning("could not take a button away", error=str(error))


async def _say_not_now(client: AsyncWebClient, event: Mapping[str, Any]) -> None:
    """In a direct message everything is private; elsewhere only its author sees this."""
    channel_id = event["channel"]
    try:
        if (event.get("channel_type") or _type_by_id(channel_id)) == DIRECT:
            await client.chat_postMessage(channel=channel_id, text=NOT_NOW)
        else:
            await client.chat_postEphemeral(channel=channel_id, user=event["user"], text=NOT_NOW)
    except SlackApiError:
        log.exception("could not say that the database is away")


def _type_by_id(channel_id: str) -> str:
    """`app_mention` carries no channel type; direct messages alone need telling apart: their ids begin with D."""
    return DIRECT if channel_id.startswith("D") else "channel"


def _first_line(text: str) -> str:
    line = plain_text(text.strip().splitlines()[0])
    return line if len(line) <= PASTED_TITLE_LENGTH else line[:PASTED_TITLE_LENGTH].rsplit(" ", 1)[0] + " ..."


def _pasted(text: str) -> bytes:
    """The words of pasted text, line by line, as a document's bytes."""
    return "\n".join(plain_text(line) for line in text.splitlines()).encode()


def _as_id(value: object) -> int | None:
    """Ids in payloads are anybody's writing: whatever is not a plain number is no id."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
        else None
    )
