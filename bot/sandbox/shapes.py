"""How messages and files look on the wire."""

from __future__ import annotations

from typing import Any

from bot.sandbox.files import StoredFile, file_json
from bot.sandbox.messages import Message
from bot.sandbox.people import Person, user_json
from bot.sandbox.workspace import SLACKBOT, Workspace

_ONLY_INFO = ("channels", "groups", "ims")  # where a file is shared, only files.info says


def message_json(workspace: Workspace, message: Message, *, all_metadata: bool = False) -> dict[str, Any]:
    """The `message` object, as history, replies and events carry it."""
    shape: dict[str, Any] = {
        "type": "message",
        "user": message.user_id,
        "text": message.text,
        "ts": message.ts,
        "team": workspace.team_of(message.user_id),
        **_shared_marks(workspace, message),
        **message.more,
    }
    if message.blocks:
        shape["blocks"] = message.blocks
    if message.subtype:
        shape["subtype"] = message.subtype
    if message.client_msg_id:
        shape["client_msg_id"] = message.client_msg_id
    shape |= _app_marks(workspace, message)
    if message.edited:
        shape["edited"] = message.edited
    if message.files:
        shape["files"] = _files_json(workspace, message)
    if message.reactions:
        shape["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if message.metadata and all_metadata:
        shape["metadata"] = message.metadata
    if message.username:  # an old integration: a name in place of a user
        shape |= {"username": message.username, "bot_id": f"B{message.user_id[1:]}", "icons": {}}
        del shape["user"], shape["team"]
    if message.broadcast and not message.by_bot:
        shape.pop("team", None)  # as Slack does
    return shape | _thread_marks(workspace, message)


def person_json(workspace: Workspace, person: Person) -> dict[str, Any]:
    """The `user` object, as the app may know this person."""
    return user_json(person, workspace.bot_id, workspace.app_id, stranger=workspace.is_stranger(person))


def email_of(workspace: Workspace, person: Person) -> str:
    """Nobody's real address: the domain is one that is never given out. An app is told it by its owner only."""
    return f"{person.handle}@{workspace.domain}.example"


def _shared_marks(workspace: Workspace, message: Message) -> dict[str, Any]:
    """In a channel that is shared between companies every message says whose people wrote it."""
    author = workspace.people.get(message.user_id)
    if author is None or not workspace.channels[message.channel_id].shared:
        return {}
    marks: dict[str, Any] = {"user_team": author.team_id, "source_team": author.team_id}
    if author.team_id != workspace.team_id:
        marks["user_profile"] = {
            "real_name": author.name,
            "display_name": author.handle,
            "name": author.handle,
            "team": author.team_id,
            "is_restricted": False,
            "is_ultra_restricted": False,
        }
    return marks


def _files_json(workspace: Workspace, message: Message) -> list[dict[str, Any]]:
    """The files of a message; in a shared channel only their ids, for files.info to say the rest."""
    if workspace.channels[message.channel_id].shared:
        bare = {"mode": "file_access", "file_access": "check_file_info", "created": 0, "timestamp": 0}
        return [{"id": file_id, "user": "", **bare} for file_id in message.files]
    files = (shared_file_json(workspace, file_id) for file_id in message.files)
    return [{name: value for name, value in file.items() if name not in _ONLY_INFO} for file in files]


def _app_marks(workspace: Workspace, message: Message) -> dict[str, Any]:
    """Which app wrote it, ours or another; none for people."""
    if message.by_bot:
        return bot_marks(workspace)
    author = workspace.people.get(message.user_id)
    if author is None or author.kind != "bot":
        return {}
    return marks_of_app(workspace, author, f"B{author.user_id[1:]}", f"A{author.user_id[1:]}")


def bot_marks(workspace: Workspace) -> dict[str, Any]:
    return marks_of_app(workspace, workspace.bot, workspace.bot_id, workspace.app_id)


def marks_of_app(workspace: Workspace, bot: Person, bot_id: str, app_id: str) -> dict[str, Any]:
    return {
        "bot_id": bot_id,
        "app_id": app_id,
        "bot_profile": {
            "id": bot_id,
            "app_id": app_id,
            "name": bot.name,
            "deleted": False,
            "updated": bot.updated,
            "team_id": workspace.team_id,
            "icons": {"image_36": "", "image_48": "", "image_72": ""},
        },
    }


def _thread_marks(workspace: Workspace, message: Message) -> dict[str, Any]:
    if message.is_reply:
        root = workspace.histories[message.channel_id].get(message.thread_ts or "")
        marks: dict[str, Any] = {"thread_ts": message.thread_ts}
        if root is None:
            return marks
        if message.broadcast:
            return marks | {"subtype": "thread_broadcast", "root": message_json(workspace, root)}
        return marks | {"parent_user_id": root.user_id}
    replies = workspace.histories[message.channel_id].replies(message.ts)
    if not replies:
        return {}
    people = list(dict.fromkeys(reply.user_id for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": people,
        "reply_users_count": len(people),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
    }


def shared_file_json(workspace: Workspace, file_id: str) -> dict[str, Any]:
    stored = workspace.files.get(file_id)
    if stored is None:
        return {"id": file_id, "mode": "tombstone"}
    return stored_file_json(workspace, stored)


def stored_file_json(workspace: Workspace, stored: StoredFile) -> dict[str, Any]:
    kinds: dict[str, str] = {channel.channel_id: channel.kind for channel in workspace.channels.values()}
    return file_json(stored, workspace.base_url, workspace.team_id, kinds)


def author_name(workspace: Workspace, message: Message) -> str:
    return "Slackbot" if message.user_id == SLACKBOT else workspace.person_name(message.user_id)
