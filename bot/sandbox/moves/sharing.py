"""What becomes of channels: shared with other companies, made private, opened among a few."""

from __future__ import annotations

from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.finding import Finding, VisitorError
from bot.sandbox.messages import Message
from bot.sandbox.seed import MOST_IN_GROUP_DM, OTHER_TEAM

_CONVERTED = {
    "group": "made this channel *private*. Now, it can only be viewed or joined by invitation.",
    "channel": "made this channel *public*. Any member in this workspace can see and join it.",
}


class Sharing(Finding):
    """Moves of whoever looks after channels."""

    async def offer_channel(self, channel: str, team: str = OTHER_TEAM) -> None:
        """Invite another company into a channel: it is pending until `share_channel`. No event."""
        place = self._channel(channel)
        if team not in (*place.connected, *place.pending):
            place.pending.append(team)
        self._workspace.changes.ring()

    async def share_channel(
        self, channel: str, team: str = OTHER_TEAM, *, hosted_by_them: bool = False
    ) -> None:
        """Connect a channel with another company: channel_shared. Its people come in by `invite`.

        In a channel that the others host, the outer `team_id` of events is theirs.
        """
        place = self._channel(channel)
        if team == self._workspace.team_id:
            raise VisitorError(f"#{place.name} belongs to {team} already; share it with another team.")
        if team in place.connected:
            raise VisitorError(f"#{place.name} is shared with {team} already.")
        place.connected.append(team)
        place.pending = [waiting for waiting in place.pending if waiting != team]
        place.host = team if hosted_by_them else place.host
        self._sandbox.events.sharing("channel_shared", place, team)
        self._workspace.changes.ring()

    async def unshare_channel(self, channel: str, team: str = OTHER_TEAM) -> None:
        """Part from another company: its people are gone from the channel, and channel_unshared is all."""
        place = self._channel(channel)
        if team not in place.connected:
            raise VisitorError(f"#{place.name} is not shared with {team}.")
        place.connected.remove(team)
        place.host = "" if place.host == team else place.host
        place.members[:] = [user for user in place.members if self._workspace.team_of(user) != team]
        self._sandbox.events.sharing("channel_unshared", place, team)
        self._workspace.changes.ring()

    async def make_private(self, channel: str, by: str | None = None) -> None:
        """A public channel turns private and keeps its id: a message of subtype channel_convert_to_private."""
        self._convert(channel, "channel", "group", by)

    async def make_public(self, channel: str, by: str | None = None) -> None:
        """A private channel turns public and keeps its id: a message of subtype channel_convert_to_public."""
        self._convert(channel, "group", "channel", by)

    async def rename_channel(self, channel: str, name: str, by: str | None = None) -> None:
        """The channel gets another name and keeps its id: channel_rename, and a message that says so."""
        place = self._channel(channel)
        if self._workspace.find_channel(name):
            raise VisitorError(f"There is a channel #{name} already.")
        author, old = self.who(by).user_id if by else self._first_human(place), place.name
        place.name = name
        place.previous_names.append(old)
        words = f'has renamed the channel from "{old}" to "{name}"'
        self._announce(place, author, "channel_name", words, name=name, old_name=old)
        self._sandbox.events.renamed(place)

    async def archive_channel(self, channel: str, by: str | None = None) -> None:
        """Nobody can write there from now on: channel_archive, group_archive for a private one."""
        place = self._channel(channel)
        author = self.who(by).user_id if by else self._first_human(place)
        self._announce(place, author, "channel_archive", "archived the channel")
        place.archived = True
        self._sandbox.events.archived(place, author)
        self._workspace.changes.ring()

    async def unarchive_channel(self, channel: str, by: str | None = None) -> None:
        place = self._channel(channel)
        author = self.who(by).user_id if by else self._first_human(place)
        place.archived = False
        self._sandbox.events.unarchived(place, author)
        self._workspace.changes.ring()

    async def delete_channel(self, channel: str, by: str | None = None) -> None:
        """The channel and all that was said in it are gone: channel_deleted, group_deleted."""
        place = self._channel(channel)
        author = self.who(by).user_id if by else self._first_human(place)
        self._sandbox.events.deleted(place, author)
        self._workspace.forget_channel(place.channel_id)

    def _announce(self, place: Channel, author: str, subtype: str, words: str, **more: str) -> None:
        ts = self._workspace.stamps.next()
        message = Message(ts, place.channel_id, author, words, subtype=subtype, more=more)
        self._sandbox.posting.publish(message)

    def _convert(self, channel: str, before: ChannelKind, after: ChannelKind, by: str | None) -> None:
        place = self._channel(channel)
        if place.kind != before:
            raise VisitorError(f"#{place.name} is {'private' if place.private else 'public'} already.")
        author = self.who(by).user_id if by else self._first_human(place)
        place.kind = after
        subtype = f"channel_convert_to_{'private' if after == 'group' else 'public'}"
        self._announce(place, author, subtype, _CONVERTED[after])

    def _first_human(self, channel: Channel) -> str:
        humans = [user for user in channel.members if self._workspace.people[user].kind != "bot"]
        if not humans:
            raise VisitorError(f"Nobody is in #{channel.name}; say by whom it is done.")
        return humans[0]

    async def open_group_dm(self, *people: str) -> str:
        """Open the direct message of these people and the bot; returns its id. Its members never change."""
        users = list(dict.fromkeys(self._present(person, "talk").user_id for person in people))
        if not 2 <= len(users) < MOST_IN_GROUP_DM:
            raise VisitorError(
                f"A group direct message has 2 to {MOST_IN_GROUP_DM - 1} people beside the bot, not {len(users)}."
            )
        channel = self._workspace.open_group_dm(users)
        self._workspace.changes.ring()
        return channel.channel_id
