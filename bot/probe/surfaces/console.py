"""The command line: what `ostiary ask --as` prints, alone and for a channel."""

from auth.channels import audience_of_channel
from auth.rights import audience_clearance, nothing, rights_of
from bot.assistant import Parts
from bot.cli.answers import print_parts
from bot.cli.output import out
from bot.probe.casting import Actor
from bot.probe.scene import Scene
from bot.probe.staging import KEPT_IN_SHADOW, Meeting

ASKED = 40


async def command_line(scene: Scene) -> None:
    """Everybody asks on the command line, as `ostiary ask --as` does it."""
    for kind in (None, *KEPT_IN_SHADOW):
        for meeting in [None] if kind is None else scene.stage.of_kind(kind)[:2]:
            people = meeting.members if meeting else scene.cast.actors
            pairs = [(actor, canary) for actor in people for canary in scene.canaries]
            for actor, canary in scene.rng.sample(pairs, min(scene.share(ASKED), len(pairs))):
                await _ask(scene, actor, canary.question, meeting)


async def _ask(scene: Scene, actor: Actor, question: str, meeting: Meeting | None) -> None:
    rights = await rights_of(scene.database, scene.workspace_id, actor.user_id)
    asker = rights.clearance if rights else nothing(scene.workspace_id)
    audience = asker
    if meeting is not None:
        async with scene.database.writing_in(scene.workspace_id) as connection:
            heard = await audience_of_channel(connection, meeting.name, actor.user_id)
        audience = await audience_clearance(scene.database, scene.workspace_id, heard)
    parts = await scene.assistant.answer_in_place(question, asker, audience)
    scene.tally.tried += 1
    there = meeting.members if meeting else (actor,)
    place = meeting.name if meeting else None
    scene.judge.shown(scene.surface, there, [_printed(Parts(parts.everybody, None), actor.handle, place)])
    scene.judge.shown(scene.surface, [actor], [_printed(Parts(None, parts.asker), actor.handle, place)])


def _printed(parts: Parts, handle: str, place: str | None) -> str:
    """What would stand on the screen. Lines are folded there; the judge reads over that."""
    with out.capture() as captured:
        print_parts(parts, handle, place)
    return captured.get()
