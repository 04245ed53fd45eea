"""Cursor pagination, as every list method does it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError

T = TypeVar("T")
MOST_A_PAGE = 1000


def page_of(items: Sequence[T], arguments: Arguments, *, usual: int = 100) -> tuple[list[T], dict[str, Any]]:
    """One page and the `response_metadata` that leads to the next."""
    limit = arguments.whole("limit", usual) or usual
    if not 1 <= limit <= MOST_A_PAGE:
        raise SlackError("invalid_limit")
    start = _offset(arguments.text("cursor"))
    if start > len(items):
        raise SlackError("invalid_cursor")
    more = start + limit < len(items)
    cursor = _cursor(start + limit) if more else ""
    return list(items[start : start + limit]), {"next_cursor": cursor}


def _cursor(offset: int) -> str:
    return base64.b64encode(f"next:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, number = base64.b64decode(cursor, validate=True).decode().split(":")
        if word == "next" and number.isdecimal():
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise SlackError("invalid_cursor")
