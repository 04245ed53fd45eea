"""The button "Answer here for everybody": pressed by whom it was shown to, by others, and with other values."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.probe.casting import GUEST, OUTSIDER, PLAIN, Actor
from bot.probe.scene import Ask, Scene
from bot.probe.staging import MIXED, PAIR, PRIVATE_GUEST, PUBLIC, SHARED, Meeting
from bot.sandbox.seen import SeenMessage
from bot.slack.views import ASK_OWNER, SHARE_ANSWER

WRONG_VALUES = ("0", "-1", "1 OR 1=1", "9" * 18, "9" * 400, "\u0661\u0662", "", "null", "[1, 2]")
SHARED_PER_KIND = 25


def button_in(message: SeenMessage, action_id: str) -> Mapping[str, Any] | None:
    """The button of a message, as it is."""
    for block in message.blocks:
        for element in block.get("elements", ()):
            if element.get("action_id") == action_id:
                return {"block_id": block.get("block_id", "b"), **element}
    return None


def offers(messages: Sequence[SeenMessage], action_id: str) -> list[tuple[SeenMessage, Mapping[str, Any]]]:
    return [(m, button) for m in messages if (button := button_in(m, action_id)) is not None]


async def shared_answers(scene: Scene) -> None:
    """Ask where not all may read the answer, then press what was shown to the asker alone."""
    for kind in (PUBLIC, MIXED, PRIVATE_GUEST, SHARED, PAIR):
        for meeting in scene.stage.of_kind(kind):
            await _share_in(scene, meeting)


async def _share_in(scene: Scene, meeting: Meeting) -> None:
    canaries = [meeting.about] if meeting.about else scene.canaries
    asks = [
        Ask(reader, canary.question, meeting)
        for canary in canaries
        if (reader := scene.stage.readers.get(canary.topic)) in meeting.members and reader is not None
    ]
    asked = scene.some(asks, scene.share(SHARED_PER_KIND))
    await scene.ask(asked)
    for actor in _askers(asked):
        shown = offers(scene.heard_by(actor, meeting.channel_id), SHARE_ANSWER)
        for message, button in shown[-3:]:
            await _by_others(scene, meeting, message, button)
            await scene.press(actor, message.ts, meeting.channel_id, SHARE_ANSWER)


def _askers(asked: Sequence[Ask]) -> list[Actor]:
    found: list[Actor] = []
    for ask in asked:
        if ask.actor not in found:
            found.append(ask.actor)
    return found


async def _by_others(scene: Scene, meeting: Meeting, message: SeenMessage, button: Mapping[str, Any]) -> None:
    """Somebody else presses it; in another place too."""
    others = [scene.cast.called(why) for why in (PLAIN, GUEST, OUTSIDER)]
    for actor in [*others, *meeting.members[:1]]:
        await scene.forge(actor, meeting.channel_id, message.ts, button)


async def forged_buttons(scene: Scene) -> None:
    """Buttons of people's own with values that name the questions of others, or nothing at all."""
    (mixed,) = scene.stage.of_kind(MIXED)
    actor = scene.cast.called(PLAIN)
    (own,) = await scene.ask([Ask(actor, scene.canaries[0].question)])
    (theirs,) = await scene.ask([Ask(scene.cast.called(GUEST), "What is in the handbook?")])
    question_ids = [str(number) for number in await scene.question_ids()]
    picked = scene.rng.sample(question_ids, min(scene.share(40), len(question_ids)))
    for action_id in (SHARE_ANSWER, ASK_OWNER, "lend_role", "decline_to_lend", "choose_readers"):
        for value in [*WRONG_VALUES, *picked]:
            button = {"type": "button", "block_id": "b", "action_id": action_id, "value": value}
            await scene.forge(actor, own.channel_id, own.ts, button)
    for value in picked[:10]:
        button = {"type": "button", "block_id": "b", "action_id": SHARE_ANSWER, "value": value}
        await scene.forge(scene.cast.called(GUEST), theirs.channel_id, theirs.ts, button)
        said = await scene.visitor.post(actor.user_id, mixed.channel_id, "Hello.")
        await scene.forge(actor, mixed.channel_id, said.ts, button)
