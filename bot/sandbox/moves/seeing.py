"""What a person sees."""

from __future__ import annotations

from bot.sandbox.channels import Channel
from bot.sandbox.finding import Finding
from bot.sandbox.seen import SeenMessage, SeenStatus, SeenView, see_message, see_view


class Seeing(Finding):
    """Looking, without a trace."""

    def visible_to(self, person: str, channel: str, thread_ts: str | None = None) -> tuple[SeenMessage, ...]:
        """The channel's top level, or one thread with its root; the person's own ephemerals included."""
        reader, place = self.who(person), self.where(person, channel)
        history = self._workspace.histories[place.channel_id]
        whispers = [m for m in self._workspace.ephemerals[place.channel_id] if m.only_for == reader.user_id]
        if thread_ts is None:
            shown = [*history.top_level(), *(m for m in whispers if not m.thread_ts)]
        else:
            root = history.get(thread_ts)
            roots = [root] if root else []
            shown = [*roots, *history.replies(thread_ts), *(m for m in whispers if m.thread_ts == thread_ts)]
        return tuple(see_message(self._workspace, m) for m in sorted(shown, key=lambda m: m.ts))

    def conversation(
        self, person: str, channel: str, thread_ts: str | None = None
    ) -> tuple[SeenMessage, ...]:
        """The same; of a direct message with the bot all of it: the pane shows its threads as sessions."""
        shown = list(self.visible_to(person, channel, thread_ts))
        if thread_ts is None and self.where(person, channel).kind == "im":
            for root in [message for message in shown if message.reply_count]:
                shown += self.visible_to(person, channel, root.ts)[1:]
        return tuple(sorted(shown, key=lambda message: message.ts))

    def views_open_for(self, person: str) -> tuple[SeenView, ...]:
        """The stack of modals, topmost last."""
        stack = self._sandbox.views.stack(self.who(person).user_id)
        return tuple(see_view(view, self._sandbox.views.json(view)) for view in stack)

    def home_of(self, person: str) -> SeenView | None:
        home = self._sandbox.views.home(self.who(person).user_id)
        return see_view(home, self._sandbox.views.json(home)) if home else None

    def statuses(self, person: str) -> tuple[SeenStatus, ...]:
        reader = self.who(person)
        return tuple(
            SeenStatus(status.channel_id, status.thread_ts, status.text, status.loading_messages)
            for status in self._workspace.live_statuses()
            if self._workspace.may_read(reader.user_id, self._workspace.channels[status.channel_id])
        )

    def prompts(self, person: str) -> tuple[dict[str, str], ...]:
        """What the app suggests to ask in the direct message; until it says so, what its manifest suggests."""
        told = tuple(self._workspace.pane(self._direct(person).channel_id, "").prompts)
        return told or tuple({"title": t, "message": m} for t, m in self._workspace.seed.prompts)

    def channels_of(self, person: str) -> tuple[Channel, ...]:
        """The channels a person can look into, the direct message left out."""
        reader = self.who(person)
        return tuple(c for c in self._workspace.readable_channels(reader.user_id) if c.kind != "im")
