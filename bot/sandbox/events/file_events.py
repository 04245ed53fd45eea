"""Files: held, shared, changed, taken away."""

from __future__ import annotations

from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.events.telling import Telling
from bot.sandbox.files import StoredFile


class FileEvents(Telling):
    def file_shared(self, stored: StoredFile, channel: Channel) -> None:
        """file_shared, after file_created where the app hears of the file for the first time."""
        if not self._app_is_in(channel):
            return
        head = self._of(stored)
        if len(stored.shared_in) == 1:
            self._tell("file_created", channel, head)
        if channel.kind == "channel":
            self._tell("file_public", channel, head)
        self._tell("file_shared", channel, head | {"channel_id": channel.channel_id})

    def file_unshared(self, stored: StoredFile, channel: Channel) -> None:
        if self._app_is_in(channel):
            self._tell("file_unshared", channel, self._of(stored) | {"channel_id": channel.channel_id})

    def file_changed(self, stored: StoredFile) -> None:
        if self._known(stored):
            named = {"file_id": stored.file_id, "file": {"id": stored.file_id}}
            self._tell("file_change", None, named)

    def file_deleted(self, stored: StoredFile) -> None:
        if self._known(stored):
            gone = {"file_id": stored.file_id, "channel_ids": list(stored.shared_in)}
            self._tell("file_deleted", None, gone)

    def _known(self, stored: StoredFile) -> bool:
        """The app hears of files in conversations that it is in, and of those that were handed to it."""
        places = (self._workspace.channels.get(channel_id) for channel_id in stored.shared_in)
        return stored.given_to_app or any(place is not None and self._app_is_in(place) for place in places)

    @staticmethod
    def _of(stored: StoredFile) -> dict[str, Any]:
        return {"file_id": stored.file_id, "user_id": stored.user_id, "file": {"id": stored.file_id}}

    def _tell(self, kind: str, channel: Channel | None, event: dict[str, Any]) -> None:
        self._send(kind, channel, {"type": kind, **event, "event_ts": self._now()})
