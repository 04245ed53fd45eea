"""Rate limits and failures. Slack's own tiers hold where a test asks for them; else limits are generous."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.errors import SlackError

GENEROUS_CALLS = 6000  # a minute and method: far above Slack's, so that only a runaway loop meets it
TIER_CALLS = {1: 1, 2: 20, 3: 50, 4: 100}  # a minute, method and workspace


@dataclass(frozen=True)
class _Allowance:
    calls: int
    per_seconds: float


_GENEROUS = _Allowance(GENEROUS_CALLS, 60.0)
_A_MESSAGE_A_SECOND = _Allowance(1, 1.0)  # of chat.postMessage, in one channel


@dataclass
class _Refusal:
    error: str
    status: int
    times: int
    retry_after: int | None


class RateLimits:
    """Those of one workspace."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}
        self._heard: dict[tuple[str, str], deque[float]] = {}
        self._refusals: dict[str, list[_Refusal]] = {}
        self._as_slack = False

    def be_as_strict_as_slack(self) -> None:
        """From now on the tiers of Slack's documentation hold, and one message a second and channel."""
        self._as_slack = True

    def allow(self, method: str, *, calls: int, per_seconds: float = 60.0) -> None:
        """From now on, more than `calls` within `per_seconds` meet 429."""
        self._allowances[method] = _Allowance(calls, per_seconds)

    def refuse_next(self, method: str, *, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next calls with 429 and `Retry-After: retry_after` (seconds)."""
        self._refusals.setdefault(method, []).append(_Refusal("ratelimited", 429, times, retry_after))

    def fail_next(self, method: str, *, error: str, status: int = 200, times: int = 1) -> None:
        """Answer the next calls with this error and HTTP status."""
        self._refusals.setdefault(method, []).append(_Refusal(error, status, times, None))

    def check(self, method: str, tier: int = 0, channel: str = "") -> None:
        """Raise what the caller must hear instead of an answer."""
        self._meet_refusal(method)
        allowance, place = self._allowance(method, tier, channel)
        heard = self._heard.setdefault((method, place), deque())
        now = self._clock()
        while heard and now - heard[0] >= allowance.per_seconds:
            heard.popleft()
        if len(heard) >= allowance.calls:
            wait = allowance.per_seconds - (now - heard[0]) if heard else allowance.per_seconds
            raise _rate_limited(max(1, round(wait)))
        heard.append(now)

    def _allowance(self, method: str, tier: int, channel: str) -> tuple[_Allowance, str]:
        """What is allowed, and of which channel, where each has its own."""
        if method in self._allowances:
            return self._allowances[method], ""
        if self._as_slack and method == "chat.postMessage":
            return _A_MESSAGE_A_SECOND, channel
        if self._as_slack and tier:
            return _Allowance(TIER_CALLS[tier], 60.0), ""
        return _GENEROUS, ""

    def _meet_refusal(self, method: str) -> None:
        waiting = self._refusals.get(method)
        if not waiting:
            return
        refusal = waiting[0]
        refusal.times -= 1
        if refusal.times <= 0:
            waiting.pop(0)
        if refusal.retry_after is not None:
            raise _rate_limited(refusal.retry_after)
        raise SlackError(refusal.error, status=refusal.status)


def _rate_limited(seconds: int) -> SlackError:
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(seconds)})
