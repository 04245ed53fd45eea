"""HTTP mode: events, commands and interactions as signed POST requests to the app's Request URLs."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

import aiohttp

from bot.sandbox.carriers import NotDelivered
from bot.sandbox.slack_app import VERIFICATION_TOKEN, SlackApp

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class RequestUrlRefused(ValueError):
    """A Request URL did not answer the challenge, so that Slack would not take it."""


@dataclass(frozen=True)
class RequestUrls:
    events: str
    commands: str
    interactivity: str


@dataclass(frozen=True)
class Sent:
    """One request as it went out; `status` 0: no answer."""

    url: str
    headers: dict[str, str]
    body: bytes
    status: int


class HttpCarrier:
    """`skew_seconds` ages what is signed from now on; `signing_secret` may be a wrong one: for tests."""

    def __init__(self, app: SlackApp, urls: RequestUrls, clock: Callable[[], float]) -> None:
        self._urls = urls
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self.signing_secret = app.signing_secret
        self.skew_seconds = 0.0
        self.sent: list[Sent] = []

    @property
    def reaches_app(self) -> bool:
        return True

    async def exchange(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any]:
        url, content_type, body = self._request(envelope)
        headers = self.signed(body, content_type) | _retry_headers(envelope)
        status, answer_headers, answer = await self.post(url, headers, body, seconds)
        if not 200 <= status < 300:
            final = answer_headers.get("X-Slack-No-Retry") == "1"
            raise NotDelivered(f"{url} answered with {status}.", "http_error", final=final)
        return _payload(answer)

    def _request(self, envelope: dict[str, Any]) -> tuple[str, str, bytes]:
        payload = envelope["payload"]
        if envelope["type"] == "events_api":
            return self._urls.events, _JSON, json.dumps(payload).encode()
        if envelope["type"] == "slash_commands":
            return self._urls.commands, _FORM, urlencode(payload).encode()
        return self._urls.interactivity, _FORM, urlencode({"payload": json.dumps(payload)}).encode()

    def signed(self, body: bytes, content_type: str) -> dict[str, str]:
        """The headers of a request with this body, signed now."""
        stamp = str(int(self._clock() - self.skew_seconds))
        signature = hmac.new(self.signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature.hexdigest()}",
        }

    async def post(
        self, url: str, headers: dict[str, str], body: bytes, seconds: float = 3.0
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and words of the answer. Also sends again what went out before: a replay."""
        self._session = self._session or aiohttp.ClientSession()
        status = 0
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await response.text()
                status = response.status
                return status, dict(response.headers), answer
        except TimeoutError:
            raise NotDelivered(f"{url} did not answer within {seconds:g} s.", "http_timeout") from None
        except aiohttp.ClientError as broken:
            raise NotDelivered(f"{url}: {broken}", "connection_failed") from broken
        finally:
            self.sent.append(Sent(url, headers, body, status))

    async def verify(self) -> None:
        """Challenge the Request URL of events. Raises RequestUrlRefused."""
        challenge = secrets.token_urlsafe(32)
        asked = {"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        body = json.dumps(asked).encode()
        try:
            status, _, answer = await self.post(self._urls.events, self.signed(body, _JSON), body)
        except NotDelivered as silence:
            raise RequestUrlRefused(str(silence)) from silence
        if status != 200 or _challenge_in(answer) != challenge:
            raise RequestUrlRefused(f"{self._urls.events} answered {status}, and not with the challenge.")

    async def check_certificate(self) -> int:
        """What Slack sends now and then to the Request URL of commands; returns the answer's status."""
        body = urlencode({"ssl_check": "1", "token": VERIFICATION_TOKEN}).encode()
        status, _, _ = await self.post(self._urls.commands, self.signed(body, _FORM), body)
        return status

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _retry_headers(envelope: dict[str, Any]) -> dict[str, str]:
    attempt = envelope.get("retry_attempt", 0)
    if not attempt:
        return {}
    return {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": str(envelope["retry_reason"])}


def _payload(answer: str) -> dict[str, Any]:
    """JSON, or bare words, which Slack shows as a message."""
    if not answer.strip():
        return {}
    try:
        payload = json.loads(answer)
    except json.JSONDecodeError:
        return {"text": answer}
    return payload if isinstance(payload, dict) else {"text": answer}


def _challenge_in(answer: str) -> str:
    try:
        return str(json.loads(answer)["challenge"])
    except (ValueError, KeyError, TypeError):
        return parse_qs(answer).get("challenge", [answer.strip()])[0]
