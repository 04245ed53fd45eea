"""Getting envelopes to the app: events are retried, commands and clicks are not."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.carriers import Carrier, NotDelivered
from bot.sandbox.tasks import Tasks

EnvelopeType = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True)
class DeliveryPolicy:
    """How long to wait, in seconds. Slack: 3 s; again at once, after a minute, after five."""

    ack_seconds: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)

    def scaled(self, factor: float) -> DeliveryPolicy:
        return DeliveryPolicy(self.ack_seconds * factor, tuple(delay * factor for delay in self.retry_delays))


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver one event, and how it ended."""

    event_id: str
    type: str
    attempt: int
    reason: str  # why this attempt was made: empty for the first one
    acknowledged: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a command, a click or a submitted view."""

    acknowledged: bool
    error: str | None
    payload: dict[str, Any]

    @property
    def field_errors(self) -> dict[str, str]:
        """Block id to sentence, when the app refused a view's values."""
        errors: dict[str, str] = self.payload.get("errors", {})
        return errors if self.payload.get("response_action") == "errors" else {}


class Deliveries:
    """`carrier`: the way to the app; it may be changed while the sandbox runs."""

    def __init__(self, carrier: Carrier, policy: DeliveryPolicy, tasks: Tasks) -> None:
        self.carrier = carrier
        self._tasks = tasks
        self.policy = policy
        self.twice = False
        self.record: list[Delivery] = []
        self.on_progress: Callable[[], None] = lambda: None

    @property
    def reaches_app(self) -> bool:
        return self.carrier.reaches_app

    def send_event(self, payload: dict[str, Any]) -> None:
        """Deliver in the background, with retries. Order is that of the calls."""
        for _ in range(2 if self.twice else 1):
            self._tasks.start(self._deliver(payload))

    async def _deliver(self, payload: dict[str, Any]) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *self.policy.retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            failure = await self._attempt(payload, attempt, reason)
            kind = payload.get("event", {}).get("type", "")
            delivered = failure is None
            self.record.append(Delivery(payload.get("event_id", ""), kind, attempt, reason, delivered))
            self.on_progress()
            if failure is None or failure.final:
                return
            reason = failure.reason

    async def _attempt(self, payload: dict[str, Any], attempt: int, reason: str) -> NotDelivered | None:
        envelope = _envelope("events_api", payload, accepts=False)
        envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            await self.carrier.exchange(envelope, self.policy.ack_seconds)
        except NotDelivered as failure:
            return failure
        return None

    async def ask(self, kind: EnvelopeType, payload: dict[str, Any], *, accepts: bool) -> Outcome:
        """Deliver once and wait for the acknowledgement."""
        envelope = _envelope(kind, payload, accepts=accepts)
        try:
            answer = await self.carrier.exchange(envelope, self.policy.ack_seconds)
        except NotDelivered as failure:
            return Outcome(False, "operation_timeout" if failure.too_late else "dispatch_failed", {})
        return Outcome(True, None, answer)


def _envelope(kind: EnvelopeType, payload: dict[str, Any], *, accepts: bool) -> dict[str, Any]:
    return {
        "envelope_id": str(uuid.uuid4()),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": accepts,
    }
