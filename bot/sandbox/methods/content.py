"""The words of a message: text, blocks or Markdown, within Slack's limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.blocks import MOST_MARKDOWN, check_message_blocks, with_ids
from bot.sandbox.errors import SlackError
from bot.sandbox.recorders import written_words
from bot.sandbox.sandbox import Sandbox

MOST_TEXT = 40_000
MOST_UPDATE_TEXT = 4_000
MOST_METADATA_BYTES = 16_000


@dataclass(frozen=True)
class Content:
    text: str
    blocks: list[dict[str, Any]]


def content_of(sandbox: Sandbox, arguments: Arguments, *, most_text: int = MOST_TEXT) -> Content:
    """Read and check the content, or raise no_text, msg_too_long, markdown_text_conflict, invalid_blocks."""
    text, blocks = arguments.text("text"), arguments.json("blocks")
    markdown = arguments.text("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MOST_MARKDOWN:
            raise SlackError("msg_too_long")
        return Content(markdown, with_ids([{"type": "markdown", "text": markdown}]))
    if blocks:
        check_message_blocks(blocks)
    if not text and not blocks and not arguments.json("attachments"):
        raise SlackError("no_text")
    if len(text) > most_text:
        raise SlackError("msg_too_long")
    if arguments.flag("link_names") or arguments.text("parse") == "full":
        text = _link_names(sandbox, text)
    return Content(text or "\n".join(written_words(blocks or [])), with_ids(blocks or []))


def _link_names(sandbox: Sandbox, text: str) -> str:
    """What link_names does: bare @names become mentions, so they ping."""
    for person in sandbox.workspace.people.values():
        text = re.sub(rf"(?<![\w@<])@{re.escape(person.handle)}\b", f"<@{person.user_id}>", text)
    return text


def metadata_of(arguments: Arguments) -> dict[str, Any] | None:
    metadata = arguments.json("metadata")
    if metadata is None:
        return None
    known = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not known or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > MOST_METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return dict(metadata)
