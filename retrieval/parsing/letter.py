"""A message with what it carried: its head, its body, and each attachment read as a document of its own."""

from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.document import Block, ParsedDocument, UnreadableDocument
from retrieval.parsing.registry import parse, parser_for

MOST_ATTACHMENTS, DEEPEST = 50, 3
_depth: ContextVar[int] = ContextVar("depth", default=0)


@dataclass(frozen=True)
class Letter:
    """A message, whatever format it came in. `body` is plain text, or HTML where there is no plain text."""

    subject: str
    sender: str
    recipients: tuple[str, ...]
    sent: date | None
    body: bytes
    body_type: str
    attachments: tuple[tuple[str, bytes], ...] = field(default=())


def read_letter(letter: Letter, media_type: str, name: str) -> ParsedDocument:
    """The message as a document: who wrote to whom stands in it, and can be asked for."""
    head = [
        f"From: {letter.sender}" if letter.sender else "",
        f"To: {', '.join(letter.recipients)}" if letter.recipients else "",
        f"Date: {letter.sent:%Y-%m-%d}" if letter.sent else "",
        f"Subject: {letter.subject}" if letter.subject else "",
    ]
    blocks = [Block("\n".join(line for line in head if line))] if any(head) else []
    if letter.body.strip():
        blocks += parser_for(letter.body_type).parse(letter.body, name).blocks
    for called, content in letter.attachments[:MOST_ATTACHMENTS]:
        blocks += _attached(called, content)
    if (unread := len(letter.attachments) - MOST_ATTACHMENTS) > 0:
        blocks.append(Block(f"{unread} more attachments were not read."))
    return ParsedDocument(
        letter.subject or name, tuple(blocks), media_type, letter.sent, letter.sender or None
    )


def _attached(called: str, content: bytes) -> list[Block]:
    """Under a heading of its own; one that cannot be read is named, with the reason."""
    heading = f"Attachment: {one_line(called) or 'without a name'}"
    if _depth.get() >= DEEPEST:
        return [Block("Not read: messages inside messages, too deep.", (heading,))]
    before = _depth.set(_depth.get() + 1)
    try:
        read = parse(content, called)
    except UnreadableDocument as refusal:
        return [Block(f"Not read: {refusal}", (heading,))]
    finally:
        _depth.reset(before)
    return [replace(block, heading_path=(heading, *block.heading_path)) for block in read.blocks]
