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
_CHANNEL = "slack#/types/channel_id"
_ASKING = re.compile(
    r"(?:and |but |so |ok,? )?(?:what|who|whom|whose|which|when|where|why|how|is|are|does|do|did|can|could|may|"
    r"must|should|will|would)\b",
    re.IGNORECASE,
)
EDITED, DELETED = "message_changed", "message_deleted"
TOMBSTONE = "tombstone"
"""What a deleted message becomes under which a thread stands."""


def is_written_by_a_person(event: Mapping[str, Any]) -> bool:
    return event.get("subtype") in _WRITTEN and bool(event.get("user")) and not event.get("bot_id")


def mentions(event: Mapping[str, Any], user_id: str) -> bool:
    return f"<@{user_id}>" in (event.get("text") or "")


def plain_text(text: str) -> str:
    """A message's words: mentions of people dropped, links and channels by their names, entities undone."""
    return " ".join(storable(html.unescape(_TAG.sub(_words, text))).split())


def storable(text: str) -> str:
    """Without what no database takes."""
    return _UNSTORABLE.sub("", text)


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


def asks_something(text: str) -> bool:
    """Whether what somebody says in a conversation is a question, by its mark or its first words."""
    return text.endswith("?") or bool(_ASKING.match(text))


def viewed_channel(event: Mapping[str, Any]) -> str:
    """The id of the channel that somebody looks at beside the pane; empty where Slack says none."""
    context = event.get("context") or event.get("app_context") or {}
    entities = context.get("entities") or () if isinstance(context, Mapping) else ()
    named = (entity.get("value") for entity in entities if entity.get("type") == _CHANNEL)
    return str(next(named, "") or "")
