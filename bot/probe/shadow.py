"""The shadow workspace: beside the real one in the same database, behind the same walls, and emptied afterwards."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.channels import Channel, remember_channel
from auth.database import WORKSPACE, Database
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.granting import define_built_in_roles, define_role, grant, revoke
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.sources import SourceKind, map_source
from bot.probe.canaries import Canary
from bot.probe.casting import Actor, Cast
from bot.probe.copying import CopiedCollection
from bot.probe.staging import KEPT_IN_SHADOW, Stage
from retrieval.ingestion import Ingestor, Submission

PREFIX = "PROBE"
ACTOR = "probe"
_OF = f"workspace_id = {WORKSPACE}"
_COLLECT = text(
    "INSERT INTO retrieval.collection (workspace_id, name, label_id, owner_role, lent_role, lent_for_s)"
    f" VALUES ({WORKSPACE}, :name, :label_id, :owner_role, :lent_role, :lent_for_s) RETURNING id"
)
_FILE = text(
    f"UPDATE retrieval.document SET collection_id = :collection_id WHERE {_OF} AND id = ANY(:documents)"
)
_REMOVE = text("SELECT auth.remove_probe(:shadow)")
_SHADOWS = text("SELECT id FROM auth.workspace WHERE team_id LIKE :prefix || '%' ORDER BY id")
# Jobs stand outside the walls of workspaces: each workspace has a queue of its own.
_DROP_JOBS = text(
    "DELETE FROM procrastinate.procrastinate_jobs"
    f" WHERE regexp_replace(queue_name, '^(workspace-[0-9]+)-.*$', '\\1') = 'workspace-' || {WORKSPACE}"
)
# In an order in which nothing points at what is gone. Documents take versions, chunks and vectors with them.
_EMPTY = tuple(
    text(f"DELETE FROM {table} WHERE {_OF}")
    for table in (
        "bot.loan_request",
        "bot.digest",
        "bot.gap_mark",
        "bot.answer",
        "bot.question",
        "bot.ingestion_request",
        "bot.job_note",
        "bot.heard_request",
        "retrieval.source",
        "retrieval.document",
        "retrieval.failure",
        "retrieval.derivation",
        "retrieval.label_count",
        "retrieval.collection",
        'auth."grant"',
        "auth.role_source",
        "auth.person",
        "auth.role_inherits",
        "auth.access_label",
        "auth.role",
        "auth.channel",
    )
)


def is_shadow(team_id: str) -> bool:
    """Whether a workspace is a probe's: Slack's team ids begin with T or E."""
    return team_id.startswith(PREFIX)


@asynccontextmanager
async def shadow_of(database: Database, team_id: str) -> AsyncIterator[int]:
    """The id of an empty workspace for as long as this is open. What a probe that crashed left is removed first."""
    await sweep(database)
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, f"{PREFIX}{team_id}", "Probe")
    try:
        yield workspace_id
    finally:
        await remove(database, workspace_id)


async def sweep(database: Database) -> None:
    """Remove every shadow workspace there is."""
    async with database.registering() as connection:
        shadows = [row.id for row in await connection.execute(_SHADOWS, {"prefix": PREFIX})]
    for workspace_id in shadows:
        await remove(database, workspace_id)


async def remove(database: Database, workspace_id: int) -> None:
    """Take away all that is in it; then its record, which the first step adds to as it commits, and itself."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        await connection.execute(_DROP_JOBS)
        for statement in _EMPTY:
            await connection.execute(statement)
    async with database.registering() as connection:
        await connection.execute(_REMOVE, {"shadow": workspace_id})


async def furnish(database: Database, workspace_id: int, cast: Cast, stage: Stage) -> None:
    """Bring roles, inheritance, people, grants, sources and channels in."""
    rules = cast.rules
    async with database.writing_in(workspace_id, ACTOR) as connection:
        await define_built_in_roles(connection)
        for name, description in rules.roles.items():
            await define_role(connection, name, description)
        for name in sorted({role for role, _ in rules.inherits}):
            brought = [above for role, above in rules.inherits if role == name]
            await define_role(connection, name, rules.roles[name], brought)
        await upsert_people(connection, [_facts(actor) for actor in cast.actors])
        for actor in cast.actors:
            await _grant_all(connection, actor)
        for source in rules.sources:
            for role, guests_too in source.roles:
                await map_source(
                    connection,
                    SourceKind(source.kind),
                    source.reference,
                    source.name,
                    role,
                    mapped_by=ACTOR,
                    guests_too=guests_too,
                    lives=timedelta(seconds=source.lives_s),
                )
        for meeting in stage.meetings:
            if meeting.kind in KEPT_IN_SHADOW:
                members = [actor.user_id for actor in meeting.members]
                channel = Channel(meeting.channel_id, meeting.name, meeting.is_public, False, members)
                await remember_channel(connection, channel)


def _facts(actor: Actor) -> PersonFacts:
    stance = actor.stance
    kind = PersonKind(stance.kind)
    return PersonFacts(
        actor.user_id, actor.handle, actor.handle, kind, stance.active, stance.is_admin, stance.is_owner
    )


async def _grant_all(connection: AsyncConnection, actor: Actor) -> None:
    person = (await find_people(connection, [actor.user_id]))[actor.user_id]
    for role, expires_at in sorted(actor.stance.grants, key=lambda pair: pair[0]):
        await grant(connection, person, role, granted_by=ACTOR, expires_at=expires_at)


async def give(database: Database, workspace_id: int, actor: Actor, role: str) -> None:
    """Grant a role as an administrator would."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        person = (await find_people(connection, [actor.user_id]))[actor.user_id]
        await grant(connection, person, role, granted_by=ACTOR)


async def take(database: Database, workspace_id: int, actor: Actor, role: str) -> None:
    """Revoke it."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        person = (await find_people(connection, [actor.user_id]))[actor.user_id]
        await revoke(connection, person, role)


async def plant(
    database: Database, workspace_id: int, ingestor: Ingestor, canary: Canary, policy: str
) -> int:
    """Ingest a canary under a policy; returns the document's id."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        label_id = await intern_label(connection, parse_policy(policy))
    submission = Submission(
        uri=canary.uri,
        name=canary.file_name,
        data=canary.content,
        label_id=label_id,
        title=canary.title,
        dated=datetime.now(UTC).date(),
        added_by=ACTOR,
    )
    return (await ingestor.ingest(workspace_id, submission)).document_id


async def collect(
    database: Database,
    workspace_id: int,
    collections: Sequence[CopiedCollection],
    documents: dict[str, list[int]],
) -> None:
    """Make the collections, each with the planted documents of its own policy: policy -> document ids."""
    async with database.writing_in(workspace_id, ACTOR) as connection:
        for collection in collections:
            label_id = await intern_label(connection, parse_policy(collection.policy))
            values = {
                "name": collection.name,
                "label_id": label_id,
                "owner_role": collection.owner_role,
                "lent_role": collection.lent_role,
                "lent_for_s": collection.lent_for_s,
            }
            made = (await connection.execute(_COLLECT, values)).scalar_one()
            held = {"collection_id": made, "documents": documents.get(collection.policy, [])}
            await connection.execute(_FILE, held)
