"""A whole probe: found the shadow, plant, let everybody try, judge, and leave nothing behind."""

import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from auth.audit import record
from auth.database import Database
from auth.errors import OstiaryError
from bot import metrics
from bot.assistant import Assistant
from bot.probe.canaries import Canary, new_canary
from bot.probe.casting import Cast, cast_for, with_built_in
from bot.probe.copying import CopiedCollection, Rules, read_rules
from bot.probe.judging import Judge
from bot.probe.listening import listening
from bot.probe.outcome import Outcome, Tried
from bot.probe.parrot import Parrot
from bot.probe.scene import Limits, Scene
from bot.probe.shadow import ACTOR, PREFIX, collect, furnish, plant, shadow_of
from bot.probe.staging import build_stage, seed_for
from bot.probe.surfaces.catalogue import NOT_BUILT, SURFACES, Surface
from bot.queue import QueueSettings
from bot.sandbox.delivery import DeliveryPolicy
from bot.sandbox.server import SandboxServer
from bot.slack.app import slack_client
from bot.slack.service import SlackAccess, connected, identify
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.retriever import Library

QUEUE = QueueSettings(concurrency=8, tries=2, retry_wait_s=1, polling_s=0.5)
PATIENT = DeliveryPolicy(ack_seconds=30.0, retry_delays=())
OWNERS, LENT = "probe-owners", "probe-lent"
PROBED = "probe.run"
"""The kind of event that a probe leaves in the workspace's record."""

Progress = Callable[[str], None]


class ProbeRunning(OstiaryError):
    """Another process probes this database; the message says to wait."""


class NoSuchSurface(OstiaryError):
    """A surface was named that there is none of; the message lists them."""


@dataclass(frozen=True)
class Means:
    """What a probe works with. `assistant_in` opens the real assistant in a workspace; else a parrot answers."""

    database: Database
    embeddings: LocalEmbeddings
    ingestor: Ingestor
    assistant_in: Callable[[int], AbstractAsyncContextManager[Assistant]] | None = None


async def probe(
    means: Means,
    workspace_id: int,
    team_id: str,
    *,
    seed: int = 0,
    limits: Limits | None = None,
    only: Collection[str] = (),
    progress: Progress = lambda _: None,
) -> Outcome:
    """Probe the rules of a workspace and record the outcome in its audit log. Raises ProbeRunning.

    `only`: names of surfaces to try, all of them by default. `seed` decides what is drawn where the `limits`
    do not allow all; the secrets themselves are never the same twice.
    """
    surfaces = _chosen(only)
    async with means.database.sole("ostiary probe") as alone:
        if not alone:
            raise ProbeRunning("Another probe runs on this database. Wait until it has ended.")
        began = time.perf_counter()
        async with _scene(means, workspace_id, team_id, seed, limits or Limits(), progress) as scene:
            await _try_all(scene, surfaces, progress)
            found = _outcome(scene, await scene.questions(), time.perf_counter() - began, seed)
        await _tell(means.database, workspace_id, found)
    return found


def _chosen(only: Collection[str]) -> tuple[Surface, ...]:
    known = {surface.name for surface in SURFACES}
    if unknown := sorted(set(only) - known):
        raise NoSuchSurface(
            f"There is no surface called {', '.join(unknown)}. There are: {', '.join(sorted(known))}."
        )
    return tuple(surface for surface in SURFACES if not only or surface.name in only)


@asynccontextmanager
async def _scene(
    means: Means, real_workspace_id: int, team_id: str, seed: int, limits: Limits, progress: Progress
) -> AsyncIterator[Scene]:
    """The shadow workspace, furnished, planted, and with the bot at its desk in it."""
    rng, now = random.Random(seed), datetime.now(UTC)  # noqa: S311  decides what is tried, not what is secret
    progress("Copying who may read what")
    rules = _with_lending(with_built_in(await read_rules(means.database, real_workspace_id)))
    cast = cast_for(rules, most=limits.people, rng=rng, now=now)
    canaries = [new_canary(policy, random.SystemRandom()) for policy in rules.policies]
    stage = build_stage(cast, canaries, now)
    async with AsyncExitStack() as stack:
        logged = stack.enter_context(listening())
        workspace_id = await stack.enter_async_context(shadow_of(means.database, team_id))
        await furnish(means.database, workspace_id, cast, stage)
        await _plant_all(means, workspace_id, cast, canaries, progress)
        seeded = seed_for(f"{PREFIX}{team_id}", cast, stage)
        server = await stack.enter_async_context(SandboxServer(seeded, delivery=PATIENT))
        parrot = Parrot()
        assistant = Assistant(Library(means.database, means.embeddings), parrot)
        if means.assistant_in is not None:
            assistant = await stack.enter_async_context(means.assistant_in(workspace_id))
        await _connect(stack, means, server, assistant)
        judge = Judge(server, cast, canaries)
        yield Scene(
            means.database, workspace_id, real_workspace_id, server, assistant, means.ingestor,
            cast, stage, canaries, judge, rng, limits, None if means.assistant_in else parrot, logged,
        )  # fmt: skip


