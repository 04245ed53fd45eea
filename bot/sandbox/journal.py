"""What the app has shown to whom, at the moment at which it did; kept for tests, even of what is gone since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.messages import Message
from bot.sandbox.texts import texts_in, texts_of_message
from bot.sandbox.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """`what`: message, view, status, prompts, title or options. `readers`: user ids."""

    at: float
    what: str
    readers: frozenset[str]
    texts: tuple[str, ...]


class Journal:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.entries: list[Shown] = []

    def message(self, message: Message) -> None:
        """A message of the app as it is now: said, changed or grown."""
        if not message.by_bot:
            return
        alone = frozenset({message.only_for}) if message.only_for else None
        texts = tuple(texts_of_message(self._workspace, message))
        self._note("message", alone or self._readers_of(message.channel_id), texts)

    def in_channel(self, what: str, channel_id: str, tree: Any) -> None:
        self._note(what, self._readers_of(channel_id), tuple(texts_in(tree)))

    def to(self, what: str, user_id: str, tree: Any) -> None:
        """Something for one person alone."""
        self._note(what, frozenset({user_id}), tuple(texts_in(tree)))

    def _readers_of(self, channel_id: str) -> frozenset[str]:
        channel = self._workspace.channels[channel_id]
        return frozenset(user for user in self._workspace.people if self._workspace.may_read(user, channel))

    def _note(self, what: str, readers: frozenset[str], texts: tuple[str, ...]) -> None:
        self.entries.append(Shown(self._workspace.clock(), what, readers, texts))
