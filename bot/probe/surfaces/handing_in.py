"""/ingest: by people who may not, and by those who may, with the very content of a secret that they may not read.

Whoever hands a file in has it; what they must not learn is that it is there already, or what it is called there.
"""

from bot.probe.canaries import Canary, new_canary
from bot.probe.casting import ADMIN, ADMINISTRATOR, FLAGGED, GUEST, PLAIN, Actor
from bot.probe.scene import Scene
from bot.probe.staging import PUBLIC, SHORTCUTS
from bot.probe.surfaces.sharing import offers
from bot.sandbox.visitor import NewFile
from bot.slack.views import CHOOSE_READERS

DIRECT = "@ostiary"
HANDED_IN = 4


async def handing_in(scene: Scene) -> None:
    (public,) = scene.stage.of_kind(PUBLIC)
    for why in (PLAIN, FLAGGED, GUEST):
        actor = scene.cast.called(why)
        place = public.channel_id if actor.is_member else DIRECT
        await scene.command(actor, place, "/ingest", "The canteen opens at noon.")
        await _send_file(scene, actor, new_canary("nobody", scene.rng))
    await _known_already(scene)
    await _others_requests(scene)
    await _shortcuts(scene)


async def _known_already(scene: Scene) -> None:
    """The same content again, by an administrator who may not read it, and content that nobody knows."""
    administrator = scene.cast.called(ADMINISTRATOR)
    closed = [c for c in scene.canaries if not scene.may_read(administrator, c)]
    for canary in scene.rng.sample(closed, min(scene.share(HANDED_IN), len(closed))):
        again = scene.known_by(canary, ADMIN)
        denied = await _hand_in(scene, administrator, again)
        fresh = new_canary(ADMIN, scene.rng)
        missing = await _hand_in(scene, administrator, fresh)
        scene.equal("handing in what is known", _masked(denied, again), _masked(missing, fresh))


async def _send_file(scene: Scene, actor: Actor, canary: Canary) -> str:
    """A file in a direct message; the ts of the message that brought it."""
    file = NewFile(canary.file_name, canary.content)
    sent = await scene.visitor.dm(actor.user_id, "", files=[file])
    await scene.settle_files(sent)
    scene.tally.tried += 1
    scene.judge.look(scene.surface)
    return sent.ts


async def _hand_in(scene: Scene, actor: Actor, canary: Canary) -> list[str]:
    """All that the bot says to somebody who sends a file and chooses its readers."""
    sent = await _send_file(scene, actor, canary)
    for message, _ in offers(scene.heard_by(actor, DIRECT, after=sent), CHOOSE_READERS)[-1:]:
        await scene.press(actor, message.ts, DIRECT, CHOOSE_READERS)
        for view in scene.visitor.views_open_for(actor.user_id)[-1:]:
            await scene.visitor.submit_view(actor.user_id, view.id, {"readers": [ADMIN], "rule": "any"})
            await scene.settle()
            scene.tally.tried += 1
            scene.judge.look(scene.surface)
    return [message.plain for message in scene.heard_by(actor, DIRECT, after=sent)]


def _masked(said: list[str], canary: Canary) -> list[str]:
    for number, mark in enumerate(canary.marks):
        said = [words.replace(mark, f"<{number}>") for words in said]
    return said


async def _others_requests(scene: Scene) -> None:
    """A modal of one's own, sent off with the number of somebody else's request in it."""
    administrator = scene.cast.called(ADMINISTRATOR)
    (public,) = scene.stage.of_kind(PUBLIC)
    await scene.command(administrator, public.channel_id, "/ingest", "The canteen closes at two.")
    for view in scene.visitor.views_open_for(administrator.user_id)[-1:]:
        body = scene.server.sandbox.views.find(view.id).body
        own = str(body["private_metadata"])
        for forged in (*(str(number) for number in range(1, 6)), f"{own} 1.000001", "0", "x", "9" * 30):
            body["private_metadata"] = forged
            await scene.visitor.submit_view(
                administrator.user_id, view.id, {"title": "Canteen", "readers": [ADMIN], "rule": "any"}
            )
            await scene.settle()
            scene.tally.tried += 1
            scene.judge.look(scene.surface)
            if not scene.visitor.views_open_for(administrator.user_id):
                return


async def _shortcuts(scene: Scene) -> None:
    """What stands in the menu of every message: for those who may not, and on what the bot itself said."""
    (public,) = scene.stage.of_kind(PUBLIC)
    for why in (PLAIN, FLAGGED, GUEST):
        actor = scene.cast.called(why)
        place = public.channel_id if actor in public.members else DIRECT
        message = await scene.visitor.post(actor.user_id, place, "The canteen opens at noon.")
        for callback_id in SHORTCUTS:
            await _choose(scene, actor, message.ts, place, callback_id)
    administrator = scene.cast.called(ADMINISTRATOR)
    for message in scene.visitor.visible_to(administrator.user_id, DIRECT)[-2:]:
        await _choose(scene, administrator, message.ts, DIRECT, SHORTCUTS[0])


async def _choose(scene: Scene, actor: Actor, ts: str, place: str, callback_id: str) -> None:
    await scene.visitor.shortcut(actor.user_id, ts, place, callback_id)
    for view in scene.visitor.views_open_for(actor.user_id)[-1:]:
        await scene.visitor.submit_view(actor.user_id, view.id, {"readers": [ADMIN]})
    await scene.rest()
    scene.tally.tried += 1
    scene.judge.look(scene.surface)
