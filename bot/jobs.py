"""The jobs of a workspace as whoever runs it sees them: which wait, which run and how far, which failed and why.

Every function takes a connection from `Database.writing_in(workspace_id, actor)`, whose workspace it works in. Who
may call a job off or try it again is for the caller to know; both are recorded.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from auth.database import WORKSPACE
from auth.errors import OstiaryError
from bot.progress import Stage

State = Literal["waiting", "running", "failed", "cancelled"]
STATES: tuple[State, ...] = ("running", "waiting", "failed", "cancelled")
CANCELLED, RETRIED = "job.cancelled", "job.retried"
"""Kinds of events in the audit log."""
INGEST = "ingest"
REFRESH = frozenset({"refresh_source", "refresh_slack_source"})
"""The names of the jobs that may be called off: somebody waits for an answer to the others."""

_MINE = (
    f"(j.queue_name = 'workspace-' || {WORKSPACE}"
    f" OR starts_with(j.queue_name, 'workspace-' || {WORKSPACE} || '-'))"
)
_STATE = (
    "CASE j.status::text WHEN 'todo' THEN 'waiting' WHEN 'doing' THEN 'running' WHEN 'failed' THEN 'failed'"
    " ELSE 'cancelled' END"
)
_ENTRY = (
    f"SELECT j.id, j.task_name AS name, {_STATE} AS state, j.attempts, j.scheduled_at, j.abort_requested,"
    "  j.args, n.stage, n.done, n.total, n.reason, n.noted_at,"
    "  r.kind, r.title, r.locator, r.requested_by, r.state AS request_state,"
    "  s.reference"
    " FROM procrastinate.procrastinate_jobs j"
    f" LEFT JOIN bot.job_note n ON n.workspace_id = {WORKSPACE} AND n.job_id = j.id"
    f" LEFT JOIN bot.ingestion_request r ON r.workspace_id = {WORKSPACE}"
    f"  AND j.args ? 'request_id' AND r.id = (j.args ->> 'request_id')::bigint"
    f" LEFT JOIN retrieval.source s ON s.workspace_id = {WORKSPACE}"
    f"  AND j.args ? 'source_id' AND s.id = (j.args ->> 'source_id')::bigint"
    f" WHERE {_MINE}"
).replace("?", "OPERATOR(pg_catalog.?)")
_LIST = text(
    f"{_ENTRY} AND {_STATE} = ANY(:states) AND NOT j.args OPERATOR(pg_catalog.?) 'timestamp'"
    " ORDER BY array_position(CAST(:states AS text[]), " + _STATE + "), j.id LIMIT :limit"
)
_WITH_ID = text(f"{_ENTRY} AND j.id = :id")
_CANCEL = text("SELECT procrastinate.procrastinate_cancel_job_v1(:id, true, false)")
_RETRY = text("SELECT procrastinate.procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
_CANCEL_REQUEST = text(
    "UPDATE bot.ingestion_request SET state = 'cancelled'"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND state = 'accepted'"
)
_REOPEN_REQUEST = text(
    "UPDATE bot.ingestion_request SET state = 'accepted'"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND state = 'failed' AND readers IS NOT NULL"
)
_FORGET_REASON = text(f"DELETE FROM bot.job_note WHERE workspace_id = {WORKSPACE} AND job_id = :id")


class UnknownJob(OstiaryError):
    """A job was named that is not there (any more); the message says so."""


class JobStands(OstiaryError):
    """A job cannot be called off or tried again as it stands; the message says why."""


@dataclass(frozen=True)
class JobEntry:
    """A job. `what` names the document or source, and is for the machine and for whoever handed it in alone."""

    id: int
    name: str
    state: State
    what: str
    attempts: int
    due_at: datetime | None
    stage: Stage | None
    reason: str | None
    is_being_cancelled: bool
    request_id: int | None
    requested_by: str | None
    source_id: int | None

    @property
    def can_be_cancelled(self) -> bool:
        return (self.name == INGEST or self.name in REFRESH) and self.state in ("waiting", "running")


async def list_jobs(
    connection: AsyncConnection, states: Collection[State] = STATES, limit: int = 100
) -> list[JobEntry]:
    """Jobs in these states, those that run first. What is done leaves no job."""
    ordered = [state for state in STATES if state in states]
    rows = await connection.execute(_LIST, {"states": ordered, "limit": limit})
    return [_entry(row) for row in rows]


async def job_with(connection: AsyncConnection, job_id: int) -> JobEntry:
    """Raises UnknownJob."""
    row = (await connection.execute(_WITH_ID, {"id": job_id})).first()
    if row is None:
        raise UnknownJob(
            f"There is no job {job_id}: it is done, or never was. `ostiary jobs list` shows the rest."
        )
    return _entry(row)


async def cancel_job(connection: AsyncConnection, job_id: int) -> JobEntry:
    """Call a job off, before it stores anything: what waits is not begun, what runs stops.

    Whoever handed a document in is told by its job, which ends then. Returns the job as it stood. Raises UnknownJob
    or JobStands.
    """
    job = await job_with(connection, job_id)
    if not job.can_be_cancelled:
        raise JobStands(
            f"Job {job_id} {'failed' if job.state == 'failed' else 'was cancelled'} already."
            if job.state in ("failed", "cancelled")
            else f"Job {job_id} cannot be cancelled: somebody waits for an answer."
        )
    if job.request_id is not None:
        await connection.execute(_CANCEL_REQUEST, {"id": job.request_id})
    else:
        await connection.execute(_CANCEL, {"id": job_id})
    await record(connection, CANCELLED, {"job": job_id, "name": job.name})
    return job


async def retry_job(connection: AsyncConnection, job_id: int) -> JobEntry:
    """Try a job that failed once more, now. Returns it as it stood. Raises UnknownJob or JobStands."""
    job = await job_with(connection, job_id)
    if job.state != "failed":
        raise JobStands(f"Job {job_id} did not fail: it is {job.state}.")
    if job.request_id is not None:
        await connection.execute(_REOPEN_REQUEST, {"id": job.request_id})
    await connection.execute(_FORGET_REASON, {"id": job_id})
    await connection.execute(_RETRY, {"id": job_id})
    await record(connection, RETRIED, {"job": job_id, "name": job.name})
    return job


def _entry(row: Row[Any]) -> JobEntry:
    return JobEntry(
        id=row.id,
        name=row.name,
        state=row.state,
        what=row.reference or row.title or row.locator or "",
        attempts=row.attempts,
        due_at=row.scheduled_at,
        stage=Stage(row.stage, row.done, row.total) if row.stage else None,
        reason=row.reason,
        is_being_cancelled=row.request_state == "cancelled"
        or (row.abort_requested and row.state == "running"),
        request_id=row.args.get("request_id"),
        requested_by=row.requested_by,
        source_id=row.args.get("source_id"),
    )
