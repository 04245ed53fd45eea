"""What Slack would have done on the side: fetched links, pinged people. Kept for tests to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

_PINGS = (
    ("user", re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")),
    ("subteam", re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")),
    ("channel", re.compile(r"<!(channel)(?:\|[^>]*)?>")),
    ("here", re.compile(r"<!(here)(?:\|[^>]*)?>")),
    ("everyone", re.compile(r"<!(everyone)(?:\|[^>]*)?>")),
)
_LITERAL = ("plain_text", "text", "emoji")  # shown letter by letter, never read as markup
_URL = re.compile(r"https?://[^\s<>|\"')\]]+")


@dataclass(frozen=True)
class Notification:
    by: str
    channel_id: str
    ts: str
    kind: str  # user, channel, here, everyone or subteam
    target: str


@dataclass(frozen=True)
class Unfurl:
    by: str
    channel_id: str
    ts: str
    url: str
    kind: Literal["link", "image"]


@dataclass(frozen=True)
class Call:
    method: str
    arguments: dict[str, Any]
    at: float


@dataclass
class Recorders:
    calls: list[Call] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    unfurls: list[Unfurl] = field(default_factory=list)

    def hear_message(
        self, by: str, channel_id: str, ts: str, text: str, blocks: list[dict[str, Any]], *, unfurl: bool
    ) -> None:
        """Note whom a message pings and what it would make Slack fetch; each once per message."""
        words = "\n".join([text, *written_words(blocks)])
        for kind, target in pings_in(words):
            self._note(self.notifications, Notification(by, channel_id, ts, kind, target))
        if unfurl:
            for url in _URL.findall(words):
                self._note(self.unfurls, Unfurl(by, channel_id, ts, url, "link"))
        for url in image_urls(blocks):
            self._note(self.unfurls, Unfurl(by, channel_id, ts, url, "image"))

    @staticmethod
    def _note(record: list[Any], entry: Notification | Unfurl) -> None:
        if entry not in record:
            record.append(entry)


def pings_in(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in _PINGS:
        for target in pattern.findall(text):
            yield kind, target


def written_words(blocks: Any) -> Iterator[str]:
    """Every text of a block tree that Slack reads as mrkdwn, Markdown or rich text."""
    if isinstance(blocks, list):
        for block in blocks:
            yield from written_words(block)
    elif isinstance(blocks, dict):
        if isinstance(blocks.get("text"), str) and blocks.get("type") not in _LITERAL:
            yield blocks["text"]
        if blocks.get("type") == "user":
            yield f"<@{blocks.get('user_id')}>"
        if blocks.get("type") == "broadcast":
            yield f"<!{blocks.get('range')}>"
        if blocks.get("type") == "link":
            yield str(blocks.get("url"))
        for value in blocks.values():
            if isinstance(value, dict | list):
                yield from written_words(value)


def image_urls(blocks: Any) -> Iterator[str]:
    if isinstance(blocks, list):
        for block in blocks:
            yield from image_urls(block)
    elif isinstance(blocks, dict):
        if isinstance(blocks.get("image_url"), str):
            yield blocks["image_url"]
        for value in blocks.values():
            yield from image_urls(value)
