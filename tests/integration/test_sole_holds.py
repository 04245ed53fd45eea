"""What one process at a time may do is held outside of the pool, however long it takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import psycopg
import pytest

from auth.database import Database, DatabaseUrls

IDLE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
CUT = (
    "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
)


@pytest.fixture
async def narrow(database: Database, urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A database with hardly a connection; its tables are made."""
    narrow = Database(urls, pool_size=1)
    yield narrow
    await narrow.close()


@pytest.fixture
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Somebody who sees, and can end, what others do."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        yield connection


async def test_whoever_comes_second_is_told_and_gets_it_once_the_first_is_done(narrow: Database) -> None:
    async with narrow.sole("reading") as first:
        assert first
        async with narrow.sole("reading") as second:
            assert not second
        async with narrow.sole("reading", 7) as other, narrow.sole("probing") as another:
            assert other
            assert another
    async with narrow.sole("reading") as third:
        assert third


async def test_much_that_is_held_for_long_leaves_the_pool_to_others(
    narrow: Database, workspace_id: int, admin: psycopg.Connection
) -> None:
    async with AsyncExitStack() as held:
        for number in range(6):
            assert await held.enter_async_context(narrow.sole("reading", number))
        async with asyncio.timeout(30), narrow.writing_in(workspace_id):
            pass
        assert admin.execute(IDLE).fetchone() == (0,)


async def test_whoever_gives_up_or_dies_holds_nothing_any_more(
    narrow: Database, admin: psycopg.Connection
) -> None:
    async def hold() -> None:
        async with narrow.sole("reading") as alone:
            assert alone
            holding.set()
            await asyncio.sleep(60)

    holding = asyncio.Event()
    task = asyncio.create_task(hold())
    await holding.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with narrow.sole("reading") as alone:
        assert alone
        assert admin.execute(CUT).fetchone() == (True,)
        async with narrow.sole("reading") as next_one:
            assert next_one
