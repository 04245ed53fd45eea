"""Agent sessions: what the app says that it is doing in a thread, and the stop button that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SessionStatus = Literal["processing", "active", "suspended", "closed"]
SESSION_STATUSES: tuple[str, ...] = get_args(SessionStatus)
MOST_TITLE = 200


@dataclass
class Session:
    """One a thread. While it is processing, people see a stop button, where the app hears of it."""

    channel_id: str
    thread_ts: str
    status: str
    title: str = ""
    initiator: str = ""  # a user id

    @property
    def stoppable(self) -> bool:
        return self.status == "processing"
