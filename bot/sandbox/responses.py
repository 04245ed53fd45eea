"""What an app posts to a response URL, or sends along with its acknowledgement of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.blocks import check_message_blocks, with_ids
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.posting import Posting
from bot.sandbox.recorders import written_words
from bot.sandbox.triggers import ResponseUrl
from bot.sandbox.workspace import Workspace


def respond(workspace: Workspace, posting: Posting, where: ResponseUrl, answer: Mapping[str, Any]) -> None:
    """Replace or delete the original message, or say something new: to one person or to all."""
    original = workspace.message(where.channel_id, where.message_ts) if where.message_ts else None
    if answer.get("delete_original") and original is not None:
        posting.withdraw(original)
        return
    text, blocks = _content(answer)
    if answer.get("replace_original") and original is not None:
        posting.revise(original, {"text": text, "blocks": blocks})
        return
    message = Message(
        workspace.stamps.next(),
        where.channel_id,
        workspace.bot_user_id,
        text,
        blocks,
        thread_ts=answer.get("thread_ts") or where.thread_ts,
        by_bot=True,
    )
    if answer.get("response_type", "ephemeral") == "in_channel":
        posting.publish(message, unfurl=bool(answer.get("unfurl_links", True)))
    else:
        message.only_for = where.user_id
        posting.whisper(message)


def _content(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    blocks = answer.get("blocks") or []
    if blocks:
        check_message_blocks(blocks)
    text = str(answer.get("text") or "")
    if not text and not blocks:
        raise SlackError("no_text")
    return text or "\n".join(written_words(blocks)), with_ids(blocks)
