"""The pieces that a stream is sent in, and the blocks that they come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bot.sandbox.blocks import MOST_BLOCKS, check_message_blocks, with_ids
from bot.sandbox.errors import SlackError

MOST_STREAMED = 12_000  # characters of one stream, all its pieces together
MOST_TASK_TITLE = 256
_TASK_STATES = ("pending", "in_progress", "complete", "error")
Chunk = dict[str, Any]


def check_chunks(chunks: Any) -> None:
    """Raise invalid_chunks, or what is wrong with the blocks in them."""
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks", messages=["chunks must be an array"])
    for index, chunk in enumerate(chunks):
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        if kind == "blocks":
            check_message_blocks(chunk.get("blocks"))
        elif kind not in _RULES or not _RULES[str(kind)](chunk):
            raise SlackError("invalid_chunks", messages=[f"invalid chunk [json-pointer:/chunks/{index}]"])


def _is_task(chunk: Chunk) -> bool:
    title = chunk.get("title")
    named = isinstance(chunk.get("id"), str) and isinstance(title, str) and 0 < len(title) <= MOST_TASK_TITLE
    return named and chunk.get("status") in _TASK_STATES and _are_sources(chunk.get("sources") or [])


def _are_sources(sources: Any) -> bool:
    return isinstance(sources, list) and all(
        isinstance(source, dict) and source.get("type") == "url" and source.get("url") and source.get("text")
        for source in sources
    )


_RULES: dict[str, Callable[[Chunk], bool]] = {
    "markdown_text": lambda chunk: isinstance(chunk.get("text"), str),
    "plan_update": lambda chunk: isinstance(chunk.get("title"), str) and bool(chunk["title"]),
    "task_update": _is_task,
}


def words_of(chunks: Sequence[Chunk]) -> str:
    return "".join(chunk["text"] for chunk in chunks if chunk["type"] == "markdown_text")


def blocks_of(chunks: Sequence[Chunk], display: str) -> list[dict[str, Any]]:
    """Tasks (one card each, the newest word of it), then the words, then whole blocks. msg_blocks_too_many."""
    words = words_of(chunks)
    blocks = [*_tasks(chunks, display)]
    if words:
        blocks.append({"type": "markdown", "text": words})
    blocks += [block for chunk in chunks if chunk["type"] == "blocks" for block in chunk["blocks"]]
    if len(blocks) > MOST_BLOCKS:
        raise SlackError("msg_blocks_too_many")
    return with_ids(blocks)


def _tasks(chunks: Sequence[Chunk], display: str) -> list[dict[str, Any]]:
    cards: dict[str, dict[str, Any]] = {}
    title = ""
    for chunk in chunks:
        if chunk["type"] == "plan_update":
            title = chunk["title"]
        if chunk["type"] == "task_update":
            told = {name: value for name, value in chunk.items() if name not in ("type", "id")}
            known = cards.get(chunk["id"], {"type": "task_card", "task_id": chunk["id"]})
            cards[chunk["id"]] = known | told
    if display == "plan" or title:
        return [{"type": "plan", "title": title, "tasks": list(cards.values())}] if title or cards else []
    return list(cards.values())
