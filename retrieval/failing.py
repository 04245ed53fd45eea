"""What could not be taken in, and why: kept until it is, or until somebody lets go of it.

Under the label that the document would have had: what it is called and why it failed is for those readers, and for
whoever handed it in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

_OF = f"workspace_id = {WORKSPACE}"
_RECORD = text(
    "INSERT INTO retrieval.failure (workspace_id, label_id, uri, reason, actor)"
    f" VALUES ({WORKSPACE}, :label_id, :uri, :reason, :actor) ON CONFLICT (workspace_id, uri) DO UPDATE SET"
    " label_id = :label_id, reason = :reason, actor = :actor, failed_at = now(), tries = failure.tries + 1"
)
_FORGET = text(f"DELETE FROM retrieval.failure WHERE {_OF} AND uri = :uri")
_DISMISS = text(f"DELETE FROM retrieval.failure WHERE {_OF} AND id = ANY(:ids) RETURNING id")
_LIST = text(
    "SELECT id, label_id, uri, reason, actor, tries, failed_at FROM retrieval.failure"
    f" WHERE {_OF} ORDER BY failed_at DESC, id DESC LIMIT :limit OFFSET :offset"
)
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Failed:
    """A document that is not in, or not in its newest version."""

    id: int
    label_id: int
    uri: str
    reason: str
    actor: str
    tries: int
    failed_at: datetime


async def record_failure(
    connection: AsyncConnection, uri: str, label_id: int, reason: str, actor: str
) -> None:
    """Keep why something could not be taken in; the same again counts up."""
    values = {"uri": uri, "label_id": label_id, "reason": reason[:LONGEST_REASON], "actor": actor}
    await connection.execute(_RECORD, values)


async def forget_failure(connection: AsyncConnection, uri: str) -> None:
    """It is in now."""
    await connection.execute(_FORGET, {"uri": uri})


async def dismiss_failures(connection: AsyncConnection, failure_ids: Sequence[int]) -> int:
    """Let go of failures; returns how many there were."""
    return len((await connection.execute(_DISMISS, {"ids": list(failure_ids)})).all())


async def list_failures(connection: AsyncConnection, limit: int, offset: int = 0) -> list[Failed]:
    """The newest first."""
    rows = await connection.execute(_LIST, {"limit": limit, "offset": offset})
    return [Failed(**row._mapping) for row in rows]
