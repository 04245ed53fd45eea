"""conversations.*: channels, their members, and what was said in them."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.channels import Channel, channel_json
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.methods.pages import page_of
from bot.sandbox.methods.places import joined_channel, need_scope, visible_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.methods.users import chosen, listed
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.seed import MOST_IN_GROUP_DM
from bot.sandbox.shapes import message_json


def _readable(sandbox: Sandbox, arguments: Arguments) -> Channel:
    channel = visible_channel(sandbox, arguments.required("channel"))
    need_scope(sandbox, f"{channel.scope_family}:read")
    return channel


@method("conversations.info", tier=3)
def info(sandbox: Sandbox, arguments: Arguments) -> Answer:
    channel = _readable(sandbox, arguments)
    shape = channel_json(channel, sandbox.workspace.bot_user_id, sandbox.workspace.team_id)
    if not arguments.flag("include_num_members"):
        shape.pop("num_members", None)
    return {"channel": shape}


@method("conversations.members", tier=4)
def members(sandbox: Sandbox, arguments: Arguments) -> Answer:
    page, metadata = page_of(_readable(sandbox, arguments).members, arguments)
    return {"members": page, "response_metadata": metadata}


@method("conversations.list", tier=2)
def list_conversations(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Public channels, and the others that the bot is in."""
    bot = sandbox.workspace.bot_user_id
    seen = [c for c in chosen(sandbox, arguments) if not c.private or bot in c.members]
    return listed(sandbox, seen, arguments)


@method("conversations.join", "channels:join", tier=3)
def join(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Only public channels are joined without an invitation."""
    channel = visible_channel(sandbox, arguments.required("channel"))
    workspace = sandbox.workspace
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    shape = channel_json(channel, workspace.bot_user_id, workspace.team_id)
    if workspace.bot_user_id in channel.members:
        return {"channel": shape, "warning": "already_in_channel"}
    channel.members.append(workspace.bot_user_id)
    sandbox.events.membership("member_joined_channel", workspace.bot_user_id, channel)
    workspace.changes.ring()
    return {"channel": channel_json(channel, workspace.bot_user_id, workspace.team_id)}


@method("conversations.open", tier=3)
def open_conversation(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """With one person: the direct message. With several: a group direct message."""
    users = arguments.several("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    need_scope(sandbox, "im:write" if len(users) == 1 else "mpim:write")
    if len(users) >= MOST_IN_GROUP_DM:
        raise SlackError("too_many_users")
    for user in users:
        _check_may_be_opened(sandbox, user)
    workspace = sandbox.workspace
    channel = workspace.open_direct_message(users[0]) if len(users) == 1 else workspace.open_group_dm(users)
    assert channel is not None
    if not arguments.flag("return_im"):
        return {"no_op": True, "already_open": True, "channel": {"id": channel.channel_id}}
    return {"channel": channel_json(channel, workspace.bot_user_id, workspace.team_id)}


def _check_may_be_opened(sandbox: Sandbox, user_id: str) -> None:
    person = sandbox.workspace.people.get(user_id)
    if person is None or person.kind == "bot":
        raise SlackError("user_not_found")
    if person.deleted:
        raise SlackError("user_disabled")


def _history_channel(sandbox: Sandbox, arguments: Arguments) -> Channel:
    channel = joined_channel(sandbox, arguments.required("channel"))
    need_scope(sandbox, f"{channel.scope_family}:history")
    return channel


@method("conversations.history", tier=3)
def history(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Newest first; replies are not part of it."""
    channel = _history_channel(sandbox, arguments)
    found = _between(sandbox.workspace.histories[channel.channel_id].top_level(), arguments)
    return _messages(sandbox, found[::-1], arguments)


@method("conversations.replies", tier=3)
def replies(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """The root, then its replies, oldest first."""
    channel = _history_channel(sandbox, arguments)
    said = sandbox.workspace.histories[channel.channel_id]
    root = said.get(arguments.required("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    if root.is_reply:
        return _messages(sandbox, [root], arguments)
    return _messages(sandbox, [root, *_between(said.replies(root.ts), arguments)], arguments)


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    """Slack leaves out both ends unless `inclusive`."""
    oldest, latest = _moment(arguments, "oldest", 0.0), _moment(arguments, "latest", float("inf"))
    inclusive = arguments.flag("inclusive")

    def within(message: Message) -> bool:
        ts = float(message.ts)
        return oldest <= ts <= latest if inclusive else oldest < ts < latest

    return [message for message in messages if within(message)]


def _moment(arguments: Arguments, name: str, default: float) -> float:
    given = arguments.text(name)
    try:
        return float(given) if given else default
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _messages(sandbox: Sandbox, messages: list[Message], arguments: Arguments) -> Answer:
    page, metadata = page_of(messages, arguments)
    all_metadata = arguments.flag("include_all_metadata")
    return {
        "messages": [message_json(sandbox.workspace, m, all_metadata=all_metadata) for m in page],
        "has_more": bool(metadata["next_cursor"]),
        "response_metadata": metadata,
    }
