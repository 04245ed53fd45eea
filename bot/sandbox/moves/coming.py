"""Coming into conversations and leaving them."""

from __future__ import annotations

from bot.sandbox.channels import Channel
from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.people import Person
from bot.sandbox.seen import SeenView, see_view


class Coming(Finding):
    """Moves of a person who looks in, joins or goes, and of whoever brings them."""

    async def open_dm(self, person: str) -> None:
        """Look into the direct message with the bot: app_home_opened, tab messages."""
        self._sandbox.events.home_opened(self.who(person).user_id, self._direct(person), "messages", None)

    async def open_home(self, person: str) -> SeenView | None:
        """Look at the bot's home tab; returns what is there now."""
        view = self._sandbox.views.home(self.who(person).user_id)
        shape = self._sandbox.views.json(view) if view else None
        self._sandbox.events.home_opened(self.who(person).user_id, self._direct(person), "home", shape)
        return see_view(view, shape) if view and shape else None

    async def look_at(self, person: str, channel: str | None) -> None:
        """Go to a channel with the agent pane open beside it, or (None) to nothing: app_context_changed.

        What they write to the bot from then on says where they were.
        """
        reader = self.who(person)
        place = self.where(person, channel) if channel is not None else None
        self._workspace.looking_at[reader.user_id] = place.channel_id if place else ""
        self._sandbox.events.context_changed(reader.user_id, self._direct(person))

    async def stop_answer(self, person: str, channel: str, thread_ts: str) -> None:
        """Press the stop button of a session at work: its streams end, and agent_session_stopped."""
        actor, place = self._present(person, "stop anything"), self.where(person, channel)
        session = self._workspace.sessions.get((place.channel_id, thread_ts))
        heard = "agent_session_stopped" in self._sandbox.events.subscriptions
        if session is None or not session.stoppable or not heard:
            raise VisitorError(f"{actor.name} sees no stop button in {channel}, thread {thread_ts}.")
        replies = self._workspace.histories[place.channel_id].replies(thread_ts)
        growing = [message for message in replies if self._workspace.is_streaming(message)]
        for message in growing:
            message.stream = "stopped"
        self._sandbox.events.session_stopped(
            actor.user_id, place, thread_ts, [message.ts for message in growing]
        )
        self._workspace.changes.ring()

    async def join(self, person: str, channel: str) -> None:
        joiner, place = self.who(person), self.where(person, channel)
        if place.kind != "channel" or not joiner.is_full_member:
            raise VisitorError(f"{joiner.name} cannot join #{place.name} without an invitation.")
        self._admit(joiner, place)

    async def invite(self, channel: str, person: str, by: str | None = None) -> None:
        """Bring a person or the bot into a channel; `by` whom, if not by the first person in it."""
        place, guest = self._channel(channel), self._present(person, "be invited")
        others = (user for user in place.members if self._workspace.people[user].kind != "bot")
        inviter = self.who(by).user_id if by else next(others, None)
        self._admit(guest, place, inviter if inviter != guest.user_id else None)

    def _admit(self, person: Person, channel: Channel, inviter: str | None = None) -> None:
        if person.user_id in channel.members:
            return
        channel.members.append(person.user_id)
        self._sandbox.events.membership("member_joined_channel", person.user_id, channel, inviter)
        self._workspace.changes.ring()

    async def leave(self, person: str, channel: str) -> None:
        leaver, place = self.who(person), self._channel(channel)
        if leaver.user_id not in place.members:
            raise VisitorError(f"{leaver.name} is not in {channel}.")
        place.members.remove(leaver.user_id)
        self._sandbox.events.membership("member_left_channel", leaver.user_id, place)
        self._workspace.changes.ring()
