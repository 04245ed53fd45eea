"""Every text in what Slack shows or hands out."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

from bot.sandbox.messages import Message
from bot.sandbox.shapes import message_json, shared_file_json
from bot.sandbox.workspace import Workspace


def texts_of_message(workspace: Workspace, message: Message) -> Iterator[str]:
    """Everything in a message: all fields of its blocks, metadata, chunks, and its files with their words."""
    yield from texts_in([message_json(workspace, message, all_metadata=True), message.chunks])
    for file_id in message.files:
        yield from texts_in(shared_file_json(workspace, file_id))
        stored = workspace.files.get(file_id)
        if stored is not None:
            yield stored.content.decode("utf-8", errors="replace")


def texts_in(tree: Any) -> Iterator[str]:
    """Every text and number in a tree of JSON, keys included: an app may name keys as it likes."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield str(name)
            yield from texts_in(value)
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from texts_in(part)
    elif tree is not None and not isinstance(tree, bool) and tree != "":
        yield unescape(str(tree))
