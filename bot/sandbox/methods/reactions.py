"""reactions.add and reactions.remove."""

from __future__ import annotations

import re

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.methods.places import joined_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
_STAMP = re.compile(r"\d+\.\d+")


def _item(sandbox: Sandbox, arguments: Arguments) -> tuple[Message, str]:
    name = arguments.required("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    if not arguments.text("channel") or not arguments.text("timestamp"):
        raise SlackError("no_item_specified")
    channel = joined_channel(sandbox, arguments.text("channel"))
    if not _STAMP.fullmatch(arguments.text("timestamp")):
        raise SlackError("bad_timestamp")
    message = sandbox.workspace.histories[channel.channel_id].get(arguments.text("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    return message, name


@method("reactions.add", "reactions:write", tier=3)
def add(sandbox: Sandbox, arguments: Arguments) -> Answer:
    message, name = _item(sandbox, arguments)
    bot = sandbox.workspace.bot_user_id
    if sandbox.workspace.channels[message.channel_id].archived:
        raise SlackError("is_archived")
    users = message.reactions.setdefault(name, [])
    if bot in users:
        raise SlackError("already_reacted")
    users.append(bot)
    sandbox.events.reaction("reaction_added", bot, name, message)
    sandbox.workspace.changes.ring()
    return {}


@method("reactions.remove", "reactions:write", tier=2)
def remove(sandbox: Sandbox, arguments: Arguments) -> Answer:
    message, name = _item(sandbox, arguments)
    bot = sandbox.workspace.bot_user_id
    if bot not in message.reactions.get(name, []):
        raise SlackError("no_reaction")
    message.reactions[name].remove(bot)
    if not message.reactions[name]:
        del message.reactions[name]
    sandbox.events.reaction("reaction_removed", bot, name, message)
    sandbox.workspace.changes.ring()
    return {}
