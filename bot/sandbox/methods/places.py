"""Finding the conversation that a call names, with the errors Slack gives when it must not be found."""

from __future__ import annotations

from bot.sandbox.channels import Channel
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.sandbox import Sandbox


def visible_channel(sandbox: Sandbox, channel_id: str) -> Channel:
    """Public, or one the bot is in. Any other does not exist for it."""
    channel = sandbox.workspace.channels.get(channel_id)
    if channel is None or (channel.private and sandbox.workspace.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def joined_channel(sandbox: Sandbox, channel_id: str) -> Channel:
    channel = visible_channel(sandbox, channel_id)
    if sandbox.workspace.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def writable_channel(sandbox: Sandbox, which: str) -> Channel:
    """By id, by #name, or by a person's id: that is the direct message with them."""
    workspace = sandbox.workspace
    if person := workspace.people.get(which):
        opened = workspace.open_direct_message(person.user_id)
        if opened is None or person.kind == "bot" or person.deleted:
            raise SlackError("channel_not_found")
        return opened
    named = workspace.find_channel(which) if which not in workspace.channels else None
    channel = joined_channel(sandbox, named.channel_id if named else which)
    if channel.archived:
        raise SlackError("is_archived")
    return channel


def check_thread(sandbox: Sandbox, channel: Channel, thread_ts: str | None) -> str | None:
    """The thread's root must exist, and be a root."""
    if not thread_ts:
        return None
    root = sandbox.workspace.histories[channel.channel_id].get(thread_ts)
    if root is None:
        raise SlackError("thread_not_found")
    return root.thread_ts if root.is_reply else thread_ts


def own_message(sandbox: Sandbox, channel: Channel, ts: str, refusal: str) -> Message:
    """A lasting message of the bot. Ephemeral ones cannot be found again."""
    message = sandbox.workspace.histories[channel.channel_id].get(ts)
    if message is None:
        raise SlackError("message_not_found")
    if not message.by_bot:
        raise SlackError(refusal)
    return message


def need_scope(sandbox: Sandbox, scope: str) -> None:
    if scope not in sandbox.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(sandbox.scopes)))
