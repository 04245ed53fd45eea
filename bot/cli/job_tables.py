"""Jobs as tables and sentences on the command line."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administering.administration import COMMAND_LINE
from bot.cli.administering import open_desk, print_table
from bot.cli.output import out
from bot.jobs import INGEST, REFRESH, JobEntry, State, cancel_job, job_with, list_jobs, retry_job
from bot.progress import Stage

_NAMES = {
    INGEST: "take in",
    **dict.fromkeys(REFRESH, "read source"),
    "answer": "answer",
    "offer_ingestion": "ask for readers",
}


@asynccontextmanager
async def _connected() -> AsyncIterator[AsyncConnection]:
    async with open_desk() as desk, desk.database.writing_in(desk.workspace_id, COMMAND_LINE) as connection:
        yield connection


async def print_jobs(states: Sequence[State], limit: int) -> None:
    async with _connected() as connection:
        jobs = await list_jobs(connection, states, limit)
    rows = [
        [str(job.id), _called(job), _state(job), _progress(job.stage), str(job.attempts), job.reason or ""]
        for job in jobs
    ]
    print_table(["Id", "Job", "State", "Progress", "Tries", "Reason"], rows, "No job waits, runs or failed.")


async def print_job(job_id: int) -> None:
    async with _connected() as connection:
        job = await job_with(connection, job_id)
    facts = [
        ("Job", f"{job.id}: {_called(job)}"),
        ("State", _state(job)),
        ("Progress", _progress(job.stage)),
        ("Tries before", str(job.attempts)),
        ("Not before", _moment(job.due_at)),
        ("Asked for by", job.requested_by or ""),
        ("Reason", job.reason or ""),
    ]
    for name, value in facts:
        if value:
            out.print(Text.assemble((f"{name}: ", "bold"), value))


async def retry(job_id: int) -> None:
    async with _connected() as connection:
        job = await retry_job(connection, job_id)
    out.print(Text(f"Job {job_id} ({_called(job)}) is tried again as soon as a worker has time."))


async def cancel(job_id: int) -> None:
    async with _connected() as connection:
        job = await cancel_job(connection, job_id)
    if job.state == "waiting":
        out.print(Text(f"Job {job_id} ({_called(job)}) is not begun any more."))
    else:
        out.print(Text(f"Job {job_id} ({_called(job)}) is told to stop, unless it is being stored already."))


def _called(job: JobEntry) -> str:
    name = _NAMES.get(job.name, job.name.replace("_", " "))
    return f"{name} {job.what}" if job.what else name


def _state(job: JobEntry) -> str:
    return "being cancelled" if job.is_being_cancelled else job.state


def _progress(stage: Stage | None) -> str:
    if stage is None:
        return ""
    if stage.total:
        return f"{stage.name} {stage.done} of {stage.total}"
    return f"{stage.name} {stage.done}" if stage.done else stage.name


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""
