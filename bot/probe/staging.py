"""Where the synthetic people meet: every kind of conversation there is, and a sandbox workspace with them in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast as typed

from bot.probe.canaries import Canary
from bot.probe.casting import GONE, GUEST, OUTSIDER, ROBOT, Actor, Cast
from bot.sandbox.seed import ChannelSeed, GroupSeed, PersonKind, PersonSeed, WorkspaceSeed

BOT = "ostiary"
COMMANDS = ("/ingest", "/roles", "/access", "/docs", "/answers", "/audit")
SHORTCUTS = ("add_message", "add_thread")
PAIRS_AT_MOST = 60
PUBLIC, PUBLIC_GUEST, MIXED = "a public channel", "a public channel with a guest", "a private channel of all"
PRIVATE_GUEST, SHARED = "a private channel with a guest", "a shared channel with an outsider"
SHARED_PUBLIC, WITH_APP = "a public shared channel", "a private channel with another app"
WITH_GONE, GROUP = "a private channel with somebody deactivated", "a group direct message"
PAIR, ALONE = "a private channel of a reader and another", "a private channel of one reader"
KEPT_IN_SHADOW = (PUBLIC, MIXED, PAIR, GROUP)


@dataclass(frozen=True)
class Meeting:
    """A conversation: its kind in words, and who is in it beside the bot. `about`: the canary it is made for."""

    channel_id: str
    name: str
    kind: str
    members: tuple[Actor, ...]
    about: Canary | None = None

    @property
    def is_public(self) -> bool:
        return self.kind in (PUBLIC, PUBLIC_GUEST, SHARED_PUBLIC)

    @property
    def is_shared(self) -> bool:
        return self.kind in (SHARED, SHARED_PUBLIC)


@dataclass(frozen=True)
class Stage:
    """All conversations but the direct messages, and for each canary who may read it and who may not."""

    meetings: tuple[Meeting, ...]
    readers: dict[str, Actor]
    others: dict[str, Actor]

    def of_kind(self, kind: str) -> list[Meeting]:
        return [meeting for meeting in self.meetings if meeting.kind == kind]


def build_stage(cast: Cast, canaries: Sequence[Canary], now: datetime) -> Stage:
    """Topic -> a member who may read it, where there is one, and topic -> one who may not."""
    members = [actor for actor in cast.actors if actor.is_member]
    readers, others = {}, {}
    for canary in canaries:
        may = [actor for actor in members if cast.may_read(actor, canary.policies, now)]
        may_not = [actor for actor in members if actor not in may]
        if may:
            readers[canary.topic] = may[-1]  # the more special stand later
        others[canary.topic] = may_not[0] if may_not else cast.called(GUEST)
    meetings = [*_of_all(cast, members), *_of_pairs(canaries, readers, others)]
    return Stage(tuple(meetings), readers, others)


def _of_all(cast: Cast, members: Sequence[Actor]) -> list[Meeting]:
    def with_one(kind: str, why: str) -> tuple[str, tuple[Actor, ...]]:
        return kind, (*members, cast.called(why))

    made = [
        (PUBLIC, tuple(members)),
        (MIXED, tuple(members)),
        with_one(PUBLIC_GUEST, GUEST),
        with_one(PRIVATE_GUEST, GUEST),
        with_one(SHARED, OUTSIDER),
        with_one(SHARED_PUBLIC, OUTSIDER),
        with_one(WITH_APP, ROBOT),
        with_one(WITH_GONE, GONE),
    ]
    return [
        Meeting(f"C0PROBE{at:03d}", f"probe-{at:03d}", kind, people)
        for at, (kind, people) in enumerate(made, start=1)
    ]


def _of_pairs(
    canaries: Sequence[Canary], readers: dict[str, Actor], others: dict[str, Actor]
) -> list[Meeting]:
    """For each canary a reader of it alone, with one who is not, and with several in a group direct message."""
    found = []
    for at, canary in enumerate([c for c in canaries if c.topic in readers][:PAIRS_AT_MOST]):
        reader, other = readers[canary.topic], others[canary.topic]
        for letter, kind, people in (
            ("A", ALONE, (reader,)),
            ("P", PAIR, (reader, other)),
            ("G", GROUP, (reader, other)),
        ):
            number = f"{letter}{at:03d}"
            found.append(Meeting(f"G0PROBE{number}", f"probe-{number.lower()}", kind, people, canary))
    return found


def seed_for(team_id: str, cast: Cast, stage: Stage) -> WorkspaceSeed:
    """The sandbox workspace, with the sources of roles that the real one has."""
    return WorkspaceSeed(
        team_id=team_id,
        name="Probe",
        people=tuple(_person(actor) for actor in cast.actors),
        channels=(*(_channel(meeting) for meeting in stage.meetings), *_source_channels(cast)),
        bot_name=BOT,
        commands=tuple((name, name, "") for name in COMMANDS),
        shortcuts=tuple((name, name) for name in SHORTCUTS),
        groups=tuple(
            GroupSeed(source.reference, f"group-{place}", source.name, _members(cast, place))
            for place, source in enumerate(cast.rules.sources)
            if source.kind == "user_group"
        ),
    )


def _person(actor: Actor) -> PersonSeed:
    stance = actor.stance
    return PersonSeed(
        user_id=actor.user_id,
        handle=actor.handle,
        name=actor.handle.replace("probe-", "Probe "),
        kind=typed(PersonKind, stance.kind),
        deleted=not stance.active,
        is_admin=stance.is_admin,
        is_owner=stance.is_owner,
    )


def _channel(meeting: Meeting) -> ChannelSeed:
    return ChannelSeed(
        channel_id=meeting.channel_id,
        name=meeting.name,
        private=not meeting.is_public,
        members=(*(actor.handle for actor in meeting.members), BOT),
        shared=meeting.is_shared,
        group_dm=meeting.kind == GROUP,
    )


def _source_channels(cast: Cast) -> list[ChannelSeed]:
    return [
        ChannelSeed(source.reference, f"source-{place}", private=True, members=(*_members(cast, place), BOT))
        for place, source in enumerate(cast.rules.sources)
        if source.kind == "channel"
    ]


def _members(cast: Cast, place: int) -> tuple[str, ...]:
    return tuple(actor.handle for actor in cast.actors if place in actor.stance.sources)
