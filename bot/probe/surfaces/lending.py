"""Asking somebody who may know, and what the owners of a collection are asked: pressed by all the wrong people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.probe.canaries import Canary
from bot.probe.casting import GUEST, OUTSIDER, PLAIN, SPARE, Actor, with_roles, without_roles
from bot.probe.copying import CopiedCollection
from bot.probe.scene import Ask, Scene
from bot.probe.shadow import take
from bot.probe.surfaces.sharing import offers
from bot.sandbox.seen import SeenMessage
from bot.slack.views import ASK_OWNER, DECLINE, LEND

DIRECT = "@ostiary"


async def lending(scene: Scene) -> None:
    """For each collection that lends: asked, forged, declined, lent, and taken away again."""
    for collection in scene.cast.rules.collections:
        canary = next((c for c in scene.canaries if c.policies == (collection.policy,)), None)
        if collection.owner_role and collection.lent_role and canary is not None:
            await _declined(scene, collection, canary)
            await _lent(scene, collection, canary)


async def _pass_on(scene: Scene, asker: Actor, question: str) -> None:
    """Ask, and press the button under the refusal."""
    (asked,) = await scene.ask([Ask(asker, question)])
    refusals = offers(scene.heard_by(asker, DIRECT, after=asked.ts), ASK_OWNER)
    for message, _ in refusals:
        await scene.press(asker, message.ts, DIRECT, ASK_OWNER)


def _requests(scene: Scene, owner: Actor) -> list[tuple[SeenMessage, Mapping[str, Any]]]:
    return offers(scene.heard_by(owner, DIRECT), LEND)


def _owners(scene: Scene, collection: CopiedCollection) -> list[Actor]:
    now = datetime.now(UTC)
    return [
        actor
        for actor in scene.cast.actors
        if actor.is_member and collection.owner_role in scene.cast.roles(actor, now)
    ]


async def _declined(scene: Scene, collection: CopiedCollection, canary: Canary) -> None:
    """Whoever asks, and strangers, press the owners' buttons; then an owner declines."""
    asker = scene.cast.called(PLAIN)
    await _pass_on(scene, asker, canary.question)
    for owner in _owners(scene, collection)[:1]:
        for message, button in _requests(scene, owner):
            for actor in (asker, scene.cast.called(GUEST), scene.cast.called(OUTSIDER)):
                await scene.forge(actor, message.channel_id, message.ts, button)
                await scene.forge(actor, message.channel_id, message.ts, {**button, "action_id": DECLINE})
            await scene.ask([Ask(asker, canary.question)])
            await scene.press(owner, message.ts, DIRECT, DECLINE)
    await scene.ask([Ask(asker, canary.question)])


async def _lent(scene: Scene, collection: CopiedCollection, canary: Canary) -> None:
    """Somebody is lent the role, reads, and loses it again: the old button brings nothing back."""
    asker, lent = scene.cast.called(f"{SPARE} 1"), collection.lent_role or ""
    await _pass_on(scene, asker, canary.question)
    owners = [owner for owner in _owners(scene, collection) if owner is not asker]
    for owner in owners[:1]:
        for message, button in _requests(scene, owner)[-1:]:
            asker.stance = with_roles(asker.stance, [lent])
            await scene.press(owner, message.ts, DIRECT, LEND)
            await scene.ask([Ask(asker, canary.question)])
            scene.judge.look_over_the_shoulder(scene.surface, [asker])
            await take(scene.database, scene.workspace_id, asker, lent)
            asker.stance = without_roles(asker.stance, [lent])
            await scene.forge(owner, message.channel_id, message.ts, button)
            await scene.ask([Ask(asker, canary.question)])
