"""Messages: said, changed, taken back, reacted to."""

from __future__ import annotations

from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.events.subscriptions import MESSAGE_SUBSCRIPTIONS
from bot.sandbox.events.telling import Telling
from bot.sandbox.messages import Message
from bot.sandbox.shapes import message_json


class MessageEvents(Telling):
    def message_posted(self, message: Message) -> None:
        channel = self._workspace.channels[message.channel_id]
        if not self._app_is_in(channel):
            return
        body = message_json(self._workspace, message)
        where = {"channel": channel.channel_id, "event_ts": message.ts}
        mention = f"<@{self._workspace.bot_user_id}>" in message.text
        if mention and channel.kind != "im" and not message.by_bot:
            self._send("app_mention", channel, body | where | {"type": "app_mention"})
        self._send_message(channel, body | where | self._context(message, channel))

    def _context(self, message: Message, channel: Channel) -> dict[str, Any]:
        """What the writer of a direct message was looking at."""
        entities = self._workspace.entities_before(message.user_id) if channel.kind == "im" else []
        return {"app_context": {"entities": entities}} if entities and not message.by_bot else {}

    def message_changed(self, message: Message, before: dict[str, Any]) -> None:
        channel = self._workspace.channels[message.channel_id]
        self._send_hidden(
            channel,
            {
                "subtype": "message_changed",
                "message": message_json(self._workspace, message),
                "previous_message": before,
            },
        )

    def message_deleted(self, message: Message) -> None:
        channel = self._workspace.channels[message.channel_id]
        before = message_json(self._workspace, message)
        self._send_hidden(
            channel, {"subtype": "message_deleted", "previous_message": before, "deleted_ts": message.ts}
        )

    def _send_hidden(self, channel: Channel, change: dict[str, Any]) -> None:
        if not self._app_is_in(channel):
            return
        ts = self._now()
        head = {"type": "message", "hidden": True, "channel": channel.channel_id, "ts": ts, "event_ts": ts}
        self._send_message(channel, head | change)

    def _send_message(self, channel: Channel, event: dict[str, Any]) -> None:
        event["channel_type"] = channel.kind
        self._send(MESSAGE_SUBSCRIPTIONS[channel.kind], channel, event)

    def reaction(self, kind: str, user_id: str, name: str, message: Message) -> None:
        """`kind` is reaction_added or reaction_removed."""
        channel = self._workspace.channels[message.channel_id]
        if not self._app_is_in(channel):
            return
        item = {"type": "message", "channel": channel.channel_id, "ts": message.ts}
        event = {"type": kind, "user": user_id, "reaction": name, "item": item, "item_user": message.user_id}
        self._send(kind, channel, event | {"event_ts": self._now()})
