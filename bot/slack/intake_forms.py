"""The modals in which administrators hand documents in: opened, and taken in once they are sent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.granting import list_roles
from bot.queue import JobQueue
from bot.slack.admin.elements import option
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admitting import Door
from bot.slack.given import files_in, given
from bot.slack.ingest_requests import (
    Chosen,
    IngestionRequest,
    NewRequest,
    accept_request,
    add_request,
    read_request,
)
from bot.slack.ingest_words import describe_readers, has_own_title
from bot.slack.ingesting import INGEST_JOB, Intake
from bot.slack.intake_views import FILES, GIVEN, INTAKE_VIEW, Picks, Wished, chosen_view, intake_view, wished
from bot.slack.messages import typed_id
from bot.slack.views import READERS_VIEW, escape, plain_blocks
from retrieval.cataloguing import list_collections

log = structlog.get_logger(__name__)

NOTHING_GIVEN = "Choose a file or a channel, or give an address or a text."
SETTLING_S = 1.5  # Slack waits three seconds for the answer to a modal


class IntakeForms:
    """Opens the modals, and starts the work in the transaction that stores what was chosen."""

    def __init__(
        self, database: Database, workspace_id: int, queue: JobQueue, intake: Intake, door: Door
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._queue = queue
        self._intake = intake
        self._door = door

    def register(self, app: AsyncApp) -> None:
        app.view(READERS_VIEW)(self.on_readers_chosen)
        app.view(INTAKE_VIEW)(self.on_intake)

    async def open(self, trigger_id: str, client: AsyncWebClient) -> None:
        """The form of `/ingest` alone."""
        await client.views_open(trigger_id=trigger_id, view=intake_view(await self._picks()))

    async def ask_for_readers(
        self, new: NewRequest, trigger_id: str, client: AsyncWebClient, limited_to: str = ""
    ) -> None:
        """Keep what was given, and ask who may read it."""
        async with self._database.writing_in(self._workspace_id) as connection:
            request_id = await add_request(connection, new)
        assert request_id is not None
        own = has_own_title(new)
        view = chosen_view(
            new.title, request_id, await self._picks(), has_own_title=own, limited_to=limited_to
        )
        await client.views_open(trigger_id=trigger_id, view=view)

    async def offer(
        self, request: IngestionRequest, trigger_id: str, client: AsyncWebClient, offer_ts: str
    ) -> None:
        """Ask who may read what is kept already, from a message with a button."""
        if request.state != "waiting":
            said = f"The readers of {request.title} are chosen already."
            await _settle_offer(client, request, offer_ts, said)
            return
        own = has_own_title(request)
        view = chosen_view(
            request.title, request.id, await self._picks(), has_own_title=own, offer_ts=offer_ts
        )
        await client.views_open(trigger_id=trigger_id, view=view)

    async def _picks(self) -> Picks:
        async with self._database.writing_in(self._workspace_id) as connection:
            collections = await list_collections(connection)
            roles = await list_roles(connection)
        return Picks(roles, [option(c.name, str(c.id)) for c in collections])

    async def on_readers_chosen(
        self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """The modal: fix the readers and start the work, in one transaction."""
        user_id = body["user"]["id"]
        errors = await self._errors(user_id, lambda: self._accept(user_id, view, client))
        await (ack(response_action="errors", errors=errors) if errors else ack())

    async def on_intake(self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        """The form of `/ingest`: what was given becomes one request for its files and one for its text."""
        user_id = body["user"]["id"]
        errors = await self._errors(user_id, lambda: self._take_form(user_id, view["state"]))
        await (ack(response_action="errors", errors=errors) if errors else ack())

    async def _errors(self, user_id: str, work: Callable[[], Awaitable[None]]) -> dict[str, str]:
        """What is wrong with which field; nothing where the work has begun."""
        at = "readers"

        async def begin() -> None:
            nonlocal at
            try:
                await work()
            except NotFilledIn as error:
                at = error.field
                raise

        refused = await self._door.answer(user_id, begin)
        return {at: refused} if refused else {}

    async def _take_form(self, user_id: str, state: Mapping[str, Any]) -> None:
        """Begin the work. Raises NotFilledIn."""
        wish = wished(state)
        handed_in = _handed_in(user_id, state.get("values") or {}, wish)
        if not handed_in:
            raise NotFilledIn(FILES, NOTHING_GIVEN)
        await self._check(wish, readers_needed=any(new.kind != "channel" for new in handed_in))
        chosen = _chosen(wish)
        async with self._database.writing_in(self._workspace_id) as connection:
            for new in handed_in:
                request_id = await add_request(connection, new)
                assert request_id is not None
                title = chosen.title or ("" if has_own_title(new) else new.title)
                await accept_request(connection, request_id, replace(chosen, title=title))
                await self._queue.defer(connection, INGEST_JOB, request_id=request_id)

    async def _check(self, wish: Wished, *, readers_needed: bool) -> None:
        """Raises NotFilledIn where what was chosen is not there, or is missing."""
        async with self._database.writing_in(self._workspace_id) as connection:
            roles = await list_roles(connection)
            collections = (
                {str(c.id) for c in await list_collections(connection)} if wish.collection else set()
            )
        unknown = sorted(set(wish.roles) - set(roles))
        if unknown:
            raise NotFilledIn("readers", f"There is no role called {', '.join(unknown)} any more.")
        if readers_needed and not wish.roles:
            raise NotFilledIn("readers", "Choose a role.")
        if wish.collection and wish.collection not in collections:
            raise NotFilledIn("collection", "There is no such collection any more.")

    async def _accept(self, user_id: str, view: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Take over what was chosen. Raises NotFilledIn."""
        wish = wished(view["state"])
        carried, _, offer_ts = str(view.get("private_metadata") or "").partition(" ")
        request_id = typed_id(carried)
        async with self._database.writing_in(self._workspace_id) as connection:
            request = await read_request(connection, request_id) if request_id is not None else None
        if request is None or request.requested_by != user_id:
            return
        needed = not wish.roles and not await self._is_limited(request)
        await self._check(wish, readers_needed=needed)
        title = wish.title or ("" if has_own_title(request) else request.title)
        async with self._database.writing_in(self._workspace_id) as connection:
            accepted = await accept_request(connection, request.id, replace(_chosen(wish), title=title))
            if accepted:
                await self._queue.defer(connection, INGEST_JOB, request_id=request.id)
        if accepted and offer_ts:
            said = f"{request.title} is being added for {describe_readers(wish.chosen.readers)}."
            await _settle_offer(client, request, offer_ts, said)

    async def _is_limited(self, request: IngestionRequest) -> bool:
        """Whether its readers are those of the channel where it was said, whoever else is chosen."""
        if request.kind != "message":
            return request.kind == "thread"
        return (await self._intake.channels.room(request.channel_id)).limited


def _handed_in(user_id: str, values: Mapping[str, Any], wish: Wished) -> list[NewRequest]:
    files = files_in(values)
    text = str(((values.get(GIVEN) or {}).get(GIVEN) or {}).get("value") or "").strip()
    handed_in = [NewRequest("text", "", "", user_id, user_id, file_ids=files)] if files else []
    handed_in += [given(text, user_id, user_id)] if text else []
    return handed_in + ([NewRequest("channel", wish.channel, "", user_id, user_id)] if wish.channel else [])


def _chosen(wish: Wished) -> Chosen:
    return replace(wish.chosen, collection_id=typed_id(wish.collection))


async def _settle_offer(client: AsyncWebClient, request: IngestionRequest, offer_ts: str, said: str) -> None:
    """Put a sentence where the button was. Only a courtesy: the button does nothing a second time."""
    try:
        async with asyncio.timeout(SETTLING_S):
            await client.chat_update(
                channel=request.channel_id, ts=offer_ts, text=escape(said), blocks=plain_blocks(said)
            )
    except (SlackApiError, ClientError, OSError, TimeoutError) as error:
        log.warning("could not take a button away", error=str(error))
