"""Listeners for documents that are handed in: kept, given readers in a modal, and left to a job."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from bot.queue import JobQueue
from bot.slack.asking import DATABASE_AWAY
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
from bot.slack.messages import first_link, plain_text, typed_id
from bot.slack.views import CHOOSE_READERS, READERS_VIEW, escape, plain_blocks, readers_view, role_choice

log = structlog.get_logger(__name__)

USAGE = "Write `/ingest` and a web address, or the text to add. Or send me a file in a direct message."
AWAY = "I cannot reach my database just now, and nothing was changed. Please try again later."
SETTLING_S = 1.5  # Slack waits three seconds for the answer to a modal
PASTED_TITLE_LENGTH = 60


class IngestionDesk:
    """Takes in files, addresses and pasted text from admins. Each listener stores, enqueues and returns."""

    def __init__(self, database: Database, workspace_id: int, queue: JobQueue, intake: Intake) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._queue = queue
        self._intake = intake

    def register(self, app: AsyncApp) -> None:
        app.command("/ingest")(self.on_ingest)
        app.action(CHOOSE_READERS)(self.on_choose_readers)
        app.view(READERS_VIEW)(self.on_readers_chosen)

    async def take_files(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
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
        user_id, request_id = body["user"]["id"], typed_id(body["actions"][0].get("value"))
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
        request_id = typed_id(carried)
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


def _first_line(text: str) -> str:
    line = plain_text(text.strip().splitlines()[0])
    return line if len(line) <= PASTED_TITLE_LENGTH else line[:PASTED_TITLE_LENGTH].rsplit(" ", 1)[0] + " ..."


def _pasted(text: str) -> bytes:
    """The words of pasted text, line by line, as a document's bytes."""
    return "\n".join(plain_text(line) for line in text.splitlines()).encode()
