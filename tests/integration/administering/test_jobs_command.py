"""`ostiary jobs`, as somebody types it."""

import asyncio

import psycopg

from auth.database import Database, DatabaseUrls
from auth.labels import parse_policy
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import AddSource
from bot.queue import JobQueue, Lane
from bot.source_jobs import REFRESH_JOB
from retrieval.sources.kept import Kind
from tests.integration.administering.conftest import Company, Say


async def queued(urls: DatabaseUrls, workspace_id: int) -> None:
    """A source, and the job that reads it."""
    database = Database(urls)

    async def work(source_id: int) -> None: ...

    queue = JobQueue(urls, workspace_id)
    queue.on(REFRESH_JOB, work, work, lane=Lane.SOURCES)
    change = AddSource(Kind.URL, "https://example.com/handbook", parse_policy("hr"))
    await Administration(database, workspace_id).carry_out(change, COMMAND_LINE)
    async with database.writing_in(workspace_id) as connection:
        await queue.defer(connection, REFRESH_JOB, source_id=1)
    await database.close()


def test_a_job_is_listed_shown_tried_again_and_called_off(
    ostiary: Say, urls: DatabaseUrls, company: Company
) -> None:
    assert ostiary("jobs", "list") == "No job waits, runs or failed."
    asyncio.run(queued(urls, company.workspace_id))
    assert "1 read source https://example.com/handbook waiting" in ostiary("jobs", "list")
    assert "did not fail" in ostiary("jobs", "retry", "1", fails=True)
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute("SET search_path = procrastinate")  # where its triggers look
        connection.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        connection.execute(
            "INSERT INTO bot.job_note (workspace_id, job_id, stage, done, total, reason)"
            " VALUES (%s, 1, 'embedding', 3, 7, 'The moon is in the way.')",
            [company.workspace_id],
        )
    said = ostiary("jobs", "show", "1")
    assert "State: failed Progress: embedding 3 of 7" in said
    assert "Reason: The moon is in the way." in said
    assert "is tried again as soon as a worker has time" in ostiary("jobs", "retry", "1")
    assert "is not begun any more" in ostiary("jobs", "cancel", "1")
    assert ostiary("jobs", "list") == "No job waits, runs or failed."
    assert "cancelled" in ostiary("jobs", "list", "--state", "cancelled")
    assert "There is no job 99" in ostiary("jobs", "show", "99", fails=True)
    log = ostiary("audit", "search")
    assert "called off job 1" in log
    assert "had job 1 (refresh_source) tried again" in log
