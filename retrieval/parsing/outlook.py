"""Messages saved by Outlook (.msg)."""

import io

from oxmsg import Message

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.letter import Letter, read_letter

MEDIA_TYPE = "application/vnd.ms-outlook"


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a message; title: its subject."""
    message = Message.load(io.BytesIO(data))
    plain, html = message.body or "", message.html_body or ""
    letter = Letter(
        subject=one_line(message.subject or ""),
        sender=one_line(message.sender or ""),
        recipients=tuple(one_line(to.email_address or to.name or "") for to in message.recipients),
        sent=message.sent_date.date() if message.sent_date else None,
        body=(plain or html).encode(),
        body_type="text/plain" if plain.strip() else "text/html",
        attachments=tuple((a.file_name or "", a.file_bytes or b"") for a in message.attachments),
    )
    return read_letter(letter, MEDIA_TYPE, name)
