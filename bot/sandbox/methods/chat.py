"""chat.*: what the bot says, to all or to one, and takes back."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.methods.content import MOST_UPDATE_TEXT, content_of, metadata_of
from bot.sandbox.methods.places import (
    check_thread,
    joined_channel,
    own_message,
    visible_channel,
    writable_channel,
)
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import message_json


@method("chat.postMessage", "chat:write")
def post_message(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = writable_channel(sandbox, arguments.required("channel"))
    content = content_of(sandbox, arguments)
    message = Message(
        sandbox.workspace.stamps.next(),
        channel.channel_id,
        sandbox.workspace.bot_user_id,
        content.text,
        content.blocks,
        thread_ts=check_thread(sandbox, channel, arguments.text("thread_ts")),
        by_bot=True,
        metadata=metadata_of(arguments),
        broadcast=arguments.flag("reply_broadcast"),
    )
    sandbox.posting.publish(message, unfurl=_would_unfurl(arguments))
    return {
        "channel": channel.channel_id,
        "ts": message.ts,
        "message": message_json(sandbox.workspace, message, all_metadata=True),
    }


def _would_unfurl(arguments: Arguments) -> bool:
    """Only both flags set to false keep Slack from fetching what a message links to."""
    return arguments.flag("unfurl_links", True) or arguments.flag("unfurl_media", True)


@method("chat.postEphemeral", "chat:write", tier=4)
def post_ephemeral(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = writable_channel(sandbox, arguments.required("channel"))
    user_id = arguments.required("user")
    if user_id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = content_of(sandbox, arguments)
    message = Message(
        sandbox.workspace.stamps.next(),
        channel.channel_id,
        sandbox.workspace.bot_user_id,
        content.text,
        content.blocks,
        thread_ts=check_thread(sandbox, channel, arguments.text("thread_ts")),
        by_bot=True,
        only_for=user_id,
    )
    sandbox.posting.whisper(message)
    return {"message_ts": message.ts}


@method("chat.update", "chat:write", tier=3)
def update(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = joined_channel(sandbox, arguments.required("channel"))
    message = own_message(sandbox, channel, arguments.required("ts"), "cant_update_message")
    if sandbox.workspace.is_streaming(message):
        raise SlackError("streaming_state_conflict")
    content = content_of(sandbox, arguments, most_text=MOST_UPDATE_TEXT)
    changes = {"text": content.text, "blocks": content.blocks}
    if "metadata" in arguments.values:
        changes["metadata"] = metadata_of(arguments)  # type: ignore[assignment]
    sandbox.posting.revise(message, changes)
    return {
        "channel": channel.channel_id,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(sandbox.workspace, message, all_metadata=True),
    }


@method("chat.delete", "chat:write", tier=3)
def delete(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = joined_channel(sandbox, arguments.required("channel"))
    message = own_message(sandbox, channel, arguments.required("ts"), "cant_delete_message")
    sandbox.posting.withdraw(message)
    return {"channel": channel.channel_id, "ts": message.ts}


@method("chat.getPermalink")
def permalink(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = visible_channel(sandbox, arguments.required("channel"))
    ts = arguments.required("message_ts")
    message = sandbox.workspace.histories[channel.channel_id].get(ts)
    if message is None:
        raise SlackError("message_not_found")
    thread = f"?thread_ts={message.thread_ts}&cid={channel.channel_id}" if message.is_reply else ""
    link = f"{sandbox.workspace.base_url}archives/{channel.channel_id}/p{ts.replace('.', '')}{thread}"
    return {"channel": channel.channel_id, "permalink": link}
