"""Channels as they are now, and as `conversations.info` shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

ChannelKind = Literal["channel", "group", "im", "mpim"]


@dataclass
class Channel:
    channel_id: str
    name: str
    kind: ChannelKind
    members: list[str] = field(default_factory=list)  # user ids, in order of joining
    topic: str = ""
    archived: bool = False
    connected: list[str] = field(default_factory=list)  # ids of the other teams in it (Slack Connect)
    pending: list[str] = field(default_factory=list)  # ids of teams that were invited and have not come yet
    host: str = ""  # the team that offers it to the others; empty: the workspace itself
    created: int = 1_700_000_000
    previous_names: list[str] = field(default_factory=list)

    @property
    def shared(self) -> bool:
        return bool(self.connected)

    @property
    def private(self) -> bool:
        return self.kind != "channel"

    @property
    def scope_family(self) -> str:
        """The word that Slack's scopes use for this kind: channels:read, groups:read, im:read, mpim:read."""
        return {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}[self.kind]


def channel_json(channel: Channel, viewer: str, team_id: str) -> dict[str, Any]:
    """The `channel` object of Slack's Web API, as `viewer` (a user id) sees it."""
    if channel.kind == "im":
        return _direct_message_json(channel, viewer)
    return {
        "id": channel.channel_id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind in ("group", "mpim"),
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.private,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "is_shared": channel.shared,
        "is_org_shared": False,
        "is_ext_shared": channel.shared,
        "is_pending_ext_shared": bool(channel.pending),
        "pending_shared": list(channel.pending),
        "pending_connected_team_ids": list(channel.pending),
        "shared_team_ids": [team_id, *channel.connected],
        "internal_team_ids": [team_id] if channel.shared else [],
        "connected_team_ids": list(channel.connected),
        "conversation_host_id": (channel.host or team_id) if channel.shared else "",
        "context_team_id": team_id,
        "creator": "",
        "unlinked": 0,
        "is_member": viewer in channel.members,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": list(channel.previous_names),
        "num_members": len(channel.members),
    }


def _direct_message_json(channel: Channel, viewer: str) -> dict[str, Any]:
    others = [member for member in channel.members if member != viewer]
    return {
        "id": channel.channel_id,
        "created": channel.created,
        "is_archived": False,
        "is_im": True,
        "is_org_shared": False,
        "user": others[0] if others else viewer,
        "is_user_deleted": False,
        "is_open": True,
        "priority": 0,
    }
