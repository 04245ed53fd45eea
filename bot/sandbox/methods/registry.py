"""Web API methods register themselves here, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack_app import SlackApp

Answer = dict[str, Any]
Body = Callable[[Sandbox, Arguments], Answer]
ClientBody = Callable[[Mapping[str, Sandbox], SlackApp, Arguments], Answer]


@dataclass(frozen=True)
class Method:
    name: str
    body: Body
    scope: str | None  # None: any valid bot token will do
    tier: int  # Slack's rate tier, 1 to 4; 0: a limit of its own, or none
    app_token: bool


METHODS: dict[str, Method] = {}
CLIENT_METHODS: dict[str, ClientBody] = {}


def method(
    name: str, scope: str | None = None, *, tier: int = 0, app_token: bool = False
) -> Callable[[Body], Body]:
    """Register a function as a Web API method. It returns the answer without `ok`, or raises SlackError."""

    def register(body: Body) -> Body:
        METHODS[name] = Method(name, body, scope, tier, app_token)
        return body

    return register


def client_method(name: str) -> Callable[[ClientBody], ClientBody]:
    """Register a method that an app calls by its client id and secret, for whichever workspace."""

    def register(body: ClientBody) -> ClientBody:
        CLIENT_METHODS[name] = body
        return body

    return register
