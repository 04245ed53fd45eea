"""Questions where others listen: in every kind of conversation, at its top and in threads."""

from collections.abc import Awaitable, Callable, Iterator

from bot.probe.canaries import Canary
from bot.probe.casting import UNKNOWN, Actor
from bot.probe.scene import Ask, Scene
from bot.probe.staging import GROUP, MIXED, PUBLIC, Meeting

ASKED_PER_KIND = 300


def in_meetings(kind: str) -> Callable[[Scene], Awaitable[None]]:
    """The surface that is made of all meetings of a kind."""

    async def ask_there(scene: Scene) -> None:
        for number, meeting in enumerate(meetings := scene.stage.of_kind(kind)):
            share = ASKED_PER_KIND // len(meetings) if number < ASKED_PER_KIND else 0
            await _ask_in(scene, meeting, max(share, 4))

    return ask_there


async def with_somebody_unknown(scene: Scene) -> None:
    """Somebody sits there of whom neither the directory nor Slack can say who it is."""
    for kind in (PUBLIC, MIXED, GROUP):
        for meeting in scene.stage.of_kind(kind)[:3]:
            members = scene.server.sandbox.workspace.channels[meeting.channel_id].members
            members.append(UNKNOWN.user_id)
            try:
                await _ask_in(scene, meeting, ASKED_PER_KIND // 9)
            finally:
                members.remove(UNKNOWN.user_id)


async def _ask_in(scene: Scene, meeting: Meeting, most: int) -> None:
    """Whoever may read a secret asks, for the widest answer; somebody who may not; and whoever is a stranger."""
    root = await scene.visitor.post(meeting.members[0].user_id, meeting.channel_id, "Good to see you all.")
    canaries = [meeting.about] if meeting.about else scene.canaries
    by_readers: list[Ask] = []
    by_others: list[Ask] = []
    for canary in canaries:
        for actor in _askers(scene, meeting, canary):
            asks = by_readers if scene.may_read(actor, canary) else by_others
            asks += [Ask(actor, canary.question, meeting, thread) for thread in (None, root.ts)]
    most = min(most, scene.limits.asks)
    first = scene.some(by_readers, most * 2 // 3)  # there is most to be let slip
    await scene.ask([*first, *scene.some(by_others, most - len(first))])


def _askers(scene: Scene, meeting: Meeting, canary: Canary) -> Iterator[Actor]:
    there = [actor for actor in meeting.members if actor.may_write]
    reader, other = scene.stage.readers.get(canary.topic), scene.stage.others[canary.topic]
    if reader in there:
        yield reader
    if other in there:
        yield other
    yield from (actor for actor in there[-1:] if actor not in (reader, other))
