"""Short-lived keys: trigger ids that open one view, response URLs that answer one action."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.errors import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


@dataclass
class Trigger:
    user_id: str
    issued_at: float
    root_view_id: str | None = None  # set when it was issued from within a modal
    exchanged: bool = False


@dataclass
class ResponseUrl:
    user_id: str
    channel_id: str
    thread_ts: str | None
    message_ts: str | None  # the message that was clicked, if one was
    issued_at: float
    uses_left: int = RESPONSE_USES


class Triggers:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}

    def issue(self, user_id: str, root_view_id: str | None = None) -> str:
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user_id, self._clock(), root_view_id)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.issued_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.exchanged = True
        return trigger


class ResponseUrls:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, ResponseUrl] = {}

    def issue(
        self, user_id: str, channel_id: str, *, thread_ts: str | None = None, message_ts: str | None = None
    ) -> str:
        """Return the secret part of the URL."""
        token = secrets.token_urlsafe(18)
        self._issued[token] = ResponseUrl(user_id, channel_id, thread_ts, message_ts, self._clock())
        return token

    def use(self, token: str) -> ResponseUrl:
        url = self._issued.get(token)
        if url is None:
            raise SlackError("invalid_url", status=404)
        if self._clock() - url.issued_at > RESPONSE_SECONDS:
            raise SlackError("expired_url", status=404)
        if url.uses_left <= 0:
            raise SlackError("used_url", status=404)
        url.uses_left -= 1
        return url
