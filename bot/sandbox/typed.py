"""What a person types, and what Slack makes of it: entities escaped, mentions and links marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

_TOKEN = re.compile(
    r"<@(?P<id>[UW][A-Z0-9]+)>"
    r"|(?<![\w@])@(?P<handle>[a-z0-9][a-z0-9._-]*[a-z0-9]|[a-z0-9])"
    r"|(?<![\w#&])#(?P<channel>[a-z0-9][a-z0-9_-]*)"
    r"|(?P<url>https?://[^\s<>]+)"
)
_MARKED = re.compile(r"<(@[UW][A-Z0-9]+|#[CG][A-Z0-9]+(?:\|[^>]*)?|![a-z]+|https?://[^>]+)>")
_BROADCASTS = ("here", "channel", "everyone")


def escape(text: str) -> str:
    """Slack's own escape: these three characters, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_text(typed: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Turn typed text into Slack's `text`. `people` maps handles, `channels` names, to ids."""
    pieces: list[str] = []
    end = 0
    for token in _TOKEN.finditer(typed):
        pieces.append(escape(typed[end : token.start()]))
        pieces.append(_marked(token, people, channels))
        end = token.end()
    return "".join([*pieces, escape(typed[end:])])


def _marked(token: re.Match[str], people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    if (user_id := token["id"]) and user_id in people.values():
        return f"<@{user_id}>"
    if handle := token["handle"]:
        if handle in people:
            return f"<@{people[handle]}>"
        if handle in _BROADCASTS:
            return f"<!{handle}>"
    if (name := token["channel"]) and name in channels:
        return f"<#{channels[name]}|{name}>"
    if url := token["url"]:
        return f"<{escape(url)}>"
    return escape(token[0])


def rich_text(text: str) -> list[dict[str, Any]]:
    """The `rich_text` block that Slack's composer sends beside `text`."""
    elements: list[dict[str, Any]] = []
    end = 0
    for mark in _MARKED.finditer(text):
        if mark.start() > end:
            elements.append({"type": "text", "text": unescape(text[end : mark.start()])})
        elements.append(_element(mark[1]))
        end = mark.end()
    if end < len(text):
        elements.append({"type": "text", "text": unescape(text[end:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]


def _element(mark: str) -> dict[str, Any]:
    if mark.startswith("@"):
        return {"type": "user", "user_id": mark[1:]}
    if mark.startswith("#"):
        return {"type": "channel", "channel_id": mark[1:].split("|")[0]}
    if mark.startswith("!"):
        return {"type": "broadcast", "range": mark[1:]}
    return {"type": "link", "url": unescape(mark)}
