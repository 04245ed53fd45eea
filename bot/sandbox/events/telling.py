"""The gate through which every event goes: is the app subscribed, and has it the scope?"""

from __future__ import annotations

import secrets
from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.delivery import Deliveries
from bot.sandbox.events.subscriptions import SUBSCRIPTIONS
from bot.sandbox.slack_app import VERIFICATION_TOKEN, SlackApp
from bot.sandbox.workspace import Workspace


class Telling:
    def __init__(self, workspace: Workspace, deliveries: Deliveries, scopes: set[str], app: SlackApp) -> None:
        self._workspace = workspace
        self._deliveries = deliveries
        self._scopes = scopes
        self._slack_app = app

    @property
    def subscriptions(self) -> set[str]:
        return self._slack_app.subscriptions

    def _now(self) -> str:
        return self._workspace.stamps.next()

    def _app_is_in(self, channel: Channel) -> bool:
        return self._workspace.bot_user_id in channel.members

    def _send(self, subscription: str, channel: Channel | None, event: dict[str, Any]) -> None:
        scope = SUBSCRIPTIONS[subscription]
        if channel is not None and scope == "channels:read":
            scope = f"{channel.scope_family}:read"
        if subscription not in self.subscriptions or (scope and scope not in self._scopes):
            return
        if not self._slack_app.is_installed(self._workspace.team_id):
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
            "token": VERIFICATION_TOKEN,
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
