"""Mail as servers pass it on (.eml, RFC 5322)."""

from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.letter import Letter, read_letter

MEDIA_TYPE = "message/rfc822"


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a message; title: its subject."""
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    letter = Letter(
        subject=one_line(str(message.get("subject", ""))),
        sender=one_line(str(message.get("from", ""))),
        recipients=tuple(one_line(str(value)) for key in ("to", "cc") for value in message.get_all(key, [])),
        sent=_sent(message),
        body=_bytes(body) if body is not None else b"",
        body_type=body.get_content_type() if body is not None else "text/plain",
        attachments=tuple((part.get_filename() or "", _bytes(part)) for part in message.iter_attachments()),
    )
    return read_letter(letter, MEDIA_TYPE, name)


def _sent(message: EmailMessage) -> date | None:
    try:
        return parsedate_to_datetime(str(message["date"])).date()
    except (TypeError, ValueError):
        return None


def _bytes(part: MIMEPart) -> bytes:
    """What a part holds; text in UTF-8, whatever it was sent in."""
    if part.get_content_type() == "message/rfc822":
        return b"".join(bytes(inner) for inner in part.iter_parts())
    if part.get_content_maintype() != "text":
        payload = part.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else b""
    try:
        return str(part.get_content()).encode()
    except (LookupError, UnicodeError):  # an encoding that does not exist
        payload = part.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else b""
