"""/api/<method>: authentication, limits, arguments, answers."""

from __future__ import annotations

import json
import secrets
from typing import Any

from aiohttp import web

from bot.sandbox import methods  # registers every method
from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.places import need_scope
from bot.sandbox.methods.registry import METHODS, Method
from bot.sandbox.recorders import Call
from bot.sandbox.sandbox import Sandbox

__all__ = ["WebApi", "methods"]


class WebApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{method}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        try:
            body = {"ok": True, **await self._call(request)}
            return web.json_response(body, headers=self._headers())
        except SlackError as refusal:
            return web.json_response(
                refusal.body, status=refusal.status, headers=self._headers() | refusal.headers
            )

    def _headers(self) -> dict[str, str]:
        return {
            "x-oauth-scopes": ",".join(sorted(self._sandbox.scopes)),
            "x-slack-req-id": secrets.token_hex(16),
        }

    async def _call(self, request: web.Request) -> dict[str, Any]:
        name = request.match_info["method"]
        known = METHODS.get(name)
        if known is None:
            raise SlackError("unknown_method", req_method=name)
        values = await _values(request)
        token = _token(request, values)
        self._sandbox.recorders.calls.append(Call(name, values, self._sandbox.clock()))
        self._check_token(known, token)
        self._sandbox.limits.check(name)
        if known.scope is not None:
            need_scope(self._sandbox, known.scope)
        return known.body(self._sandbox, Arguments(values))

    def _check_token(self, known: Method, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        right, wrong = self._sandbox.bot_token, self._sandbox.app_token
        if known.app_token:
            right, wrong = wrong, right
        if secrets.compare_digest(token.encode(), wrong.encode()):
            raise SlackError("not_allowed_token_type")
        if not secrets.compare_digest(token.encode(), right.encode()):
            raise SlackError("invalid_auth")


async def _values(request: web.Request) -> dict[str, Any]:
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except json.JSONDecodeError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return values | body
    form = await request.post()
    return values | {name: value for name, value in form.items() if isinstance(value, str)}


def _token(request: web.Request, values: dict[str, Any]) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = values.pop("token", "")
    return token.strip() if scheme.lower() == "bearer" else str(given)
