"""Messages and files on disk, so that a restarted sandbox remembers them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from bot.sandbox.files import StoredFile
from bot.sandbox.messages import Message
from bot.sandbox.workspace import Workspace

_FORMAT = 1
_SETTLE_SECONDS = 0.3  # a burst of changes is written once
logger = logging.getLogger(__name__)


class Storage:
    """One JSON file, and beside it a folder with the files' bytes. Ephemeral messages are not kept."""

    def __init__(self, path: Path, workspace: Workspace) -> None:
        self._path = path
        self._bytes = path.with_suffix(".files")
        self._workspace = workspace

    def load(self) -> None:
        if not self._path.exists():
            return
        try:
            state = json.loads(self._path.read_text("utf-8"))
            if state["format"] != _FORMAT or state["team_id"] != self._workspace.team_id:
                raise ValueError("it belongs to another workspace or version")
            self._restore(state)
        except (ValueError, KeyError, TypeError, OSError) as reason:
            aside = self._path.with_suffix(".unreadable")
            os.replace(self._path, aside)
            logger.warning("The sandbox cannot read %s (%s); it is now %s.", self._path, reason, aside.name)

    def _restore(self, state: dict[str, Any]) -> None:
        messages = [Message(**shape) for shape in state["messages"]]
        files = [StoredFile(**shape, content=self._content(shape["file_id"])) for shape in state["files"]]
        for stored in files:
            self._workspace.files.put_back(stored)
        for message in messages:
            if message.channel_id not in self._workspace.histories:
                continue  # the seed no longer has that channel
            if message.stream == "streaming":
                message.stream = "ended"
            self._workspace.histories[message.channel_id].add(message)
            self._workspace.stamps.start_after(message.ts)

    def _content(self, file_id: str) -> bytes:
        return (self._bytes / file_id).read_bytes()

    def save(self) -> None:
        """Write everything anew, all or nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        shared = [stored for stored in self._workspace.files.all() if stored.shared_in]
        self._save_bytes(shared)
        state = {
            "format": _FORMAT,
            "team_id": self._workspace.team_id,
            "messages": [asdict(message) for message in self._messages()],
            "files": [_without_content(stored) for stored in shared],
        }
        _replace(self._path, json.dumps(state, ensure_ascii=False, indent=1).encode())

    def _messages(self) -> Iterator[Message]:
        for history in self._workspace.histories.values():
            yield from history.all()

    def _save_bytes(self, shared: list[StoredFile]) -> None:
        for stored in shared:
            target = self._bytes / stored.file_id
            if not target.exists():
                self._bytes.mkdir(exist_ok=True)
                _replace(target, stored.content)

    async def keep_saving(self) -> None:
        """Save after every change, once it has settled. Runs until cancelled."""
        changes = self._workspace.changes
        seen = changes.version
        while True:
            seen = await changes.after(seen, seconds=3600)
            await asyncio.sleep(_SETTLE_SECONDS)
            seen = changes.version
            self.save()


def _without_content(stored: StoredFile) -> dict[str, Any]:
    return {field.name: getattr(stored, field.name) for field in fields(stored) if field.name != "content"}


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
