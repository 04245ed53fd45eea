"""Every leak is tried twice. With its guard nothing gets out; without it something does, or the test proves nothing."""

from collections.abc import Awaitable, Callable

import psycopg
import pytest

from auth.database import Database, DatabaseUrls
from retrieval import search
from tests.door.memory import LeakError
from tests.door.world import World

RED = frozenset({(frozenset({"red"}), frozenset[str]())})
FOR_ALL = frozenset({(frozenset({"everyone"}), frozenset[str]())})


@pytest.fixture(params=[True, False], ids=["guarded", "guard taken out"])
def guarded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def world(database: Database) -> World:
    """A company in which Ann holds red, and a document that red may read."""
    return await found_world(database)


async def found_world(database: Database) -> World:
    world = await World.found(database)
    for user_id in ("UANN", "UBOB"):
        for channel in ("CPUB", "CPRIV"):
            await world.join(user_id, channel)
    await world.grant("UANN", "red", None)
    await world.ingest(RED, False)
    return world


async def leaks(move: Awaitable[object]) -> bool:
    """Whether somebody is told what they may not read while this is done."""
    try:
        await move
    except LeakError:
        return True
    return False


@pytest.fixture
def take_out_both_locks(urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The application's filter, row-level security, and both looks at what they let through."""

    async def no_comparison(*_: object) -> None:
        """In place of the cross-check, which rings for one search in fifty."""

    def take_out() -> None:
        monkeypatch.setattr(search, "LABEL_FILTER", "true")
        monkeypatch.setattr(search, "insist_on", lambda *_: None)
        monkeypatch.setattr(search, "compare_locks", no_comparison)
        with psycopg.connect(urls.admin, autocommit=True) as connection:
            for table in ("document", "version", "chunk", "chunk_vec", "label_count"):
                connection.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")  # type: ignore[call-overload]
            connection.execute("ALTER TABLE bot.answer DISABLE ROW LEVEL SECURITY")

    return take_out
