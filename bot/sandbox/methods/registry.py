"""Web API methods register themselves here, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.sandbox import Sandbox

Answer = dict[str, Any]
Body = Callable[[Sandbox, Arguments], Answer]


@dataclass(frozen=True)
class Method:
    name: str
    body: Body
    scope: str | None  # None: any valid bot token will do
    app_token: bool


METHODS: dict[str, Method] = {}


def method(name: str, scope: str | None = None, *, app_token: bool = False) -> Callable[[Body], Body]:
    """Register a function as a Web API method. It returns the answer without `ok`, or raises SlackError."""

    def register(body: Body) -> Body:
        METHODS[name] = Method(name, body, scope, app_token)
        return body

    return register
