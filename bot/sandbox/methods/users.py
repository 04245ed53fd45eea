"""users.*: the people of the workspace."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.channels import Channel, channel_json
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.pages import page_of
from bot.sandbox.methods.places import need_scope
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import email_of, person_json

_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_TYPE_SCOPES = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}


@method("users.info", "users:read", tier=4)
def user_info(sandbox: Sandbox, arguments: Arguments) -> Answer:
    person = sandbox.workspace.people.get(arguments.required("user"))
    if person is None:
        raise SlackError("user_not_found")
    return {"user": person_json(sandbox.workspace, person)}


@method("users.lookupByEmail", "users:read.email", tier=3)
def lookup_by_email(sandbox: Sandbox, arguments: Arguments) -> Answer:
    wanted = arguments.required("email").lower()
    for person in sandbox.workspace.people.values():
        if person.kind != "bot" and not person.deleted and wanted == email_of(sandbox.workspace, person):
            return {"user": person_json(sandbox.workspace, person)}
    raise SlackError("users_not_found")


@method("users.list", "users:read", tier=2)
def user_list(sandbox: Sandbox, arguments: Arguments) -> Answer:
    people, metadata = page_of(list(sandbox.workspace.people.values()), arguments, usual=1000)
    return {
        "members": [person_json(sandbox.workspace, person) for person in people],
        "cache_ts": int(sandbox.clock()),
        "response_metadata": metadata,
    }


@method("users.conversations", tier=3)
def user_conversations(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """The conversations of the bot, or those that it shares with `user`."""
    bot = sandbox.workspace.bot_user_id
    user = arguments.text("user", bot)
    if user not in sandbox.workspace.people:
        raise SlackError("user_not_found")
    shared = [
        c for c in chosen(sandbox, arguments) if user in c.members and (bot in c.members or not c.private)
    ]
    return listed(sandbox, shared, arguments)


def chosen(sandbox: Sandbox, arguments: Arguments) -> list[Channel]:
    """The channels of the `types` asked for; each type needs its scope."""
    types = arguments.several("types") or ["public_channel"]
    if not set(types) <= set(_TYPES):
        raise SlackError("invalid_types")
    kinds = {_TYPES[kind] for kind in types}
    for kind in sorted(kinds):
        need_scope(sandbox, _TYPE_SCOPES[kind])
    archived = not arguments.flag("exclude_archived")
    everything = sandbox.workspace.channels.values()
    return [channel for channel in everything if channel.kind in kinds and (archived or not channel.archived)]


def listed(sandbox: Sandbox, channels: list[Channel], arguments: Arguments) -> Answer:
    page, metadata = page_of(channels, arguments)
    workspace = sandbox.workspace
    return {
        "channels": [channel_json(channel, workspace.bot_user_id, workspace.team_id) for channel in page],
        "response_metadata": metadata,
    }
