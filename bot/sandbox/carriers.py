"""How an envelope reaches the app. Socket Mode is in sockets.py, signed HTTP requests in http_carrier.py."""

from __future__ import annotations

from typing import Any, Protocol


class NotDelivered(Exception):
    """The app did not acknowledge an envelope.

    `reason` is what Slack says of it at the next attempt; after a `final` one there is none.
    """

    def __init__(self, sentence: str, reason: str, *, final: bool = False) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.final = final

    @property
    def too_late(self) -> bool:
        return self.reason in ("timeout", "http_timeout")


class Carrier(Protocol):
    @property
    def reaches_app(self) -> bool:
        """As far as Slack can tell."""
        ...

    async def exchange(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Deliver, and return what the app answers within `seconds`. Raises NotDelivered."""
        ...
