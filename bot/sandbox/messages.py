"""Messages, their order in a channel, and the time stamps that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

StreamState = Literal["none", "streaming", "stopped", "ended"]  # stopped: by a person, with the button


@dataclass
class Message:
    ts: str
    channel_id: str
    user_id: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None
    by_bot: bool = False
    edited: dict[str, str] | None = None
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)  # name -> user ids
    metadata: dict[str, Any] | None = None
    broadcast: bool = False  # a reply that is shown in the channel too
    only_for: str | None = None  # an ephemeral message: its one reader's user id
    stream: StreamState = "none"
    chunks: list[dict[str, Any]] = field(default_factory=list)
    task_display: str = "timeline"
    more: dict[str, str] = field(default_factory=dict)  # what messages of its subtype say besides
    username: str = ""  # of what an old integration says: it has a name and no user

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


class TimeStamps:
    """Issues Slack's time stamps: seconds and microseconds, rising, no two alike."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def start_after(self, ts: str) -> None:
        self._last = max(self._last, int(ts.replace(".", "")))


class History:
    """The lasting messages of one channel, oldest first."""

    def __init__(self) -> None:
        self._by_ts: dict[str, Message] = {}

    def add(self, message: Message) -> None:
        self._by_ts[message.ts] = message

    def remove(self, ts: str) -> None:
        self._by_ts.pop(ts, None)

    def get(self, ts: str) -> Message | None:
        return self._by_ts.get(ts)

    def all(self) -> list[Message]:
        return list(self._by_ts.values())

    def top_level(self) -> list[Message]:
        return [message for message in self._by_ts.values() if not message.is_reply or message.broadcast]

    def replies(self, root_ts: str) -> list[Message]:
        return [m for m in self._by_ts.values() if m.is_reply and m.thread_ts == root_ts]
