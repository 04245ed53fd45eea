"""chat.startStream, appendStream, stopStream: an answer that grows while people watch."""

from __future__ import annotations

from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.blocks import check_message_blocks, with_ids
from bot.sandbox.channels import Channel
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.methods.content import metadata_of
from bot.sandbox.methods.places import check_thread, own_message, writable_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import message_json

STREAM_SECONDS = 300.0  # Slack ends a stream after about five minutes
MOST_STREAMED = 12_000
_CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")


@method("chat.startStream", "chat:write")
def start(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = writable_channel(sandbox, arguments.required("channel"))
    _check_recipient(sandbox, channel, arguments)
    message = Message(
        sandbox.workspace.stamps.next(),
        channel.channel_id,
        sandbox.workspace.bot_user_id,
        "",
        thread_ts=check_thread(sandbox, channel, arguments.required("thread_ts")),
        by_bot=True,
        stream="streaming",
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


@method("chat.appendStream", "chat:write")
def append(sandbox: Sandbox, arguments: Arguments) -> Answer:
    message = _streaming(sandbox, arguments)
    if not _grow(message, arguments):
        raise SlackError("no_text")
    sandbox.posting.record_again(message)
    return {"channel": message.channel_id, "ts": message.ts}


@method("chat.stopStream", "chat:write")
def stop(sandbox: Sandbox, arguments: Arguments) -> Answer:
    message = _streaming(sandbox, arguments)
    blocks = arguments.json("blocks")
    if blocks:
        check_message_blocks(blocks)
    _grow(message, arguments)
    message.blocks += with_ids(blocks or [])
    message.metadata = metadata_of(arguments)
    message.stream = "ended"
    sandbox.posting.record_again(message)
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "message": message_json(sandbox.workspace, message, all_metadata=True),
    }


def _streaming(sandbox: Sandbox, arguments: Arguments) -> Message:
    channel = writable_channel(sandbox, arguments.required("channel"))
    message = own_message(sandbox, channel, arguments.required("ts"), "message_not_owned_by_app")
    if sandbox.clock() - float(message.ts) > STREAM_SECONDS and message.stream == "streaming":
        message.stream = "ended"
    if message.stream != "streaming":
        raise SlackError("message_not_in_streaming_state")
    return message


def _grow(message: Message, arguments: Arguments) -> bool:
    """Add the call's chunks to the message; say whether there were any."""
    chunks = list(arguments.json("chunks") or [])
    if text := arguments.text("markdown_text"):
        chunks.insert(0, {"type": "markdown_text", "text": text})
    if any(not isinstance(chunk, dict) or chunk.get("type") not in _CHUNKS for chunk in chunks):
        raise SlackError("invalid_chunks")
    words = message.text + "".join(c.get("text", "") for c in chunks if c["type"] == "markdown_text")
    if len(words) > MOST_STREAMED:
        raise SlackError("msg_too_long")
    message.text = words
    message.chunks += chunks
    message.blocks = _blocks_of(message)
    return bool(chunks)


def _blocks_of(message: Message) -> list[dict[str, Any]]:
    words = [{"type": "markdown", "text": message.text}] if message.text else []
    tasks: dict[str, dict[str, Any]] = {}
    extra: list[dict[str, Any]] = []
    for chunk in message.chunks:
        if chunk["type"] == "task_update":
            tasks[str(chunk.get("id"))] = {
                "type": "task_card",
                "task_id": chunk.get("id"),
                **_without_type(chunk),
            }
        if chunk["type"] == "blocks":
            extra += chunk.get("blocks", [])
    return with_ids([*tasks.values(), *words, *extra])


def _without_type(chunk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chunk.items() if name not in ("type", "id")}
