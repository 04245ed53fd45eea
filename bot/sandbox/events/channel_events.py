"""Channels: who comes and goes, with whom they are shared, what becomes of them."""

from __future__ import annotations

from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.events.telling import Telling


class ChannelEvents(Telling):
    def membership(self, kind: str, user_id: str, channel: Channel, inviter: str | None = None) -> None:
        """`kind` is member_joined_channel or member_left_channel. The app hears of its own moves too."""
        if not self._app_is_in(channel) and user_id != self._workspace.bot_user_id:
            return
        event: dict[str, Any] = {
            "type": kind,
            "user": user_id,
            "channel": channel.channel_id,
            "channel_type": "C" if channel.kind == "channel" else "G",
            "team": self._workspace.team_of(user_id),
            "event_ts": self._now(),
        }
        if inviter is not None:
            event["inviter"] = inviter
        self._send(kind, channel, event)

    def sharing(self, kind: str, channel: Channel, team_id: str) -> None:
        """`kind` is channel_shared or channel_unshared; `team_id` the other team."""
        if not self._app_is_in(channel):
            return
        event: dict[str, Any] = {"type": kind, "channel": channel.channel_id}
        if kind == "channel_shared":
            event["connected_team_id"] = team_id
        else:
            event |= {"previously_connected_team_id": team_id, "is_ext_shared": channel.shared}
        self._send(kind, channel, event | {"event_ts": self._now()})

    def renamed(self, channel: Channel) -> None:
        named = {
            "id": channel.channel_id,
            "is_channel": channel.kind == "channel",
            "is_mpim": channel.kind == "mpim",
            "name": channel.name,
            "name_normalized": channel.name,
            "created": channel.created,
        }
        self._became("rename", channel, {"channel": named})

    def archived(self, channel: Channel, by: str) -> None:
        self._became("archive", channel, {"channel": channel.channel_id, "user": by, "is_moved": 0})

    def unarchived(self, channel: Channel, by: str) -> None:
        who = "user" if channel.kind == "channel" else "actor_id"  # Slack is not of one mind here
        self._became("unarchive", channel, {"channel": channel.channel_id, who: by})

    def deleted(self, channel: Channel, by: str) -> None:
        when = {"date_deleted": int(self._workspace.clock())} if channel.kind == "group" else {}
        self._became("deleted", channel, {"channel": channel.channel_id, "actor_id": by, **when})

    def _became(self, what: str, channel: Channel, event: dict[str, Any]) -> None:
        """Slack names the event after the kind of channel: channel_rename, group_rename."""
        if not self._app_is_in(channel):
            return
        family = "channel" if channel.kind == "channel" else "group"
        kind = f"{family}_{what}"
        self._send(kind, channel, {"type": kind, **event, "event_ts": self._now()})
