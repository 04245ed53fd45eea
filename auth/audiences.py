"""Audiences as they were when something was sent to them: interned, for the record."""

import hashlib

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.rights import Audience

_INTERN = text(
    "WITH made AS (INSERT INTO auth.audience (workspace_id, fingerprint, members, every_member, complete)"
    f"  VALUES ({WORKSPACE}, :fingerprint, :members, :every_member, :complete)"
    "  ON CONFLICT DO NOTHING RETURNING id)"
    f" SELECT id FROM made UNION ALL SELECT id FROM auth.audience WHERE workspace_id = {WORKSPACE}"
    "  AND fingerprint = :fingerprint LIMIT 1"
)
_READ = text(
    f"SELECT members, every_member, complete FROM auth.audience WHERE workspace_id = {WORKSPACE} AND id = :id"
)


async def intern_audience(connection: AsyncConnection, audience: Audience) -> int:
    """The id under which an audience is kept: the same for the same people."""
    values = {
        "fingerprint": fingerprint(audience),
        "members": sorted(audience.slack_user_ids),
        "every_member": audience.every_member,
        "complete": audience.complete,
    }
    found = (await connection.execute(_INTERN, values)).scalar()
    # Another transaction may have made it after this statement began: then it is there now.
    return int(found if found is not None else (await connection.execute(_INTERN, values)).scalar_one())


async def read_audience(connection: AsyncConnection, audience_id: int) -> Audience:
    """An audience as it was kept."""
    row = (await connection.execute(_READ, {"id": audience_id})).one()
    return Audience(frozenset(row.members), row.every_member, row.complete)


def fingerprint(audience: Audience) -> str:
    """64 hex digits, the same for the same people, and for no others."""
    flags = f"{audience.every_member:d}{audience.complete:d}"
    return hashlib.sha256("\n".join([flags, *sorted(audience.slack_user_ids)]).encode()).hexdigest()
