"""Finding what a visitor names, and refusing what Slack's own client would not offer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.channels import Channel
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.people import Person
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.views import View


class VisitorError(ValueError):
    """A move that Slack's own client would not offer. The message says why."""


@dataclass(frozen=True)
class NewFile:
    name: str
    content: bytes
    mimetype: str | None = None


class Finding:
    """People by handle or user id; channels by #name or id; `@bot` is the direct message with the bot."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._workspace = sandbox.workspace

    @property
    def bot_user_id(self) -> str:
        return self._workspace.bot_user_id

    def who(self, person: str) -> Person:
        found = self._workspace.find_person(person)
        if found is None:
            raise VisitorError(f"Nobody here is called {person!r}.")
        return found

    def where(self, person: str, channel: str) -> Channel:
        """A conversation the person can look into."""
        reader = self.who(person)
        if channel in (f"@{self._workspace.bot.handle}", self._workspace.bot_user_id):
            return self._direct(person)
        found = self._workspace.find_channel(channel)
        if found is None or not self._workspace.may_read(reader.user_id, found):
            raise VisitorError(f"{reader.name} can see no channel {channel}.")
        return found

    def _channel(self, channel: str) -> Channel:
        """A channel, seen by nobody in particular; direct messages are none."""
        found = self._workspace.find_channel(channel)
        if found is None or found.kind not in ("channel", "group"):
            raise VisitorError(f"There is no channel {channel}.")
        return found

    def _direct(self, person: str) -> Channel:
        found = self._workspace.open_direct_message(self.who(person).user_id)
        if found is None:
            raise VisitorError("The bot has no direct message with itself.")
        return found

    def _names(self) -> tuple[dict[str, str], dict[str, str]]:
        people = {person.handle: person.user_id for person in self._workspace.people.values()}
        channels = {
            c.name: c.channel_id for c in self._workspace.channels.values() if c.kind in ("channel", "group")
        }
        return people, channels

    def _present(self, person: str, move: str) -> Person:
        """Somebody who can sign in. `move` says what a deactivated person cannot do."""
        found = self.who(person)
        if found.deleted:
            raise VisitorError(f"{found.name} is deactivated and cannot {move}.")
        return found

    def _check_may_write(self, author: Person, place: Channel) -> None:
        self._present(author.user_id, "write")
        if author.user_id not in place.members:
            raise VisitorError(f"{author.name} is not in #{place.name}; join it first.")
        if place.archived:
            raise VisitorError(f"#{place.name} is archived; nobody can write there.")

    def _thread_root(self, place: Channel, thread_ts: str | None) -> str | None:
        if thread_ts is None:
            return None
        root = self._workspace.histories[place.channel_id].get(thread_ts)
        if root is None:
            raise VisitorError(f"There is no message {thread_ts} to reply to.")
        return root.thread_ts if root.is_reply else root.ts

    def _lasting(self, person: str, channel: str, ts: str) -> Message:
        """A message that stays, in a conversation that the person can look into."""
        message = self._workspace.histories[self.where(person, channel).channel_id].get(ts)
        if message is None:
            raise VisitorError(f"{self.who(person).name} sees no message {ts} in {channel}.")
        return message

    def _own(self, person: str, channel: str, ts: str) -> Message:
        author, place = self.who(person), self.where(person, channel)
        message = self._workspace.histories[place.channel_id].get(ts)
        if message is None or message.user_id != author.user_id:
            raise VisitorError(f"{author.name} has written no message {ts} here.")
        return message

    def _view(self, person: str, view_id: str) -> View:
        try:
            view = self._sandbox.views.find(view_id)
        except SlackError:
            view = None
        if view is None or view.user_id != self.who(person).user_id:
            raise VisitorError(f"{self.who(person).name} has no view {view_id} open.")
        return view
