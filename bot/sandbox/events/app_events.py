"""What happens to the app itself: looked at, stopped, its tokens taken away."""

from __future__ import annotations

from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.events.telling import Telling


class AppEvents(Telling):
    def home_opened(self, user_id: str, channel: Channel, tab: str, view: dict[str, Any] | None) -> None:
        event: dict[str, Any] = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": channel.channel_id,
            "tab": tab,
            "event_ts": self._now(),
        }
        if view is not None:
            event["view"] = view
        if entities := self._workspace.entities_before(user_id):
            event["context"] = {"entities": entities}
        self._send("app_home_opened", channel, event)

    def context_changed(self, user_id: str, direct: Channel) -> None:
        """Somebody with the agent pane open looks at something else."""
        entities = self._workspace.entities_before(user_id)
        event = {
            "type": "app_context_changed",
            "user": user_id,
            "channel": direct.channel_id,
            "context": {"entities": entities} if entities else {},
            "event_ts": self._now(),
        }
        self._send("app_context_changed", direct, event)

    def session_stopped(self, user_id: str, channel: Channel, thread_ts: str, streams: list[str]) -> None:
        """`streams`: the time stamps of the messages that were growing when the button was pressed."""
        event = {
            "type": "agent_session_stopped",
            "channel": channel.channel_id,
            "thread_ts": thread_ts,
            "user": user_id,
            "streaming_message_ts": streams,
            "event_ts": self._now(),
        }
        self._send("agent_session_stopped", channel, event)

    def tokens_revoked(self, bot_user_ids: list[str], user_ids: list[str]) -> None:
        """User ids, as Slack says it: never the tokens themselves."""
        self._send(
            "tokens_revoked",
            None,
            {"type": "tokens_revoked", "tokens": {"oauth": user_ids, "bot": bot_user_ids}},
        )

    def uninstalled(self) -> None:
        self._send("app_uninstalled", None, {"type": "app_uninstalled"})
