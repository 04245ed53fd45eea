"""/api/<method>: authentication, limits, arguments, answers."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox import methods  # registers every method
from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.places import need_scope
from bot.sandbox.methods.registry import CLIENT_METHODS, METHODS, Answer
from bot.sandbox.recorders import Call
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack_app import SlackApp

__all__ = ["WebApi", "methods"]


class WebApi:
    """`sandboxes`: by team id; the first one keeps the record of what no workspace is named for."""

    def __init__(self, sandboxes: Mapping[str, Sandbox], app: SlackApp) -> None:
        self._sandboxes = sandboxes
        self._slack_app = app

    @property
    def _first(self) -> Sandbox:
        return next(iter(self._sandboxes.values()))

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{method}", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {"x-slack-req-id": secrets.token_hex(16)}
        try:
            sandbox, answer = await self._call(request)
        except SlackError as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=headers | refusal.headers)
        headers["x-oauth-scopes"] = ",".join(sorted(sandbox.scopes))
        return web.json_response({"ok": True, **answer}, headers=headers)

    async def _call(self, request: web.Request) -> tuple[Sandbox, dict[str, Any]]:
        name, values = request.match_info["method"], await _values(request)
        if name in CLIENT_METHODS:
            return self._first, self._call_as_client(name, request, values)
        known = METHODS.get(name)
        if known is None:
            raise SlackError("unknown_method", req_method=name)
        token = _token(request, values)
        self._record(name, values, token)
        sandbox = self._first if known.app_token else self._opened_by(token)
        if known.app_token:
            self._check_app_token(token)
        sandbox.limits.check(name, known.tier, str(values.get("channel", "")))
        if known.scope is not None:
            need_scope(sandbox, known.scope)
        return sandbox, known.body(sandbox, Arguments(values))

    def _call_as_client(self, name: str, request: web.Request, values: dict[str, Any]) -> Answer:
        """A method that an app calls by its client secret, before it has any token."""
        values = _basic(request) | values
        self._first.recorders.calls.append(Call(name, values, self._slack_app.clock()))
        self._first.limits.check(name)
        return CLIENT_METHODS[name](self._sandboxes, self._slack_app, Arguments(values))

    def _record(self, name: str, values: dict[str, Any], token: str) -> None:
        """Refused calls too; those whose token names no workspace with the first one."""
        team_id = self._slack_app.team_of(token)
        sandbox = self._sandboxes.get(team_id, self._first)
        sandbox.recorders.calls.append(Call(name, values, self._slack_app.clock()))

    def _opened_by(self, token: str) -> Sandbox:
        if not token:
            raise SlackError("not_authed")
        if secrets.compare_digest(token.encode(), self._slack_app.app_token.encode()):
            raise SlackError("not_allowed_token_type")
        return self._sandboxes[self._slack_app.token(token).team_id]

    def _check_app_token(self, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if self._slack_app.team_of(token):
            raise SlackError("not_allowed_token_type")
        if not secrets.compare_digest(token.encode(), self._slack_app.app_token.encode()):
            raise SlackError("invalid_auth")


def _basic(request: web.Request) -> dict[str, str]:
    """Client id and secret, where they come by HTTP Basic authentication."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": client_id, "client_secret": client_secret}


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
