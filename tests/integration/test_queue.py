"""Jobs are recorded with what asks for them, and the same job waits once where that is asked for."""

from sqlalchemy import text

from auth.database import Database, DatabaseUrls
from bot.queue import JobQueue


async def test_the_same_job_waits_once_however_often_it_is_asked_for(
    database: Database, urls: DatabaseUrls, workspace_id: int
) -> None:
    async def work(number: int) -> None: ...

    queue = JobQueue(urls, workspace_id)
    queue.on("count", work, given_up=work)
    async with database.writing_in(workspace_id) as connection:
        await queue.defer_once(connection, "count", number=1)
        await queue.defer_once(connection, "count", number=1)
        await queue.defer_once(connection, "count", number=2)
    async with database.writing_in(workspace_id) as connection:
        await queue.defer_once(connection, "count", number=1)
        await queue.defer(connection, "count", number=2)
        waiting = await connection.execute(
            text("SELECT args ->> 'number' AS number FROM procrastinate_jobs ORDER BY id")
        )
        assert [row.number for row in waiting] == ["1", "2", "2"]
