"""Saying, changing and taking back: the one place through which messages come and go."""

from __future__ import annotations

from typing import Any

from bot.sandbox.events import Events
from bot.sandbox.files import StoredFile
from bot.sandbox.journal import Journal
from bot.sandbox.messages import Message
from bot.sandbox.recorders import Recorders
from bot.sandbox.shapes import message_json
from bot.sandbox.workspace import SLACKBOT, Workspace


class Posting:
    def __init__(self, workspace: Workspace, events: Events, recorders: Recorders, journal: Journal) -> None:
        self._workspace = workspace
        self._events = events
        self._recorders = recorders
        self._journal = journal

    def publish(self, message: Message, *, unfurl: bool = True) -> Message:
        """Add a lasting message, tell the app, and let a waiting status end."""
        self._workspace.histories[message.channel_id].add(message)
        shared = [stored for file_id in message.files if (stored := self._share(file_id, message.channel_id))]
        self._record(message, unfurl)
        self._end_status(message)
        self._events.message_posted(message)
        for stored in shared:
            self._events.file_shared(stored, self._workspace.channels[message.channel_id])
        self._workspace.changes.ring()
        return message

    def whisper(self, message: Message) -> Message:
        """Add an ephemeral message: for one reader, in no history, and the app hears nothing of it."""
        assert message.only_for is not None
        self._workspace.ephemerals[message.channel_id].append(message)
        self._record(message, unfurl=message.by_bot)
        self._end_status(message)
        self._workspace.changes.ring()
        return message

    def slackbot_whisper(
        self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None
    ) -> Message:
        message = Message(
            self._workspace.stamps.next(), channel_id, SLACKBOT, text, thread_ts=thread_ts, only_for=user_id
        )
        return self.whisper(message)

    def revise(self, message: Message, changes: dict[str, Any]) -> None:
        """Replace fields of a message that stays where it is."""
        before = message_json(self._workspace, message)
        for name, value in changes.items():
            setattr(message, name, value)
        message.edited = {"user": message.user_id, "ts": self._workspace.stamps.next()}
        self._record(message, unfurl=True)
        if message.only_for is None:
            self._events.message_changed(message, before)
        self._workspace.changes.ring()

    def withdraw(self, message: Message) -> None:
        if message.only_for is None:
            self._events.message_deleted(message)
            self._workspace.histories[message.channel_id].remove(message.ts)
        else:
            self._workspace.ephemerals[message.channel_id].remove(message)
        self._workspace.changes.ring()

    def record_again(self, message: Message) -> None:
        """A stream has grown: note what its new words ping and link."""
        self._record(message, unfurl=True)
        self._workspace.changes.ring()

    def _record(self, message: Message, unfurl: bool) -> None:
        self._journal.message(message)
        self._recorders.hear_message(
            message.user_id, message.channel_id, message.ts, message.text, message.blocks, unfurl=unfurl
        )

    def _end_status(self, message: Message) -> None:
        """The bot's next message in a thread ends its status there."""
        if message.by_bot:
            self._workspace.statuses.pop((message.channel_id, message.thread_ts or ""), None)

    def _share(self, file_id: str, channel_id: str) -> StoredFile | None:
        """The file, where the channel has not had it before."""
        stored = self._workspace.files.get(file_id)
        if stored is None or channel_id in stored.shared_in:
            return None
        stored.shared_in.append(channel_id)
        return stored
