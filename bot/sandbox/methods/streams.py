"""chat.startStream, appendStream, stopStream: an answer that grows while people watch."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.blocks import check_message_blocks, with_ids
from bot.sandbox.channels import Channel
from bot.sandbox.chunks import MOST_STREAMED, blocks_of, check_chunks, words_of
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.methods.content import metadata_of
from bot.sandbox.methods.places import check_thread, own_message, writable_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.methods.sessions import checked_status
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import message_json

_DISPLAYS = ("timeline", "plan", "dense")


@method("chat.startStream", "chat:write", tier=2)
def start(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = writable_channel(sandbox, arguments.required("channel"))
    _check_recipient(sandbox, channel, arguments)
    display = arguments.text("task_display_mode", "timeline")
    if display not in _DISPLAYS:
        raise SlackError("invalid_arguments", messages=[f"task_display_mode must be one of {_DISPLAYS}"])
    message = Message(
        sandbox.workspace.stamps.next(),
        channel.channel_id,
        sandbox.workspace.bot_user_id,
        "",
        thread_ts=check_thread(sandbox, channel, arguments.required("thread_ts")),
        by_bot=True,
        stream="streaming",
        task_display=display,
    )
    _grow(message, arguments)
    sandbox.posting.publish(message)
    return {"channel": channel.channel_id, "ts": message.ts}


def _check_recipient(sandbox: Sandbox, channel: Channel, arguments: Arguments) -> None:
    if channel.kind == "im":
        return
    for name in ("recipient_team_id", "recipient_user_id"):
        if not arguments.text(name):
            raise SlackError(f"missing_{name}")
    if arguments.text("recipient_user_id") not in sandbox.workspace.people:
        raise SlackError("user_not_found")


@method("chat.appendStream", "chat:write", tier=4)
def append(sandbox: Sandbox, arguments: Arguments) -> Answer:
    message = _stream(sandbox, arguments)
    if message.stream == "stopped":
        raise SlackError("stopped_by_user")
    if not sandbox.workspace.is_streaming(message):
        raise SlackError("message_not_in_streaming_state")
    if not _grow(message, arguments):
        raise SlackError("no_text")
    sandbox.posting.record_again(message)
    return {"channel": message.channel_id, "ts": message.ts}


@method("chat.stopStream", "chat:write", tier=2)
def stop(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Also of a stream that a person has stopped: so the app ends what was said, and its session."""
    message = _stream(sandbox, arguments)
    if message.stream != "stopped" and not sandbox.workspace.is_streaming(message):
        raise SlackError("message_not_in_streaming_state")
    blocks = arguments.json("blocks")
    if blocks:
        check_message_blocks(blocks)
    status = arguments.text("session_status") and checked_status(arguments.text("session_status"))
    metadata = metadata_of(arguments)
    _grow(message, arguments)
    message.blocks += with_ids(blocks or [])
    message.metadata = metadata
    message.stream = "ended"
    session = sandbox.workspace.sessions.get((message.channel_id, message.thread_ts or ""))
    if status and session is not None:
        session.status = status
    sandbox.posting.record_again(message)
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "message": message_json(sandbox.workspace, message, all_metadata=True),
    }


def _stream(sandbox: Sandbox, arguments: Arguments) -> Message:
    channel = writable_channel(sandbox, arguments.required("channel"))
    return own_message(sandbox, channel, arguments.required("ts"), "message_not_owned_by_app")


def _grow(message: Message, arguments: Arguments) -> bool:
    """Add the call's chunks to the message; say whether there were any."""
    chunks = arguments.json("chunks") or []
    if text := arguments.text("markdown_text"):
        chunks = [{"type": "markdown_text", "text": text}, *chunks]
    check_chunks(chunks)
    grown = [*message.chunks, *chunks]
    words = words_of(grown)
    if len(words) > MOST_STREAMED:
        raise SlackError("msg_blocks_too_long")
    message.blocks = blocks_of(grown, message.task_display)
    message.text, message.chunks = words, grown
    return bool(chunks)
