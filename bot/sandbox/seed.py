"""The people and channels a workspace begins with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

MOST_IN_GROUP_DM = 9
OTHER_TEAM = "T0ELSEWHERE"  # where outsiders come from unless the seed says so
PersonKind = Literal["member", "guest", "single_channel_guest", "outsider", "bot"]


class SeedError(ValueError):
    """The seed of the sandbox workspace contradicts itself."""


@dataclass(frozen=True)
class PersonSeed:
    user_id: str
    handle: str
    name: str
    title: str = ""
    kind: PersonKind = "member"
    deleted: bool = False
    is_admin: bool = False
    is_owner: bool = False
    team_id: str = ""  # empty: the workspace's own, or another one for an outsider

    def __post_init__(self) -> None:
        if self.kind not in get_args(PersonKind):
            raise SeedError(f"{self.handle} has kind {self.kind!r}; use one of {get_args(PersonKind)}.")


@dataclass(frozen=True)
class ChannelSeed:
    channel_id: str
    name: str
    private: bool = False
    members: tuple[str, ...] = ()  # handles
    topic: str = ""
    archived: bool = False
    shared: bool = False  # with another company (Slack Connect)
    connected_teams: tuple[str, ...] = ()  # which ones; empty and shared: the team of outsiders
    pending_teams: tuple[str, ...] = ()  # invited to share it, and not there yet
    group_dm: bool = False  # a direct message of several people; its members never change


@dataclass(frozen=True)
class GroupSeed:
    group_id: str
    handle: str
    name: str
    members: tuple[str, ...] = ()  # handles


@dataclass(frozen=True)
class WorkspaceSeed:
    team_id: str
    name: str
    people: tuple[PersonSeed, ...]
    channels: tuple[ChannelSeed, ...]
    bot_name: str = "ostiary"
    commands: tuple[tuple[str, str, str], ...] = ()  # (name with its slash, description, usage hint)
    shortcuts: tuple[tuple[str, str], ...] = ()  # on messages: (callback id, what the menu says)
    global_shortcuts: tuple[tuple[str, str], ...] = ()  # beside the composer: (callback id, what it says)
    prompts: tuple[tuple[str, str], ...] = ()  # (title, message), as the app's manifest suggests them
    groups: tuple[GroupSeed, ...] = ()
    paid_plan: bool = True  # user groups need one

    def __post_init__(self) -> None:
        _refuse_repeats("user id", (person.user_id for person in self.people))
        _refuse_repeats("handle", (person.handle for person in self.people))
        _refuse_repeats("channel id", (channel.channel_id for channel in self.channels))
        _refuse_repeats("channel name", (channel.name for channel in self.channels))
        for channel in self.channels:
            if channel.group_dm and not 3 <= len(channel.members) <= MOST_IN_GROUP_DM:
                raise SeedError(
                    f"{channel.name} has {len(channel.members)} members; a group direct message "
                    f"has 3 to {MOST_IN_GROUP_DM}."
                )
        handles = {person.handle for person in self.people} | {self.bot_name}
        places: tuple[ChannelSeed | GroupSeed, ...] = (*self.channels, *self.groups)
        for place in places:
            for handle in place.members:
                if handle not in handles:
                    raise SeedError(f"{place.name} has a member {handle!r} who is nobody in the seed.")


def _refuse_repeats(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise SeedError(f"The {what} {value!r} appears twice in the seed; each must be its own.")
        seen.add(value)
