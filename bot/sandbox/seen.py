"""What a person sees, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from bot.sandbox.messages import Message
from bot.sandbox.shapes import author_name, shared_file_json
from bot.sandbox.views import View
from bot.sandbox.workspace import Workspace


@dataclass(frozen=True)
class SeenMessage:
    ts: str
    channel_id: str
    user_id: str
    author: str
    text: str
    blocks: tuple[dict[str, Any], ...]
    thread_ts: str | None
    ephemeral: bool
    edited: bool
    files: tuple[dict[str, Any], ...]
    reactions: dict[str, tuple[str, ...]]
    reply_count: int
    by_bot: bool
    streaming: bool
    metadata: dict[str, Any] | None

    @property
    def plain(self) -> str:
        """Every word a reader sees: the blocks' when there are blocks, else the text's."""
        words = "\n".join(shown_words(list(self.blocks))) if self.blocks else self.text
        return unescape(words)


@dataclass(frozen=True)
class SeenView:
    id: str
    type: str
    title: str
    callback_id: str
    blocks: tuple[dict[str, Any], ...]
    private_metadata: str
    submit: str | None
    state_values: dict[str, dict[str, Any]]
    errors: dict[str, str]  # block id -> sentence; under "" what concerns the whole view
    raw: dict[str, Any]

    @property
    def plain(self) -> str:
        return unescape("\n".join(shown_words(list(self.blocks))))


@dataclass(frozen=True)
class SeenStatus:
    channel_id: str
    thread_ts: str
    text: str
    loading_messages: tuple[str, ...] = ()


def see_message(workspace: Workspace, message: Message) -> SeenMessage:
    history = workspace.histories[message.channel_id]
    return SeenMessage(
        ts=message.ts,
        channel_id=message.channel_id,
        user_id=message.user_id,
        author=author_name(workspace, message),
        text=message.text,
        blocks=tuple(message.blocks),
        thread_ts=message.thread_ts,
        ephemeral=message.only_for is not None,
        edited=message.edited is not None,
        files=tuple(shared_file_json(workspace, file_id) for file_id in message.files),
        reactions={name: tuple(users) for name, users in message.reactions.items()},
        reply_count=0 if message.is_reply else len(history.replies(message.ts)),
        by_bot=message.by_bot,
        streaming=workspace.is_streaming(message),
        metadata=message.metadata,
    )


def see_view(view: View, raw: dict[str, Any]) -> SeenView:
    body = view.body
    return SeenView(
        id=view.view_id,
        type=body["type"],
        title=(body.get("title") or {}).get("text", ""),
        callback_id=body.get("callback_id", ""),
        blocks=tuple(body["blocks"]),
        private_metadata=body.get("private_metadata", ""),
        submit=(body.get("submit") or {}).get("text"),
        state_values=view.values,
        errors=dict(view.errors),
        raw=raw,
    )


def shown_words(tree: Any) -> Iterator[str]:
    """All texts of a block tree, plain ones included, in reading order."""
    if isinstance(tree, list):
        for part in tree:
            yield from shown_words(part)
    elif isinstance(tree, dict):
        if isinstance(tree.get("text"), str):
            yield tree["text"]
        if tree.get("type") in ("user", "link", "broadcast", "channel"):
            yield str(tree.get("user_id") or tree.get("url") or tree.get("range") or tree.get("channel_id"))
        for name, value in tree.items():
            if name in ("alt_text", "title") and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from shown_words(value)
