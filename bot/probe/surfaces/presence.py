"""Whether what is denied looks like what is missing: the same words, shape and number, to the same people."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.probe.canaries import Canary, question_about
from bot.probe.casting import GUEST, OUTSIDER, PLAIN, Actor
from bot.probe.marks import new_word
from bot.probe.scene import Ask, Scene
from bot.probe.staging import MIXED, PRIVATE_GUEST, PUBLIC, SHARED, Meeting
from bot.probe.surfaces.sharing import offers
from bot.sandbox.seen import SeenMessage
from bot.slack.views import ASK_OWNER

COMPARED = 40
_IDS = re.compile(r"\b\d+\b")
_KEPT = ("type", "text", "action_id", "style", "elements", "accessory", "fields", "url")


async def denied_and_missing(scene: Scene) -> None:
    """The same question about a register that is closed to the asker, and about one that does not exist."""
    places: list[tuple[str, Meeting | None]] = [(PLAIN, None), (GUEST, None), (OUTSIDER, None)]
    for kind, why in ((PUBLIC, PLAIN), (MIXED, PLAIN), (PRIVATE_GUEST, GUEST), (SHARED, OUTSIDER)):
        places += [(why, meeting) for meeting in scene.stage.of_kind(kind)]
    for why, meeting in places:
        actor = scene.cast.called(why)
        closed = [canary for canary in scene.canaries if not scene.may_read(actor, canary)]
        most = max(scene.share(COMPARED, one_in=2) // len(places), 1)
        for canary in scene.rng.sample(closed, min(most, len(closed))):
            await _compare(scene, actor, meeting, canary)


async def _compare(scene: Scene, actor: Actor, meeting: Meeting | None, canary: Canary) -> None:
    missing = new_word(scene.rng)
    shapes = [
        await _said_to(scene, actor, meeting, question_about(topic), topic)
        for topic in (canary.topic, missing)
    ]
    where = meeting.kind if meeting else "a direct message"
    scene.equal(f"{actor.why} in {where}", *shapes)


async def _said_to(
    scene: Scene, actor: Actor, meeting: Meeting | None, question: str, topic: str
) -> list[object]:
    """All that the bot says on a question, to its asker and to all others there, also when told to pass it on."""
    mark = scene.visitor.journal_mark()
    (asked,) = await scene.ask([Ask(actor, question, meeting)])
    channel = meeting.channel_id if meeting else "@ostiary"
    for message, _ in offers(scene.heard_by(actor, channel, after=asked.ts), ASK_OWNER)[:1]:
        await scene.press(actor, message.ts, channel, ASK_OWNER)
    hearers = [actor, *_strangers(scene, actor, meeting)]
    seen = [_plain(scene.visitor.everything_shown_to(hearer.user_id, mark), topic) for hearer in hearers]
    said = [_shape(message, asked) for message in scene.heard_by(actor, channel, after=asked.ts)]
    return [said, *seen]


def _strangers(scene: Scene, actor: Actor, meeting: Meeting | None) -> list[Actor]:
    """The others there, but for owners of collections: those are told that something may stand in theirs."""
    owning = {collection.owner_role for collection in scene.cast.rules.collections}
    now = datetime.now(UTC)
    others = [other for other in (meeting.members if meeting else ()) if other is not actor]
    return [other for other in others if not owning & scene.cast.roles(other, now)]


def _shape(message: SeenMessage, asked: SeenMessage) -> tuple[object, ...]:
    """A message without what differs from one to the next: times and ids."""
    in_thread = message.thread_ts == asked.ts
    return message.ephemeral, in_thread, message.plain, _outline(message.blocks), bool(message.metadata)


def _outline(tree: object) -> object:
    if isinstance(tree, Mapping):
        return tuple((name, _outline(tree[name])) for name in _KEPT if name in tree)
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return tuple(_outline(part) for part in tree)
    return tree


def _plain(texts: Sequence[str], topic: str) -> list[str]:
    """Words only: what is a number or an id there differs from one message to the next."""
    return sorted({_IDS.sub("#", text).replace(topic, "<topic>") for text in texts if " " in text})
