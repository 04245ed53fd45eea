"""What is left of a right that is gone: follow-ups, old buttons, answers in the making, people who left."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import text

from auth.database import WORKSPACE
from bot.probe.canaries import Canary
from bot.probe.casting import SPARE, Actor, with_roles, without_roles
from bot.probe.patience import until
from bot.probe.ruling import admits, roles_held
from bot.probe.scene import Ask, Scene
from bot.probe.shadow import give, take
from bot.probe.staging import ALONE, MIXED
from bot.probe.surfaces.sharing import offers
from bot.probe.surfaces.under_answers import buttons_under
from bot.slack.views import SHARE_ANSWER

SECRETS_TRIED = 12
FOLLOW_UPS = ("And its number once more, please?", "What did you tell me here before?")
_IS_ACTIVE = text(
    f"SELECT active FROM auth.person WHERE workspace_id = {WORKSPACE} AND slack_user_id = :user_id"
)


def opening(scene: Scene, actor: Actor, canary: Canary) -> list[str]:
    """Roles that would let this person read the canary; none where nothing would."""
    for clause in canary.policies[0].split(","):
        roles = [role for role in clause.split("+") if role[0] != "!"]
        stance = with_roles(actor.stance, roles)
        held = roles_held(stance, scene.cast.rules, datetime.now(UTC))
        if not scene.may_read(actor, canary) and admits(canary.policies[0], held):
            return roles
    return []


def _tried(scene: Scene, actor: Actor) -> list[tuple[Canary, list[str]]]:
    found = [(canary, roles) for canary in scene.canaries if (roles := opening(scene, actor, canary))]
    most = min(scene.share(SECRETS_TRIED), len(found))
    return scene.rng.sample(found, most)


async def _open(scene: Scene, actor: Actor, roles: list[str]) -> None:
    for role in roles:
        await give(scene.database, scene.workspace_id, actor, role)
    actor.stance = with_roles(actor.stance, roles)


async def _close(scene: Scene, actor: Actor, roles: list[str]) -> None:
    """What was seen until now was seen by right: it is looked at before the right goes."""
    _look_at(scene, actor)
    for role in roles:
        await take(scene.database, scene.workspace_id, actor, role)
    actor.stance = without_roles(actor.stance, roles)


def _look_at(scene: Scene, actor: Actor) -> None:
    scene.judge.look(scene.surface)
    scene.judge.look_over_the_shoulder(scene.surface, [actor])


async def after_a_revocation(scene: Scene) -> None:
    """Read something, lose the right, and go on where one was."""
    actor = scene.cast.called(f"{SPARE} 2")
    (mixed,) = scene.stage.of_kind(MIXED)
    for canary, roles in _tried(scene, actor):
        await _open(scene, actor, roles)
        in_dm, in_thread = await scene.ask([Ask(actor, canary.question), Ask(actor, canary.question, mixed)])
        shown = offers(scene.heard_by(actor, mixed.channel_id, after=in_thread.ts), SHARE_ANSWER)
        under = list(buttons_under(scene.heard_by(actor, in_dm.channel_id, after=in_dm.ts)))
        await _close(scene, actor, roles)
        for message, button in [*shown, *under]:
            await scene.forge(actor, message.channel_id, message.ts, button)
        scene.server.sandbox.views.clear(actor.user_id)
        await scene.ask(
            [
                Ask(actor, canary.question),
                Ask(actor, canary.question, mixed, in_thread.ts),
                *(Ask(actor, words, None, in_dm.ts) for words in FOLLOW_UPS),
                *(Ask(actor, words, mixed, in_thread.ts) for words in FOLLOW_UPS),
            ]
        )


async def while_it_is_answered(scene: Scene) -> None:
    """The right goes, or a stranger comes, when the answer is made and not yet sent."""
    if scene.parrot is None:
        scene.not_there.append("what changes while an answer is made (needs an answerer that can be held)")
        return
    actor = scene.cast.called(f"{SPARE} 3")
    (mixed,) = scene.stage.of_kind(MIXED)
    for canary, roles in _tried(scene, actor):
        for meeting in (None, mixed):
            await _open(scene, actor, roles)
            ask = Ask(actor, canary.question, meeting)
            await _meanwhile(scene, ask, lambda roles=roles: _close(scene, actor, roles))  # type: ignore[misc]
    for meeting in scene.stage.of_kind(ALONE)[: scene.share(SECRETS_TRIED)]:
        assert meeting.about is not None
        reader, other = meeting.members[0], scene.stage.others[meeting.about.topic]

        async def come_in(other: Actor = other, channel_id: str = meeting.channel_id) -> None:
            await scene.visitor.invite(channel_id, other.user_id)
            scene.judge.excuse(other)

        await _meanwhile(scene, Ask(reader, meeting.about.question, meeting), come_in)


async def _meanwhile(scene: Scene, ask: Ask, change: Callable[[], Awaitable[None]]) -> None:
    """Post, let the answer be made up to its wording, change something, let it go on."""
    assert scene.parrot is not None
    scene.parrot.hold()
    try:
        asked = await scene.post(ask)
        await until(lambda: _is_waiting(scene), "an answer to be worded")
        await change()
    finally:
        scene.parrot.go_on()
    await scene.settle([asked.ts])
    scene.judge.look(scene.surface)


async def _is_waiting(scene: Scene) -> bool:
    return scene.parrot is not None and scene.parrot.waiting > 0


async def somebody_deactivated(scene: Scene) -> None:
    """An account is taken away while its question is answered; its old buttons are pressed afterwards."""
    actor = scene.cast.called(f"{SPARE} 4")
    found = _tried(scene, actor)
    if not found:
        return
    canary, roles = found[0]
    (mixed,) = scene.stage.of_kind(MIXED)
    await _open(scene, actor, roles)
    (asked,) = await scene.ask([Ask(actor, canary.question, mixed)])
    shown = offers(scene.heard_by(actor, mixed.channel_id, after=asked.ts), SHARE_ANSWER)
    _look_at(scene, actor)
    if scene.parrot is not None:
        await _meanwhile(scene, Ask(actor, canary.question), lambda: _deactivate(scene, actor))
    else:
        await _deactivate(scene, actor)
    for message, button in shown:
        await scene.forge(actor, mixed.channel_id, message.ts, button)


async def _deactivate(scene: Scene, actor: Actor) -> None:
    await scene.visitor.deactivate(actor.user_id)
    await until(lambda: _is_gone(scene, actor), "the directory to hear that somebody is gone")
    actor.stance = replace(actor.stance, active=False)


async def _is_gone(scene: Scene, actor: Actor) -> bool:
    async with scene.database.writing_in(scene.workspace_id) as connection:
        return (await connection.execute(_IS_ACTIVE, {"user_id": actor.user_id})).scalar() is False
