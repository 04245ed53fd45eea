"""Beyond Slack: the other side of the workspace's wall, the log, and the figures for Prometheus."""

from prometheus_client import generate_latest
from sqlalchemy import text

from auth.database import WORKSPACE
from auth.rights import rights_of
from bot.probe.scene import Scene
from bot.probe.surfaces.asking import SWEEPS

PEOPLE_ASKED = 20
_SOMEBODY = text(
    f"SELECT slack_user_id FROM auth.person WHERE workspace_id = {WORKSPACE} AND active ORDER BY id LIMIT :most"
)


async def other_workspace(scene: Scene) -> None:
    """The real workspace's people look for what stands in the shadow, under the rights that they really have."""
    async with scene.database.writing_in(scene.real_workspace_id) as connection:
        rows = await connection.execute(_SOMEBODY, {"most": PEOPLE_ASKED})
        people = [row.slack_user_id for row in rows]
    for user_id in people:
        rights = await rights_of(scene.database, scene.real_workspace_id, user_id)
        if rights is None:
            continue
        canary = scene.rng.choice(scene.canaries)
        for question in (canary.question, *SWEEPS):
            found = await scene.assistant.library.passages(question, rights.clearance)
            said = [part for p in found for part in (p.title, p.text, p.url or "", *p.heading_path)]
            scene.judge.public(scene.surface, "another workspace", said)
            scene.tally.tried += 1


async def log_and_figures(scene: Scene) -> None:
    """What was logged during the whole probe, errors with their texts, and what Prometheus is told."""
    scene.judge.public(scene.surface, "the log", scene.logged.lines)
    scene.judge.public(scene.surface, "the figures for Prometheus", [generate_latest().decode()])
    scene.tally.tried += len(scene.logged.lines) + 1
