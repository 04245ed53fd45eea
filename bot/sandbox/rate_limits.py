"""Rate limits and failures that a test can ask for. Without asking, limits are generous."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.errors import SlackError

GENEROUS_CALLS = 6000  # a minute and method: far above Slack's, so that only a runaway loop meets it


@dataclass(frozen=True)
class _Allowance:
    calls: int
    per_seconds: float


@dataclass
class _Refusal:
    error: str
    status: int
    times: int
    retry_after: int | None


class RateLimits:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}
        self._heard: dict[str, deque[float]] = {}
        self._refusals: dict[str, list[_Refusal]] = {}

    def allow(self, method: str, *, calls: int, per_seconds: float = 60.0) -> None:
        """From now on, more than `calls` within `per_seconds` meet 429."""
        self._allowances[method] = _Allowance(calls, per_seconds)

    def refuse_next(self, method: str, *, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next calls with 429 and `Retry-After: retry_after` (seconds)."""
        self._refusals.setdefault(method, []).append(_Refusal("ratelimited", 429, times, retry_after))

    def fail_next(self, method: str, *, error: str, status: int = 200, times: int = 1) -> None:
        """Answer the next calls with this error and HTTP status."""
        self._refusals.setdefault(method, []).append(_Refusal(error, status, times, None))

    def check(self, method: str) -> None:
        """Raise what the caller must hear instead of an answer."""
        self._meet_refusal(method)
        allowance = self._allowances.get(method, _Allowance(GENEROUS_CALLS, 60.0))
        heard = self._heard.setdefault(method, deque())
        now = self._clock()
        while heard and now - heard[0] >= allowance.per_seconds:
            heard.popleft()
        if len(heard) >= allowance.calls:
            wait = allowance.per_seconds - (now - heard[0]) if heard else allowance.per_seconds
            raise _rate_limited(max(1, round(wait)))
        heard.append(now)

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
