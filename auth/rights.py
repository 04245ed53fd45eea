"""What somebody, or everybody in a place, may read right now: the directory read, the decision made.

Call these at the moment of use, each time: a right is checked when it is used. What is remembered between two
calls is remembered under the policy version, which every change raises, and until the next grant runs out.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance, LabelIndex, Standing
from auth.database import WORKSPACE, Database
from auth.granting import read_inheritance
from auth.holding import Alike, find_holder, people_alike
from auth.labelling import read_labels
from auth.labels import NOBODY
from auth.people import Person, roles_from, roles_held
from auth.roles import ADMIN, EVERYONE, Inheritance

_VERSIONS = text(f"SELECT policy_version, labels_version FROM auth.workspace WHERE id = {WORKSPACE}")
_SINCE_CHANGE = text(
    "SELECT extract(epoch FROM clock_timestamp() - policy_changed_at)::float8 FROM auth.workspace"
    f" WHERE id = {WORKSPACE} AND policy_version > :version"
)
REMEMBERED_AUDIENCES = 10_000


@dataclass(frozen=True)
class Audience:
    """Who will see what is said in a place.

    `slack_user_ids` are those known to be there, the asker included. `every_member` says that any full member
    may come in and read (a public channel). `complete` is False when somebody there could not be made out:
    then nothing may be said to them at all.
    """

    slack_user_ids: frozenset[str]
    every_member: bool = False
    complete: bool = True


@dataclass(frozen=True)
class Rights:
    """One person's standing at a moment."""

    person: Person
    roles: frozenset[str]
    clearance: Clearance

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles


@dataclass(frozen=True)
class _Remembered:
    clearance: Clearance
    until: datetime | None


class _Memory:
    """What was read and decided of one database, by workspace and version."""

    def __init__(self) -> None:
        self.labels: dict[int, tuple[int, Inheritance, LabelIndex]] = {}
        self.audiences: OrderedDict[tuple[int, Audience, int], _Remembered] = OrderedDict()

    def recall(self, key: tuple[int, Audience, int], now: datetime) -> Clearance | None:
        found = self.audiences.get(key)
        if found is None or (found.until is not None and found.until <= now):
            return None
        self.audiences.move_to_end(key)
        return found.clearance

    def keep(self, key: tuple[int, Audience, int], clearance: Clearance, until: datetime | None) -> None:
        self.audiences[key] = _Remembered(clearance, until)
        while len(self.audiences) > REMEMBERED_AUDIENCES:
            self.audiences.popitem(last=False)


_memories: WeakKeyDictionary[Database, _Memory] = WeakKeyDictionary()


def nothing(workspace_id: int) -> Clearance:
    """The clearance of somebody who is not known: reads nothing."""
    return Clearance(workspace_id, frozenset(), 0)


def as_readers_of(standing: Standing, label_id: int) -> Clearance:
    """Of somebody who holds just what the readers of a label need: reads nothing where nobody may read it."""
    policy = standing.index.labels.get(label_id, NOBODY)
    for clause in sorted(policy.clauses, key=str):
        clearance = standing.clearance(clause.all_of)
        if label_id in clearance.label_ids:
            return clearance
    return standing.clearance(frozenset())


async def rights_of(
    database: Database, workspace_id: int, slack_user_id: str, now: datetime | None = None
) -> Rights | None:
    """What a Slack user holds and may read now; None for somebody who is not known."""
    async with database.deciding_in(workspace_id) as connection:
        holder = await find_holder(connection, slack_user_id)
        if holder is None:
            return None
        versions = holder.policy_version, holder.labels_version
        standing = await _standing_at(database, connection, workspace_id, versions)
    roles = roles_held(holder.person, holder.grants, standing.inheritance, now or datetime.now(UTC))
    return Rights(holder.person, roles, standing.clearance(roles))


async def audience_clearance(
    database: Database, workspace_id: int, audience: Audience, now: datetime | None = None
) -> Clearance:
    """What every single one of an audience may read now. Anybody unknown in it: nothing."""
    if not audience.complete:
        return nothing(workspace_id)
    moment = now or datetime.now(UTC)
    memory = _memory(database)
    if now is None:
        key = (workspace_id, audience, await database.policy_version(workspace_id))
        if known := memory.recall(key, moment):
            return known
    async with database.deciding_in(workspace_id) as connection:
        standing = await read_standing(database, connection, workspace_id)
        alike = await people_alike(connection, audience.slack_user_ids, audience.every_member, moment)
    clearance = _for_all(audience, alike, standing)
    if now is None:
        key = (workspace_id, audience, standing.policy_version)
        memory.keep(key, clearance, min((a.until for a in alike if a.until), default=None))
    return clearance


def _for_all(audience: Audience, alike: Collection[Alike], standing: Standing) -> Clearance:
    if sum(group.named for group in alike) != len(audience.slack_user_ids):
        return nothing(standing.workspace_id)
    role_sets = {
        roles_from(group.kind, group.granted, standing.inheritance) if group.active else frozenset[str]()
        for group in alike
    }
    if audience.every_member:
        role_sets.add(frozenset({EVERYONE}))  # whoever joins the company tomorrow
    return standing.audience_clearance(role_sets)


async def read_standing(database: Database, connection: AsyncConnection, workspace_id: int) -> Standing:
    """Inheritance, labels and policy version as they are now; labels are read anew only once they changed.

    `connection` is from `Database.deciding_in`: what is remembered must belong to its version for sure.
    """
    return await _standing_at(database, connection, workspace_id, await _versions(connection))


async def _standing_at(
    database: Database, connection: AsyncConnection, workspace_id: int, versions: tuple[int, int]
) -> Standing:
    version, labels_version = versions
    memory = _memory(database)
    known = memory.labels.get(workspace_id)
    if known is None or known[0] != labels_version:
        known = (
            labels_version,
            await read_inheritance(connection),
            LabelIndex(await read_labels(connection)),
        )
        # Something may have changed between the two readings: keep only what belongs to its version for sure.
        if (await _versions(connection))[1] == labels_version:
            memory.labels[workspace_id] = known
    return Standing(workspace_id, known[1], known[2], version)


async def seconds_since_change(connection: AsyncConnection, version: int) -> float | None:
    """How long ago rights last changed, if they did after `version`; else None."""
    return (await connection.execute(_SINCE_CHANGE, {"version": version})).scalar()


async def _versions(connection: AsyncConnection) -> tuple[int, int]:
    row = (await connection.execute(_VERSIONS)).one()
    return row.policy_version, row.labels_version


def _memory(database: Database) -> _Memory:
    return _memories.setdefault(database, _Memory())
