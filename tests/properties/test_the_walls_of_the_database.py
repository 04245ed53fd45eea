"""What PostgreSQL itself refuses, whatever the statements ask for."""

from collections.abc import Awaitable, Callable

import numpy as np
import numpy.typing as npt
import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.directory import define_built_in_roles, intern_label, register_workspace
from auth.labels import FOR_EVERYONE
from retrieval import search as searching
from retrieval.search import SearchSettings, search

Store = Callable[[AsyncConnection, int, str, npt.NDArray[np.float32]], Awaitable[None]]
TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
VECTOR: npt.NDArray[np.float32] = np.full(384, 384**-0.5, dtype=np.float32)
_ADD_LABEL = text(
    "INSERT INTO auth.access_label (workspace_id, id, policy) VALUES (:workspace_id, :id, :policy)"
)


@pytest.fixture
async def label_id(database: Database, workspace_id: int, store: Store) -> int:
    """A label with one document of one chunk under it."""
    async with database.writing_in(workspace_id) as connection:
        interned = await intern_label(connection, FOR_EVERYONE)
        await store(connection, interned, "ours", VECTOR[None])
    return interned


@pytest.fixture
async def other_workspace(database: Database, store: Store, label_id: int) -> int:
    """Another workspace, with a document under a label of the very same id, and one under its own."""
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        await define_built_in_roles(connection)
        await connection.execute(_ADD_LABEL, {"workspace_id": other, "id": label_id, "policy": "everyone"})
        await store(connection, label_id, "theirs", VECTOR[None])
    return other


async def counts(connection: AsyncConnection) -> dict[str, int]:
    return {
        table: int((await connection.execute(text(f"SELECT count(*) FROM retrieval.{table}"))).scalar_one())
        for table in TABLES
    }


async def test_a_reader_sees_what_stands_under_its_clearance(
    database: Database, workspace_id: int, label_id: int
) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        assert await counts(connection) == dict.fromkeys(TABLES, 1)


@pytest.mark.usefixtures("label_id")
async def test_an_empty_clearance_sees_no_row(database: Database, workspace_id: int) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset(), 1)) as connection:
        assert await counts(connection) == dict.fromkeys(TABLES, 0)
    assert await search(database, Clearance(workspace_id, frozenset(), 1), "budget", VECTOR) == []


@pytest.mark.usefixtures("label_id")
def test_a_reader_that_does_not_say_who_reads_sees_no_row(urls: DatabaseUrls) -> None:
    assert urls.reader is not None
    with psycopg.connect(urls.reader) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("ostiary_reader",)
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM retrieval.{table}").fetchone() == (0,)
        found = connection.execute("SELECT count(*) FROM retrieval.lexical_candidates('budget', 10)")
        assert found.fetchone() == (0,)


async def test_a_clearance_ends_with_its_transaction(
    urls: DatabaseUrls, database: Database, workspace_id: int, label_id: int
) -> None:
    pid = text("SELECT pg_backend_pid()")
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        first = (await connection.execute(pid)).scalar_one()
    async with database._reader.connect() as connection:  # the pool's, with nobody named
        assert (await connection.execute(pid)).scalar_one() == first
        settings = text(
            "SELECT current_setting('ostiary.workspace_id', true), current_setting('ostiary.label_ids', true)"
        )
        assert not any((await connection.execute(settings)).one())
        assert await counts(connection) == dict.fromkeys(TABLES, 0)


async def test_a_reading_transaction_cannot_write(
    database: Database, workspace_id: int, label_id: int
) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        with pytest.raises(DBAPIError) as raised:
            await connection.execute(text("DELETE FROM retrieval.chunk"))
    assert isinstance(raised.value.orig, InsufficientPrivilege | ReadOnlySqlTransaction)


@pytest.mark.usefixtures("label_id")
@pytest.mark.parametrize(
    "column",
    ["document.title", "version.title", "chunk.text", "chunk.heading_path", "chunk.words", "chunk_vec.emb"],
)
async def test_the_role_that_writes_cannot_read_back(
    database: Database, workspace_id: int, column: str
) -> None:
    table, name = column.split(".")
    async with database.writing_in(workspace_id) as connection:
        with pytest.raises(DBAPIError) as raised:
            await connection.execute(text(f"SELECT {name} FROM retrieval.{table}"))
    assert isinstance(raised.value.orig, InsufficientPrivilege)


async def test_the_role_that_writes_cannot_write_into_another_workspace(
    database: Database, workspace_id: int, other_workspace: int, label_id: int
) -> None:
    async with database.writing_in(workspace_id) as connection:
        with pytest.raises(DBAPIError) as raised:
            await connection.execute(
                _ADD_LABEL, {"workspace_id": other_workspace, "id": label_id + 1000, "policy": "guest"}
            )
    assert isinstance(raised.value.orig, InsufficientPrivilege)
    assert "row-level security" in str(raised.value.orig)


async def test_a_label_id_of_another_workspace_opens_nothing_there(
    database: Database, workspace_id: int, other_workspace: int, label_id: int
) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        titles = await connection.execute(text("SELECT title FROM retrieval.document"))
        assert list(titles.scalars()) == ["ours"]
        assert await counts(connection) == dict.fromkeys(TABLES, 1)


@pytest.mark.parametrize("wall", ["both", "row-level security", "application filter"])
@pytest.mark.parametrize("exact_below", [20_000, 0], ids=["exact", "indexed"])
async def test_a_forged_clearance_finds_nothing_of_another_workspace(
    urls: DatabaseUrls,
    database: Database,
    workspace_id: int,
    other_workspace: int,
    label_id: int,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    wall: str,
    exact_below: int,
) -> None:
    async with database.writing_in(other_workspace) as connection:
        await connection.execute(
            _ADD_LABEL, {"workspace_id": other_workspace, "id": label_id + 1000, "policy": "guest"}
        )
        await store(connection, label_id + 1000, "theirs too", VECTOR[None])
    if wall == "row-level security":
        monkeypatch.setattr(searching, "LABEL_FILTER", "true")
    if wall == "application filter":
        take_down_row_level_security(urls)
    forged = Clearance(workspace_id, frozenset({label_id, label_id + 1000}), 1)
    found = await search(database, forged, "budget", VECTOR, SearchSettings(exact_below=exact_below))
    assert [candidate.passage.title for candidate in found] == ["ours"]


def take_down_row_level_security(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")


def test_every_table_of_documents_stands_behind_a_wall_forced_on_its_owner(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.admin) as connection:
        open_tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'retrieval'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'retrieval'::regnamespace AND relkind = 'r'"
        ).fetchall()
    assert open_tables == []
    assert {name for (name,) in tables} >= set(TABLES)
