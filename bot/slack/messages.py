"""What people write, as Slack sends it, and what of it is a question."""

import html
import re
from collections.abc import Mapping
from typing import Any

_TAG = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
# Control characters and halves of characters: PostgreSQL refuses some, and nobody means any.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
# Edits, deletions, joins and the like are messages too; these are the ones somebody wrote.
_WRITTEN = {None, "file_share", "thread_broadcast"}


def is_written_by_a_person(event: Mapping[str, Any]) -> bool:
    return event.get("subtype") in _WRITTEN and bool(event.get("user")) and not event.get("bot_id")


def mentions(event: Mapping[str, Any], user_id: str) -> bool:
    return f"<@{user_id}>" in (event.get("text") or "")


def plain_text(text: str) -> str:
    """A message's words: mentions of people dropped, links and channels by their names, entities undone."""
    return " ".join(_UNSTORABLE.sub("", html.unescape(_TAG.sub(_words, text))).split())


def _words(tag: re.Match[str]) -> str:
    target, shown = tag.group(1), tag.group(2)
    if target.startswith(("@", "!")):
        return " "
    if target.startswith("#"):
        return f"#{shown}" if shown else " "
    return shown or target


def first_link(text: str) -> str | None:
    """The URL if the text is one and nothing else, written plainly or as Slack marks links up."""
    match = _TAG.fullmatch(text.strip())
    url = html.unescape(match.group(1) if match else text.strip())
    return url if re.fullmatch(r"https?://\S+", url) else None


def typed_id(value: object) -> int | None:
    """Ids in payloads are anybody's writing: whatever is not a plain number is no id."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19
        else None
    )
