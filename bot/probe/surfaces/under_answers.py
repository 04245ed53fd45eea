"""What stands under answers, pressed by people who may not read them: thumbs, passages, sources, "Ask again"."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.probe.casting import GUEST, OUTSIDER, PLAIN, Actor
from bot.probe.scene import Ask, Scene
from bot.probe.staging import MIXED
from bot.sandbox.seen import SeenMessage
from bot.slack.answer_views import BAD, FEEDBACK, REASON_VIEW, SHOW_AROUND, WORDS

DIRECT = "@ostiary"
SECRETS_TRIED = 8
WRONG = ("0", "-1", "9" * 18, "9" * 400, "", "null", "x")


def buttons_under(messages: Sequence[SeenMessage]) -> Iterator[tuple[SeenMessage, Mapping[str, Any]]]:
    """All that can be pressed in these messages, as a click would send it; thumbs as two."""
    for message in messages:
        for block in message.blocks:
            for element in block.get("elements", ()):
                if element.get("type") == "feedback_buttons":
                    for side in ("positive_button", "negative_button"):
                        value = element[side]["value"]
                        yield message, {"block_id": block.get("block_id", "b"), **element, "value": value}
                elif element.get("action_id"):
                    yield message, {"block_id": block.get("block_id", "b"), **element}


async def under_answers(scene: Scene) -> None:
    """Readers ask; strangers press what stands under the answers, there and under a message of their own."""
    (mixed,) = scene.stage.of_kind(MIXED)
    told = [canary for canary in scene.canaries if canary.topic in scene.stage.readers]
    for canary in scene.rng.sample(told, min(scene.share(SECRETS_TRIED), len(told))):
        reader = scene.stage.readers[canary.topic]
        asks = [Ask(reader, canary.question)]
        asks += [Ask(reader, canary.question, mixed)] if reader in mixed.members else []
        asked = await scene.ask(asks)
        heard = [scene.heard_by(reader, message.channel_id, after=message.ts) for message in asked]
        await _pressed_by_others(scene, list(buttons_under([one for said in heard for one in said])))
    await _numbers(scene)


async def _pressed_by_others(scene: Scene, found: Sequence[tuple[SeenMessage, Mapping[str, Any]]]) -> None:
    for actor in (scene.cast.called(why) for why in (PLAIN, GUEST, OUTSIDER)):
        own = await scene.visitor.dm(actor.user_id, "Hello.")
        for message, button in found:
            await scene.forge(actor, message.channel_id, message.ts, button)
            await scene.forge(actor, own.channel_id, own.ts, button)
            await _close_windows(scene, actor)


async def _numbers(scene: Scene) -> None:
    """Passages and answers by any number: the first hundred of each, and none that is one."""
    actor = scene.cast.called(PLAIN)
    own = await scene.visitor.dm(actor.user_id, "Hello.")
    numbers = [*WRONG, *(str(n) for n in scene.rng.sample(range(1, 101), scene.share(40)))]
    for number in numbers:
        for action_id, value in ((f"{SHOW_AROUND}_1", number), (FEEDBACK, f"{BAD}:{number}")):
            button = {"type": "button", "block_id": "b", "action_id": action_id, "value": value}
            await scene.forge(actor, own.channel_id, own.ts, button)
            await _close_windows(scene, actor)


async def _close_windows(scene: Scene, actor: Actor) -> None:
    """Whoever is asked for a reason gives one; windows are shut, so that the next can open."""
    for view in scene.visitor.views_open_for(actor.user_id):
        if view.callback_id == REASON_VIEW:
            await scene.visitor.submit_view(actor.user_id, view.id, {WORDS: "Why?"})
            await scene.settle()
    scene.server.sandbox.views.clear(actor.user_id)
