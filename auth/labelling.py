"""Access labels in PostgreSQL: policies under ids, and what may be decided from them at one moment.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, whose workspace it works in.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.granting import require_roles
from auth.labels import Policy, parse_policy

_LABELS = text(f"SELECT id, policy FROM auth.access_label WHERE workspace_id = {WORKSPACE}")
_INTERN = text(
    f"INSERT INTO auth.access_label (workspace_id, policy) VALUES ({WORKSPACE}, :policy)"
    " ON CONFLICT (workspace_id, policy) DO UPDATE SET policy = excluded.policy RETURNING id"
)
_CHANGE = text(
    f"UPDATE auth.access_label SET policy = :policy WHERE workspace_id = {WORKSPACE} AND id = :id RETURNING id"
)
_CALLED = text(f"SELECT id FROM auth.access_label WHERE workspace_id = {WORKSPACE} AND policy = :policy")


class UnknownLabel(OstiaryError):
    """No document was ever given these readers; the message lists the labels there are."""


class LabelTaken(OstiaryError):
    """Another label has exactly these readers already; the message says what to do."""


async def read_labels(connection: AsyncConnection) -> Mapping[int, Policy]:
    """Every label's policy, by its id."""
    return {row.id: parse_policy(row.policy) for row in await connection.execute(_LABELS)}


async def intern_label(connection: AsyncConnection, policy: Policy) -> int:
    """The id of the label with this policy. Raises UnknownRole if it names a role that does not exist."""
    await require_roles(connection, policy.roles)
    return int((await connection.execute(_INTERN, {"policy": str(policy)})).scalar_one())


async def label_with(connection: AsyncConnection, policy: Policy) -> int:
    """The id of the label that has this policy already. Raises UnknownLabel."""
    found = (await connection.execute(_CALLED, {"policy": str(policy)})).scalar()
    if found is None:
        known = sorted(str(policy) for policy in (await read_labels(connection)).values())
        raise UnknownLabel(
            f"No document has the readers {policy}. Labels here: {'; '.join(known) or 'none yet'}."
        )
    return int(found)


async def change_label(connection: AsyncConnection, label_id: int, policy: Policy) -> None:
    """Give a label other readers: everything under it follows, and no document is touched.

    Raises UnknownRole, UnknownLabel, or LabelTaken where a label with just these readers exists.
    """
    await require_roles(connection, policy.roles)
    taken = (await connection.execute(_CALLED, {"policy": str(policy)})).scalar()
    if taken == label_id:
        return
    if taken is not None:
        raise LabelTaken(
            f"There is a label for {policy} already. Give the documents that label instead: then they share it."
        )
    changed = await connection.execute(_CHANGE, {"id": label_id, "policy": str(policy)})
    if changed.scalar() is None:
        raise UnknownLabel(f"There is no label with the id {label_id}.")
