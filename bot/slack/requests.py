"""HTTP mode: what happens in Slack comes as signed requests, each answered "ok" once it is stored.

The address is this machine's own: a proxy that speaks TLS stands before it, and may share the work out between
several processes. What the proxy says is not believed: each request is judged by its signature over the raw body.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from auth.errors import OstiaryError
from bot.background import in_background
from bot.slack.heard_requests import HeardRequests
from bot.slack.team import Team

log = structlog.get_logger(__name__)

PATH = "/slack/events"
"""For events, commands and interactivity alike."""
HEALTH_PATH = "/health"
MOST_BYTES = 2**20
MOST_FIELDS = 100
SHORT_BYTES = 1000
READING_S = 5.0
FORGETTING_S = 300.0
ENDING_S = 10.0
_STAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
_KEPT_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
_JSON = "application/json"


class AddressTaken(OstiaryError):
    """Nothing can be served at the address; the message names it."""


@dataclass
class _Desk:
    app: AsyncApp
    workspace_id: int
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)


class RequestDoor:
    """Where Slack's requests come in, for all workspaces that are served here. One per process."""

    def __init__(self, signing_secret: str, heard: HeardRequests) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._heard = heard
        self._desks: dict[str, _Desk] = {}

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen while this is open; gives the address. Raises AddressTaken."""
        application = web.Application(client_max_size=MOST_BYTES)
        application.router.add_post(PATH, self._take)
        application.router.add_get(HEALTH_PATH, self._health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=ENDING_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise AddressTaken(
                f"Nothing can be served at {host}, port {port} ({error.strerror}). Set OSTIARY_HTTP_PORT to another"
                " port, or OSTIARY_HTTP_HOST to an address of this machine."
            ) from error
        try:
            yield f"http://{host}:{runner.addresses[0][1]}{PATH}"
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def answering(self, team: Team, app: AsyncApp) -> AsyncIterator[None]:
        """What comes for this workspace goes to its app while this is open; what is under way is finished."""
        desk = self._desks[team.team_id] = _Desk(app, team.workspace_id)
        async with in_background(self._keep_forgetting(team.workspace_id)):
            try:
                yield
            finally:
                del self._desks[team.team_id]
                if desk.under_way:
                    await asyncio.wait(desk.under_way, timeout=ENDING_S)

    async def _health(self, _request: web.Request) -> web.Response:
        """For a balancer: whether requests are answered here. Where the database is away, that is the answer."""
        if self._desks:
            return web.Response(text="At the desk.")
        return web.Response(status=503, text="Not at the desk.")

    async def _take(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READING_S):
                raw = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        if not self._is_signed(raw, request.headers):
            return web.Response(status=200 if _asks_for_the_certificate(raw) else 401)
        body = _body(raw, request.content_type)
        if body is None:
            return web.Response(status=400)
        if body.get("ssl_check") == "1":
            return web.Response()
        if body.get("type") == "url_verification":
            return web.json_response({"challenge": body.get("challenge")})
        return await self._pass_on(body, request.headers)

    def _is_signed(self, raw: bytes, headers: Mapping[str, str]) -> bool:
        """By Slack, in the last five minutes. Time stamps and signatures that are none are not errors of ours."""
        try:
            return self._verifier.is_valid(raw, headers.get(_STAMP), headers.get(_SIGNATURE))
        except (ValueError, TypeError):
            return False

    async def _pass_on(self, body: dict[str, Any], headers: Mapping[str, str]) -> web.Response:
        kept: dict[str, str | Sequence[str]] = {
            name: headers[name] for name in _KEPT_HEADERS if name in headers
        }
        # Bolt takes every form with the word "payload" in it for an interaction, and commands hold what people
        # type. So the body is parsed here, as it is for Socket Mode.
        asked = AsyncBoltRequest(body=body, headers=kept, mode="socket_mode")
        desk = self._desks.get(asked.context.team_id or "")
        if desk is None:
            return web.Response(
                status=200 if self._desks else 503
            )  # another company's; or nobody is here yet
        answering = asyncio.create_task(self._answer(desk, asked, headers[_SIGNATURE]))
        desk.under_way.add(answering)
        answering.add_done_callback(desk.under_way.discard)
        return await asyncio.shield(
            answering
        )  # Slack hangs up after three seconds: it is finished all the same

    async def _answer(self, desk: _Desk, asked: AsyncBoltRequest, signature: str) -> web.Response:
        async with self._heard.hearing(desk.workspace_id, signature) as hearing:
            if not hearing.is_new:
                return web.Response(status=200 if hearing.was_heard else 503)
            response = await desk.app.async_dispatch(asked)
            if response.status == 404 and asked.body.get("type") == "event_callback":
                response.status = (
                    200  # an event that nothing here listens to: Slack would send it three times more
                )
            hearing.was_heard = response.status == 200
        return await to_aiohttp_response(response)

    async def _keep_forgetting(self, workspace_id: int) -> None:
        while True:
            await asyncio.sleep(FORGETTING_S)
            try:
                await self._heard.forget_old(workspace_id)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("old requests could not be forgotten; trying again")


def _asks_for_the_certificate(raw: bytes) -> bool:
    """Slack need not sign this, and nothing is done for it."""
    return len(raw) < SHORT_BYTES and ("ssl_check", "1") in parse_qsl(raw.decode(errors="replace"))


def _body(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """What a request says, or None where it says nothing that can be understood."""
    try:
        if content_type == _JSON:
            said = json.loads(raw)
        else:
            form = dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
            said = form if "command" in form or "payload" not in form else json.loads(form["payload"])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
