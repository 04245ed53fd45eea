"""Listeners for documents that are handed in: kept, given readers in a modal, and left to a job."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from bot.queue import JobQueue
from bot.slack.admitting import Door
from bot.slack.given import given
from bot.slack.ingest_requests import NewRequest, add_request, cancel_request, read_request
from bot.slack.ingesting import ADMINS_ONLY, OFFER_JOB, Intake
from bot.slack.intake_forms import IntakeForms
from bot.slack.message_shortcuts import MessageShortcuts
from bot.slack.messages import typed_id
from bot.slack.views import CANCEL_INGESTION, CHOOSE_READERS

AWAY = "I cannot reach my database just now, and nothing was changed. Please try again later."


class IngestionDesk:
    """Takes in files, addresses, text, messages, threads from admins. Each listener stores, enqueues, returns."""

    def __init__(self, database: Database, workspace_id: int, queue: JobQueue, intake: Intake) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._queue = queue
        self._intake = intake
        self._door = Door(lambda user_id: intake.is_admin(user_id), ADMINS_ONLY, AWAY)
        self._forms = IntakeForms(database, workspace_id, queue, intake, self._door)
        self._shortcuts = MessageShortcuts(self._door, intake, self._forms)

    def register(self, app: AsyncApp) -> None:
        app.command("/ingest")(self.on_ingest)
        app.action(CHOOSE_READERS)(self.on_choose_readers)
        app.action(CANCEL_INGESTION)(self.on_cancel)
        self._forms.register(app)
        self._shortcuts.register(app)

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
        """`/ingest`: a form; `/ingest URL or text`: keep what was given and ask who may read it."""
        text, trigger_id = (command.get("text") or "").strip(), command.get("trigger_id", "")

        async def ask() -> None:
            if not text:
                await self._forms.open(trigger_id, client)
                return
            new = given(text, command["user_id"], command["channel_id"])
            await self._forms.ask_for_readers(new, trigger_id, client)

        refused = await self._door.answer(command["user_id"], ask)
        await (ack(refused) if refused else ack())

    async def on_choose_readers(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """The button under a file: opens the modal. Its value grants nothing: request and rights are looked up."""
        await ack()
        user_id, request_id = body["user"]["id"], typed_id(body["actions"][0].get("value"))

        async def offer() -> None:
            async with self._database.writing_in(self._workspace_id) as connection:
                request = await read_request(connection, request_id) if request_id is not None else None
            if request is not None and request.requested_by == user_id:
                await self._forms.offer(request, body["trigger_id"], client, body["container"]["message_ts"])

        await self._door.answer(user_id, offer)

    async def on_cancel(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The button under what tells how far it is. The job looks, and stops."""
        await ack()
        user_id, request_id = body["user"]["id"], typed_id(body["actions"][0].get("value"))

        async def cancel() -> None:
            if request_id is not None:
                async with self._database.writing_in(self._workspace_id) as connection:
                    await cancel_request(connection, request_id, user_id)

        await self._door.answer(user_id, cancel)