async def _connect(stack: AsyncExitStack, means: Means, server: SandboxServer, assistant: Assistant) -> None:
    access = SlackAccess(server.bot_token, server.app_token, server.api_url)
    team = await identify(slack_client(access.bot_token, access.api_url), means.database)
    await stack.enter_async_context(
        connected(
            access,
            means.database,
            team,
            assistant,
            means.ingestor,
            max_document_bytes=2**20,
            queue_settings=QUEUE,
        )
    )
    await server.wait_for_connection()


def _with_lending(rules: Rules) -> Rules:
    """The rules, with a collection of the probe's own that lends: the workspace may have none."""
    own = CopiedCollection("Probe's registers", LENT, OWNERS, LENT, 3600)
    roles = {**rules.roles, OWNERS: "Owns what the probe lends", LENT: "Reads what the probe lends"}
    return replace(
        rules, roles=roles, policies=(LENT, *rules.policies), collections=(*rules.collections, own)
    )


async def _plant_all(
    means: Means, workspace_id: int, cast: Cast, canaries: Sequence[Canary], progress: Progress
) -> None:
    documents: dict[str, list[int]] = {}
    for done, canary in enumerate(canaries):
        progress(f"Planting secrets: {done} of {len(canaries)}")
        policy = canary.policies[0]
        document = await plant(means.database, workspace_id, means.ingestor, canary, policy)
        documents.setdefault(policy, []).append(document)
    await collect(means.database, workspace_id, cast.rules.collections, documents)


async def _try_all(scene: Scene, surfaces: Sequence[Surface], progress: Progress) -> None:
    for surface in surfaces:
        progress(f"Trying {surface.name}: {sum(t.tried for t in scene.tallies.values())} attempts so far")
        scene.surface = surface.name
        await surface.attack(scene)
        scene.judge.look(surface.name)
    scene.judge.look_over_the_shoulder("everything that can be looked up at the end")


def _outcome(scene: Scene, questions: tuple[int, int], seconds: float, seed: int) -> Outcome:
    leaks = tuple(sorted(scene.judge.leaks, key=str))
    named = dict.fromkeys([*scene.tallies, *(leak.surface for leak in leaks)])
    surfaces = []
    for name in named:
        tally = scene.tallies.get(name)
        leaked = sum(leak.surface == name for leak in leaks)
        tried, compared, unequal = (tally.tried, tally.compared, len(tally.unequal)) if tally else (0, 0, 0)
        surfaces.append(Tried(name, tried, leaked, compared, unequal))
    return Outcome(
        surfaces=tuple(surfaces),
        leaks=leaks,
        unequal=tuple(f"{name}: {what}" for name, tally in scene.tallies.items() for what in tally.unequal),
        people=len(scene.cast.actors),
        role_sets_left_out=scene.cast.left_out,
        labels=len(scene.cast.rules.policies),
        secrets=sum(len(canary.marks) for canary in scene.canaries),
        left_out=dict(scene.left_out),
        not_there=(*scene.not_there, *NOT_BUILT),
        readable=sum(_has_a_reader(scene, canary) for canary in scene.canaries),
        reached=len(scene.judge.reached),
        asked=questions[0],
        failed=questions[1],
        seconds=seconds,
        seed=seed,
    )


def _has_a_reader(scene: Scene, canary: Canary) -> bool:
    return any(scene.may_read(actor, canary) for actor in scene.cast.actors)


async def _tell(database: Database, workspace_id: int, found: Outcome) -> None:
    """For Prometheus and for the record: how many, and no word of what."""
    metrics.CANARIES_TRIED.set(found.tried)
    metrics.CANARIES_LEAKED.set(found.leaked)
    async with database.writing_in(workspace_id, ACTOR) as connection:
        await record(connection, PROBED, {"tried": found.tried, "leaked": found.leaked})
