"""What somebody gave to be taken in: an address, text or files, as a request."""

from collections.abc import Mapping
from typing import Any

from bot.slack.ingest_requests import NewRequest
from bot.slack.ingest_words import title_of_link
from bot.slack.intake_views import FILES, MOST_FILES
from bot.slack.messages import first_link, plain_text

PASTED_TITLE_LENGTH = 60


def given(text: str, user_id: str, channel_id: str) -> NewRequest:
    """An address, or text."""
    link = first_link(text)
    return NewRequest(
        kind="url" if link else "text",
        locator=link or "pasted text",
        title=title_of_link(link) if link else first_line(text),
        content=None if link else pasted(text),
        requested_by=user_id,
        channel_id=channel_id,
    )


def said(message: Mapping[str, Any], shortcut: Mapping[str, Any]) -> NewRequest | None:
    """The words and the files of a message; None where it has neither."""
    words = pasted(str(message.get("text") or ""))
    files = tuple(str(file["id"]) for file in message.get("files") or ())[:MOST_FILES]
    if not words.strip() and not files:
        return None
    return NewRequest(
        kind="message",
        locator=f"{shortcut['channel']['id']}:{shortcut['message_ts']}",
        title=first_line(words.decode()) if words.strip() and not files else "",
        requested_by=shortcut["user"]["id"],
        channel_id=shortcut["channel"]["id"],
        content=words if words.strip() else None,
        file_ids=files,
    )


def files_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of files in a form. Which file an id stands for is asked of Slack, as the bot may see it."""
    files = ((values.get(FILES) or {}).get(FILES) or {}).get("files") or []
    return tuple(str(file["id"]) for file in files if isinstance(file, dict) and file.get("id"))[:MOST_FILES]


def first_line(text: str) -> str:
    line = plain_text(text.strip().splitlines()[0]).rstrip(" .:;,")
    return line if len(line) <= PASTED_TITLE_LENGTH else line[:PASTED_TITLE_LENGTH].rsplit(" ", 1)[0] + " ..."


def pasted(text: str) -> bytes:
    """The words of pasted text, line by line, as a document's bytes."""
    return "\n".join(plain_text(line) for line in text.splitlines()).encode()
