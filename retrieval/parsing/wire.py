"""How a parsed document crosses from one process to another: JSON, checked on arrival.

Never pickle: the sending process has just read a stranger's file and may no longer be ours.
"""

import json
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

from retrieval.parsing.document import Block, BlockKind, ParsedDocument

_KINDS = frozenset(get_args(BlockKind))


def encode(document: ParsedDocument) -> dict[str, Any]:
    """As values that JSON knows."""
    fields = asdict(document)
    fields["dated"] = document.dated.isoformat() if document.dated else None
    return fields


def decode(fields: Any) -> ParsedDocument:
    """Back again; ValueError, KeyError or TypeError if anything in it is not what it should be."""
    return ParsedDocument(
        title=_text(fields["title"]),
        blocks=tuple(_block(block) for block in fields["blocks"]),
        media_type=_text(fields["media_type"]),
        dated=date.fromisoformat(fields["dated"]) if fields["dated"] is not None else None,
        author=_text(fields["author"]) if fields["author"] is not None else None,
    )


def to_bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")


def from_bytes(data: bytes) -> dict[str, Any]:
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


def _block(fields: Any) -> Block:
    page, kind = fields["page"], fields["kind"]
    if kind not in _KINDS or not (page is None or type(page) is int):
        raise ValueError("a block has a known kind and a whole number or nothing as its page")
    path = tuple(_text(heading) for heading in fields["heading_path"])
    return Block(_text(fields["text"]), path, page, kind)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value
