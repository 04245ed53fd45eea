"""The workspace itself: who is in it, where they talk, what was said."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.sandbox.changes import Changes
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.files import FileStore
from bot.sandbox.groups import Group
from bot.sandbox.messages import History, Message, TimeStamps
from bot.sandbox.people import Person, person_from
from bot.sandbox.seed import OTHER_TEAM, ChannelSeed, PersonSeed, WorkspaceSeed
from bot.sandbox.sessions import Session

STATUS_SECONDS = 120.0  # assistant.threads.setStatus is forgotten after two minutes
STREAM_SECONDS = 300.0  # Slack ends a stream after about five minutes
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True)
class Status:
    channel_id: str
    thread_ts: str
    text: str
    loading_messages: tuple[str, ...]
    since: float


@dataclass
class Pane:
    """What the agent pane of a thread or a direct message shows beside the messages."""

    title: str = ""
    prompts: list[dict[str, str]] = field(default_factory=list)
    prompts_title: str = ""


class Workspace:
    """State only: no sockets, no HTTP. Every change that can be seen rings `changes`."""

    def __init__(self, seed: WorkspaceSeed, clock: Callable[[], float], app_id: str) -> None:
        self.seed = seed
        self.clock = clock
        self.team_id = seed.team_id
        self.domain = seed.name.lower().replace(" ", "-")
        self.app_id = app_id
        self.bot_id = f"B0{seed.team_id[1:]}"
        self.base_url = ""  # known once the server listens
        self.changes = Changes()
        self.stamps = TimeStamps(clock)
        self.files = FileStore()
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.histories: dict[str, History] = {}
        self.ephemerals: dict[str, list[Message]] = {}
        self.statuses: dict[tuple[str, str], Status] = {}
        self.panes: dict[tuple[str, str], Pane] = {}
        self.sessions: dict[tuple[str, str], Session] = {}  # by channel and thread
        self.looking_at: dict[str, str] = {}  # user id -> the channel beside the agent pane
        self.stream_seconds = STREAM_SECONDS
        self.bot_user_id = self._populate()
        self.groups = {
            group.group_id: Group(
                group.group_id, group.handle, group.name, [self._seeded(handle) for handle in group.members]
            )
            for group in seed.groups
        }

    def _populate(self) -> str:
        for seed in self.seed.people:
            self.add_person(seed)
        bot = self.find_person(self.seed.bot_name)
        if bot is None:
            bot = self.add_person(
                PersonSeed(
                    f"U0BOT{self.team_id[1:]}",
                    self.seed.bot_name,
                    self.seed.bot_name,
                    "Assistant",
                    kind="bot",
                )
            )
        for place in self.seed.channels:
            self.add_channel(self._channel_from(place))
        self.bot_user_id = bot.user_id
        for person in self.people.values():
            if person.kind != "bot":
                self.open_direct_message(person.user_id)
        return bot.user_id

    def _channel_from(self, place: ChannelSeed) -> Channel:
        kind: ChannelKind = "group" if place.private else "channel"
        teams = place.connected_teams or ((OTHER_TEAM,) if place.shared else ())
        return Channel(
            place.channel_id,
            place.name,
            "mpim" if place.group_dm else kind,
            [self._seeded(handle) for handle in place.members],
            place.topic,
            place.archived,
            list(teams),
            list(place.pending_teams),
        )

    def _seeded(self, handle: str) -> str:
        person = self.find_person(handle)
        assert person is not None, f"the seed was checked for {handle}"
        return person.user_id

    def add_person(self, seed: PersonSeed) -> Person:
        person = person_from(seed, self.team_id)
        self.people[person.user_id] = person
        return person

    def add_channel(self, channel: Channel) -> Channel:
        self.channels[channel.channel_id] = channel
        self.histories.setdefault(channel.channel_id, History())
        self.ephemerals.setdefault(channel.channel_id, [])
        return channel

    def forget_channel(self, channel_id: str) -> None:
        """Take a channel away with all that was said, and is going on, in it."""
        del self.channels[channel_id], self.histories[channel_id], self.ephemerals[channel_id]
        for going_on in (self.statuses, self.panes, self.sessions):
            for key in [key for key in going_on if key[0] == channel_id]:
                del going_on[key]
        self.changes.ring()

    @property
    def bot(self) -> Person:
        return self.people[self.bot_user_id]

    def find_person(self, who: str) -> Person | None:
        """By user id or by handle, with or without its @."""
        if who in self.people:
            return self.people[who]
        handle = who.removeprefix("@")
        return next((person for person in self.people.values() if person.handle == handle), None)

    def find_channel(self, which: str) -> Channel | None:
        """By id or by name, with or without its #."""
        if which in self.channels:
            return self.channels[which]
        name = which.removeprefix("#")
        return next((c for c in self.channels.values() if c.kind != "im" and c.name == name), None)

    def find_group(self, which: str) -> Group | None:
        """A user group by id or by handle, with or without its @."""
        if which in self.groups:
            return self.groups[which]
        handle = which.removeprefix("@")
        return next((group for group in self.groups.values() if group.handle == handle), None)

    def active_members(self, group: Group) -> list[str]:
        """User ids; whoever is deactivated is in no user group."""
        return [user for user in group.members if not self.people[user].deleted]

    def open_direct_message(self, user_id: str) -> Channel | None:
        """The conversation between a person and the bot; none with the bot itself."""
        if user_id == self.bot_user_id:
            return None
        channel_id = f"D0{user_id[1:]}"
        found = self.channels.get(channel_id)
        return found or self.add_channel(Channel(channel_id, "", "im", [user_id, self.bot_user_id]))

    def open_group_dm(self, user_ids: Sequence[str]) -> Channel:
        """The conversation of exactly these people and the bot; a new one where there is none yet."""
        members = list(dict.fromkeys([*user_ids, self.bot_user_id]))
        for channel in self.channels.values():
            if channel.kind == "mpim" and set(channel.members) == set(members):
                return channel
        handles = "--".join(self.people[member].handle for member in members)
        return self.add_channel(Channel(self.new_id("C"), f"mpdm-{handles}-1", "mpim", members))

    def may_read(self, user_id: str, channel: Channel) -> bool:
        """Members read; full members may look into public channels before they join."""
        if user_id in channel.members:
            return True
        return channel.kind == "channel" and self.people[user_id].is_full_member

    def is_stranger(self, person: Person) -> bool:
        """Of another team, and in no shared channel that the bot is in."""
        if person.team_id == self.team_id:
            return False
        met = (c for c in self.channels.values() if c.shared and self.bot_user_id in c.members)
        return not any(person.user_id in channel.members for channel in met)

    def team_of(self, user_id: str) -> str:
        person = self.people.get(user_id)
        return person.team_id if person else self.team_id

    def readable_channels(self, user_id: str) -> Iterator[Channel]:
        return (channel for channel in self.channels.values() if self.may_read(user_id, channel))

    def message(self, channel_id: str, ts: str) -> Message | None:
        """A lasting message or an ephemeral one."""
        if found := self.histories[channel_id].get(ts):
            return found
        return next((m for m in self.ephemerals[channel_id] if m.ts == ts), None)

    def is_streaming(self, message: Message) -> bool:
        """Growing still: neither ended, nor stopped, nor forgotten by its app."""
        return message.stream == "streaming" and self.clock() - float(message.ts) <= self.stream_seconds

    def entities_before(self, user_id: str) -> list[dict[str, str]]:
        """What somebody looks at beside the agent pane, in the words of Slack's app context."""
        channel = self.channels.get(self.looking_at.get(user_id, ""))
        if channel is None or not self.may_read(user_id, channel):
            return []
        return [
            {"type": "slack#/types/channel_id", "value": channel.channel_id, "team_id": self.team_id},
        ]

    def live_statuses(self) -> list[Status]:
        now = self.clock()
        return [s for s in self.statuses.values() if s.text and now - s.since < STATUS_SECONDS]

    def new_id(self, prefix: str) -> str:
        return prefix + secrets.token_hex(5).upper()

    def person_name(self, user_id: str) -> str:
        if user_id == SLACKBOT:
            return "Slackbot"
        person = self.people.get(user_id)
        return person.name if person else user_id

    def pane(self, channel_id: str, thread_ts: str) -> Pane:
        return self.panes.setdefault((channel_id, thread_ts), Pane())
