"""Listeners for documents that are handed in: kept, given readers in a modal, and left to a job."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.errors import OstiaryError
from bot.queue import JobQueue
from bot.slack.admin.elements import option
from bot.slack.asking import DATABASE_AWAY
from bot.slack.ingest_requests import (
    Chosen,
    IngestionRequest,
    NewRequest,
    accept_request,
    add_request,
    cancel_request,
    read_request,
)
from bot.slack.ingest_words import describe_readers, has_own_title, title_of_link
from bot.slack.ingesting import ADMINS_ONLY, INGEST_JOB, OFFER_JOB, Intake
from bot.slack.intake_views import (
    ADD_MESSAGE,
    ADD_THREAD,
    FILES,
    GIVEN,
    INTAKE_VIEW,
    MOST_FILES,
    Picks,
    Wished,
    chosen_view,
    intake_view,
    wished,
)
from bot.slack.messages import first_link, is_written_by_a_person, plain_text, typed_id
from bot.slack.views import CANCEL_INGESTION, CHOOSE_READERS, READERS_VIEW, escape, plain_blocks
from retrieval.cataloguing import list_collections

log = structlog.get_logger(__name__)

AWAY = "I cannot reach my database just now, and nothing was changed. Please try again later."
NOTHING_GIVEN = "Choose a file or a channel, or give an address or a text."
PEOPLES_WORDS = "I add only what people wrote: what apps say, and I myself, comes from somewhere else."
NOTHING_IN_IT = "There is nothing in this message that could be added."
SETTLING_S = 1.5  # Slack waits three seconds for the answer to a modal
PASTED_TITLE_LENGTH = 60


class IngestionDesk:
    """Takes in files, addresses, text, messages, threads from admins. Each listener stores, enqueues, returns."""

    def __init__(self, database: Database, workspace_id: int, queue: JobQueue, intake: Intake) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._queue = queue
        self._intake = intake

    def register(self, app: AsyncApp) -> None:
        app.command("/ingest")(self.on_ingest)
        app.shortcut(ADD_MESSAGE)(self.on_add_message)
        app.shortcut(ADD_THREAD)(self.on_add_thread)
        app.action(CHOOSE_READERS)(self.on_choose_readers)
        app.action(CANCEL_INGESTION)(self.on_cancel)
        app.view(READERS_VIEW)(self.on_readers_chosen)
        app.view(INTAKE_VIEW)(self.on_intake)

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
        given = (command.get("text") or "").strip()
        try:
            if not await self._intake.is_admin(command["user_id"]):
                await ack(ADMINS_ONLY)
            elif not given:
                view = intake_view(await self._picks())
                await client.views_open(trigger_id=command["trigger_id"], view=view)
                await ack()
            else:
                new = _given(given, command["user_id"], command["channel_id"])
                await self._ask_for_readers(new, command["trigger_id"], client)
                await ack()
        except DATABASE_AWAY:
            log.exception("a command found the database away")
            await ack(AWAY)

    async def _ask_for_readers(
        self, new: NewRequest, trigger_id: str, client: AsyncWebClient, limited_to: str = ""
    ) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            request_id = await add_request(connection, new)
        assert request_id is not None
        own = has_own_title(new)
        view = chosen_view(
            new.title, request_id, await self._picks(), has_own_title=own, limited_to=limited_to
        )
        await client.views_open(trigger_id=trigger_id, view=view)

    async def _picks(self) -> Picks:
        async with self._database.writing_in(self._workspace_id) as connection:
            collections = await list_collections(connection)
        return Picks(await self._intake.roles(), [option(c.name, str(c.id)) for c in collections])

    async def on_add_message(
        self, ack: AsyncAck, shortcut: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """The text and the files of a message."""
        await ack()
        message = shortcut.get("message") or {}
        if not is_written_by_a_person(message):
            # What the bot said was made from documents with readers of their own.
            await self._whisper(client, shortcut, PEOPLES_WORDS)
            return
        said = _pasted(str(message.get("text") or ""))
        files = tuple(str(file["id"]) for file in message.get("files") or ())[:MOST_FILES]
        if not said.strip() and not files:
            await self._whisper(client, shortcut, NOTHING_IN_IT)
            return
        title = _first_line(said.decode()) if said.strip() else ""
        new = NewRequest(
            kind="message",
            locator=f"{shortcut['channel']['id']}:{shortcut['message_ts']}",
            title=title if not files else "",
            requested_by=shortcut["user"]["id"],
            channel_id=shortcut["channel"]["id"],
            content=said if said.strip() else None,
            file_ids=files,
        )
        await self._take_in(new, shortcut, client)

    async def on_add_thread(self, ack: AsyncAck, shortcut: Mapping[str, Any], client: AsyncWebClient) -> None:
        """The thread of a message, for those who are in its channel."""
        await ack()
        channel_id = shortcut["channel"]["id"]
        root = (shortcut.get("message") or {}).get("thread_ts") or shortcut["message_ts"]
        new = NewRequest("thread", f"{channel_id}:{root}", "", shortcut["user"]["id"], channel_id)
        await self._take_in(new, shortcut, client)

    async def _take_in(self, new: NewRequest, shortcut: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Ask who may read it, where the bot may read it itself; else say why not."""
        try:
            if not await self._intake.is_admin(new.requested_by):
                await self._whisper(client, shortcut, ADMINS_ONLY)
                return
            room = await self._intake.channels.room(new.channel_id)
            limited = new.kind == "thread" or room.limited
            await self._ask_for_readers(
                new, shortcut["trigger_id"], client, limited_to=room.name if limited else ""
            )
        except DATABASE_AWAY:
            log.exception("a shortcut found the database away")
            await self._whisper(client, shortcut, AWAY)
        except OstiaryError as error:
            await self._whisper(client, shortcut, str(error))

    async def _whisper(self, client: AsyncWebClient, shortcut: Mapping[str, Any], said: str) -> None:
        """In a direct message: where the shortcut was used the bot may not be able to speak."""
        await client.chat_postMessage(
            channel=shortcut["user"]["id"], text=escape(said), blocks=plain_blocks(said)
        )

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
        view = chosen_view(
            request.title, request.id, await self._picks(), has_own_title=own, offer_ts=offer_ts
        )
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def on_cancel(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The button under what tells how far it is. The job looks, and stops."""
        await ack()
        user_id, request_id = body["user"]["id"], typed_id(body["actions"][0].get("value"))
        if request_id is None or not await self._intake.is_admin(user_id):
            return
        async with self._database.writing_in(self._workspace_id) as connection:
            await cancel_request(connection, request_id, user_id)

    async def on_readers_chosen(
        self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """The modal: fix the readers and start the work, in one transaction."""
        try:
            refused = await self._accept(body["user"]["id"], view, client)
        except OstiaryError as error:
            refused = str(error)
        except DATABASE_AWAY:
            log.exception("a modal found the database away")
            refused = AWAY
        await (ack(response_action="errors", errors={"readers": refused}) if refused else ack())

    async def on_intake(self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        """The form of `/ingest`: what was given becomes one request for its files and one for its text."""
        try:
            errors = await self._take_form(body["user"]["id"], view["state"])
        except DATABASE_AWAY:
            log.exception("a modal found the database away")
            errors = {"readers": AWAY}
        await (ack(response_action="errors", errors=errors) if errors else ack())

    async def _take_form(self, user_id: str, state: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with which field; nothing where the work has begun."""
        if not await self._intake.is_admin(user_id):
            return {"readers": ADMINS_ONLY}
        wish = wished(state)
        values = state.get("values") or {}
        files = _files_in(values)
        given = str(((values.get(GIVEN) or {}).get(GIVEN) or {}).get("value") or "").strip()
        if not files and not given and not wish.channel:
            return {FILES: NOTHING_GIVEN}
        if refused := await self._why_not(wish, readers_needed=bool(files or given)):
            return {"readers": refused}
        handed_in = [NewRequest("text", "", "", user_id, user_id, file_ids=files)] if files else []
        handed_in += [_given(given, user_id, user_id)] if given else []
        if wish.channel:
            handed_in.append(NewRequest("channel", wish.channel, "", user_id, user_id))
        chosen = self._chosen(wish)
        async with self._database.writing_in(self._workspace_id) as connection:
            for new in handed_in:
                request_id = await add_request(connection, new)
                assert request_id is not None
                title = chosen.title or ("" if has_own_title(new) else new.title)
                await accept_request(connection, request_id, replace(chosen, title=title))
                await self._queue.defer(connection, INGEST_JOB, request_id=request_id)
        return {}

    async def _why_not(self, wish: Wished, *, readers_needed: bool = True) -> str | None:
        unknown = sorted(set(wish.roles) - set(await self._intake.roles()))
        if unknown:
            return f"There is no role called {', '.join(unknown)} any more."
        if readers_needed and not wish.roles:
            return "Choose a role."
        if wish.collection:
            async with self._database.writing_in(self._workspace_id) as connection:
                if wish.collection not in {str(c.id) for c in await list_collections(connection)}:
                    return "There is no such collection any more."
        return None

    async def _is_limited(self, request: IngestionRequest) -> bool:
        """Whether its readers are those of the channel where it was said, whoever else is chosen."""
        if request.kind != "message":
            return request.kind == "thread"
        return (await self._intake.channels.room(request.channel_id)).limited

    @staticmethod
    def _chosen(wish: Wished) -> Chosen:
        return replace(wish.chosen, collection_id=typed_id(wish.collection))

    async def _accept(self, user_id: str, view: Mapping[str, Any], client: AsyncWebClient) -> str | None:
        """Take over what was chosen; a sentence where that cannot be."""
        wish = wished(view["state"])
        carried, _, offer_ts = str(view.get("private_metadata") or "").partition(" ")
        request_id = typed_id(carried)
        if not await self._intake.is_admin(user_id):
            return ADMINS_ONLY
        async with self._database.writing_in(self._workspace_id) as connection:
            request = await read_request(connection, request_id) if request_id is not None else None
        if request is None or request.requested_by != user_id:
            return None
        needed = not wish.roles and not await self._is_limited(request)
        if refused := await self._why_not(wish, readers_needed=needed):
            return refused
        title = wish.title or ("" if has_own_title(request) else request.title)
        async with self._database.writing_in(self._workspace_id) as connection:
            accepted = await accept_request(connection, request.id, replace(self._chosen(wish), title=title))
            if accepted:
                await self._queue.defer(connection, INGEST_JOB, request_id=request.id)
        if accepted and offer_ts:
            said = f"{request.title} is being added for {describe_readers(wish.chosen.readers)}."
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


def _given(given: str, user_id: str, channel_id: str) -> NewRequest:
    """An address, or text."""
    link = first_link(given)
    return NewRequest(
        kind="url" if link else "text",
        locator=link or "pasted text",
        title=title_of_link(link) if link else _first_line(given),
        content=None if link else _pasted(given),
        requested_by=user_id,
        channel_id=channel_id,
    )


def _files_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of files in a form. Which file an id stands for is asked of Slack, as the bot may see it."""
    files = ((values.get(FILES) or {}).get(FILES) or {}).get("files") or []
    return tuple(str(file["id"]) for file in files if isinstance(file, dict) and file.get("id"))[:MOST_FILES]


def _first_line(text: str) -> str:
    line = plain_text(text.strip().splitlines()[0]).rstrip(" .:;,")
    return line if len(line) <= PASTED_TITLE_LENGTH else line[:PASTED_TITLE_LENGTH].rsplit(" ", 1)[0] + " ..."


def _pasted(text: str) -> bytes:
    """The words of pasted text, line by line, as a document's bytes."""
    return "\n".join(plain_text(line) for line in text.splitlines()).encode()
