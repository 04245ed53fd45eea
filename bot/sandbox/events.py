"""What Slack tells the app: one event per thing that happened and that the app may hear of."""

from __future__ import annotations

import secrets
from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.delivery import Deliveries
from bot.sandbox.groups import Group, subteam_json
from bot.sandbox.messages import Message
from bot.sandbox.people import Person
from bot.sandbox.shapes import message_json, person_json
from bot.sandbox.workspace import Workspace

# Subscription -> the scope without which Slack does not send it. For what happens to a channel it is the one
# that its kind needs: groups:read where the table says channels:read and the channel is private.
SUBSCRIPTIONS = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.mpim": "mpim:history",
    "app_home_opened": "",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_shared": "channels:read",
    "channel_unshared": "channels:read",
    "team_join": "users:read",
    "user_change": "users:read",
    "subteam_created": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}
_MESSAGE_SUBSCRIPTION = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


class Events:
    def __init__(self, workspace: Workspace, deliveries: Deliveries, scopes: set[str]) -> None:
        self._workspace = workspace
        self._deliveries = deliveries
        self._scopes = scopes
        self.subscriptions = set(SUBSCRIPTIONS)

    def message_posted(self, message: Message) -> None:
        channel = self._workspace.channels[message.channel_id]
        if not self._app_is_in(channel):
            return
        body = message_json(self._workspace, message)
        where = {"channel": channel.channel_id, "event_ts": message.ts}
        mention = f"<@{self._workspace.bot_user_id}>" in message.text
        if mention and channel.kind != "im" and not message.by_bot:
            self._send("app_mention", channel, body | where | {"type": "app_mention"})
        self._send_message(channel, body | where)

    def message_changed(self, message: Message, before: dict[str, Any]) -> None:
        channel = self._workspace.channels[message.channel_id]
        self._send_hidden(
            channel,
            {
                "subtype": "message_changed",
                "message": message_json(self._workspace, message),
                "previous_message": before,
            },
        )

    def message_deleted(self, message: Message) -> None:
        channel = self._workspace.channels[message.channel_id]
        before = message_json(self._workspace, message)
        self._send_hidden(
            channel, {"subtype": "message_deleted", "previous_message": before, "deleted_ts": message.ts}
        )

    def _send_hidden(self, channel: Channel, change: dict[str, Any]) -> None:
        if not self._app_is_in(channel):
            return
        ts = self._workspace.stamps.next()
        head = {"type": "message", "hidden": True, "channel": channel.channel_id, "ts": ts, "event_ts": ts}
        self._send_message(channel, head | change)

    def _send_message(self, channel: Channel, event: dict[str, Any]) -> None:
        event["channel_type"] = channel.kind
        self._send(_MESSAGE_SUBSCRIPTION[channel.kind], channel, event)

    def home_opened(self, user_id: str, channel: Channel, tab: str, view: dict[str, Any] | None) -> None:
        event: dict[str, Any] = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": channel.channel_id,
            "tab": tab,
            "event_ts": self._workspace.stamps.next(),
        }
        if view is not None:
            event["view"] = view
        self._send("app_home_opened", channel, event)

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
            "event_ts": self._workspace.stamps.next(),
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
        self._send(kind, channel, event | {"event_ts": self._workspace.stamps.next()})

    def person(self, kind: str, person: Person) -> None:
        """`kind` is team_join or user_change."""
        ts = self._workspace.stamps.next()
        user = person_json(self._workspace, person)
        event: dict[str, Any] = {"type": kind, "user": user, "event_ts": ts}
        if kind == "user_change":
            event["cache_ts"] = person.updated
        self._send(kind, None, event)

    def group(self, kind: str, group: Group) -> None:
        """`kind` is subteam_created or subteam_updated."""
        users = self._workspace.active_members(group)
        subteam = subteam_json(group, users, self._workspace.team_id)
        self._send(kind, None, {"type": kind, "subteam": subteam, "event_ts": self._workspace.stamps.next()})

    def group_members(self, group: Group, previous_update: int, added: list[str], removed: list[str]) -> None:
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group.group_id,
            "team_id": self._workspace.team_id,
            "date_previous_update": previous_update,
            "date_update": group.updated,
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
            "event_ts": self._workspace.stamps.next(),
        }
        self._send("subteam_members_changed", None, event)

    def reaction(self, kind: str, user_id: str, name: str, message: Message) -> None:
        """`kind` is reaction_added or reaction_removed."""
        channel = self._workspace.channels[message.channel_id]
        if not self._app_is_in(channel):
            return
        item = {"type": "message", "channel": channel.channel_id, "ts": message.ts}
        event = {"type": kind, "user": user_id, "reaction": name, "item": item, "item_user": message.user_id}
        self._send(kind, channel, event | {"event_ts": self._workspace.stamps.next()})

    def _app_is_in(self, channel: Channel) -> bool:
        return self._workspace.bot_user_id in channel.members

    def _send(self, subscription: str, channel: Channel | None, event: dict[str, Any]) -> None:
        scope = SUBSCRIPTIONS[subscription]
        if channel is not None and scope == "channels:read":
            scope = f"{channel.scope_family}:read"
        if subscription not in self.subscriptions or (scope and scope not in self._scopes):
            return
        self._deliveries.send_event(self._outer(event, channel))

    def _outer(self, event: dict[str, Any], channel: Channel | None) -> dict[str, Any]:
        workspace = self._workspace
        installed = {
            "enterprise_id": None,
            "team_id": workspace.team_id,
            "user_id": workspace.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        place = f"-{channel.channel_id}" if channel else ""
        return {
            "token": "sandbox",
            "team_id": (channel and channel.host) or workspace.team_id,  # as Slack does: the host's, not ours
            "context_team_id": workspace.team_id,
            "context_enterprise_id": None,
            "api_app_id": workspace.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + secrets.token_hex(5).upper(),
            "event_time": int(workspace.clock()),
            "authorizations": [installed],
            "is_ext_shared_channel": bool(channel and channel.shared),
            "event_context": f"4-{event['type']}-{workspace.team_id}{place}",
        }
