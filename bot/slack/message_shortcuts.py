"""What stands in the menu of a message for administrators: add it, or its thread, to the knowledge base."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.admitting import Door
from bot.slack.given import said
from bot.slack.ingest_requests import NewRequest
from bot.slack.ingesting import Intake
from bot.slack.intake_forms import IntakeForms
from bot.slack.intake_views import ADD_MESSAGE, ADD_THREAD
from bot.slack.messages import is_written_by_a_person
from bot.slack.views import escape, plain_blocks

PEOPLES_WORDS = "I add only what people wrote: what apps say, and I myself, comes from somewhere else."
NOTHING_IN_IT = "There is nothing in this message that could be added."


class MessageShortcuts:
    """Each stores what was chosen and asks who may read it."""

    def __init__(self, door: Door, intake: Intake, forms: IntakeForms) -> None:
        self._door = door
        self._intake = intake
        self._forms = forms

    def register(self, app: AsyncApp) -> None:
        app.shortcut(ADD_MESSAGE)(self.on_add_message)
        app.shortcut(ADD_THREAD)(self.on_add_thread)

    async def on_add_message(
        self, ack: AsyncAck, shortcut: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """The text and the files of a message."""
        await ack()
        message = shortcut.get("message") or {}
        if not is_written_by_a_person(message):
            # What the bot said was made from documents with readers of their own.
            await _whisper(client, shortcut, PEOPLES_WORDS)
            return
        new = said(message, shortcut)
        if new is None:
            await _whisper(client, shortcut, NOTHING_IN_IT)
            return
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

        async def ask() -> None:
            room = await self._intake.channels.room(new.channel_id)
            limited = new.kind == "thread" or room.limited
            await self._forms.ask_for_readers(
                new, shortcut["trigger_id"], client, limited_to=room.name if limited else ""
            )

        if refused := await self._door.answer(new.requested_by, ask):
            await _whisper(client, shortcut, refused)


async def _whisper(client: AsyncWebClient, shortcut: Mapping[str, Any], words: str) -> None:
    """In a direct message: where the shortcut was used the bot may not be able to speak."""
    await client.chat_postMessage(
        channel=shortcut["user"]["id"], text=escape(words), blocks=plain_blocks(words)
    )
