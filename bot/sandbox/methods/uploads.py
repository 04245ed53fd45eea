"""files.*: what was shared with the bot, and what it shares."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.files import StoredFile
from bot.sandbox.messages import Message
from bot.sandbox.methods.places import check_thread, writable_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import stored_file_json


def bot_may_read(sandbox: Sandbox, stored: StoredFile) -> bool:
    """Its own, one that was shared where it is, or one that was handed to it in a modal."""
    bot = sandbox.workspace.bot_user_id
    channels = (sandbox.workspace.channels.get(channel_id) for channel_id in stored.shared_in)
    return (
        stored.user_id == bot
        or stored.given_to_app
        or any(channel and bot in channel.members for channel in channels)
    )


@method("files.info", "files:read", tier=4)
def file_info(sandbox: Sandbox, arguments: Arguments) -> Answer:
    file_id, files = arguments.required("file"), sandbox.workspace.files
    stored = files.get(file_id) or files.deleted(file_id)
    if stored is None or not bot_may_read(sandbox, stored):
        raise SlackError("file_not_found")  # Slack does not tell the two apart
    if stored.deleted:
        raise SlackError("file_deleted")
    return {"file": stored_file_json(sandbox.workspace, stored), "comments": [], "response_metadata": {}}


@method("files.getUploadURLExternal", "files:write", tier=4)
def upload_url(sandbox: Sandbox, arguments: Arguments) -> Answer:
    workspace = sandbox.workspace
    length = arguments.whole("length", 0)
    if length <= 0:
        raise SlackError("missing_argument")
    now = int(sandbox.clock())
    stored = workspace.files.add(arguments.required("filename"), b"", workspace.bot_user_id, now)
    ticket = workspace.files.issue_ticket(stored.file_id, length)
    return {
        "upload_url": f"{workspace.base_url}files/upload/{workspace.team_id}/{ticket}",
        "file_id": stored.file_id,
    }


@method("files.completeUploadExternal", "files:write", tier=4)
def complete_upload(sandbox: Sandbox, arguments: Arguments) -> Answer:
    uploaded = [_titled(sandbox, entry) for entry in arguments.json("files") or []]
    if not uploaded:
        raise SlackError("invalid_arguments", messages=["missing required field: files"])
    for channel_id in arguments.several("channels") or arguments.several("channel_id"):
        channel = writable_channel(sandbox, channel_id)
        message = Message(
            sandbox.workspace.stamps.next(),
            channel.channel_id,
            sandbox.workspace.bot_user_id,
            arguments.text("initial_comment"),
            thread_ts=check_thread(sandbox, channel, arguments.text("thread_ts")),
            by_bot=True,
            subtype="file_share",
            files=[stored.file_id for stored in uploaded],
        )
        sandbox.posting.publish(message)
    return {"files": [stored_file_json(sandbox.workspace, stored) for stored in uploaded]}


def _titled(sandbox: Sandbox, entry: dict[str, str]) -> StoredFile:
    stored = sandbox.workspace.files.get(str(entry.get("id")))
    if stored is None or not stored.content:
        raise SlackError("file_not_found")
    stored.title = entry.get("title") or stored.name
    return stored
