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
from auth.database import APP, READER, Database, DatabaseUnusable, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles
from auth.labelling import intern_label
from auth.labels import FOR_EVERYONE
from retrieval import search as searching
from retrieval.search import SearchSettings, search

Store = Callable[[AsyncConnection, int, str, npt.NDArray[np.float32]], Awaitable[None]]
TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
VECTOR: npt.NDArray[np.float32] = np.full(384, 384**-0.5, dtype=np.float32)
_ADD_LABEL = text(
    "INSERT INTO auth.access_label (workspace_id, id, policy) VALUES (:workspace_id, :id, :policy)"
)

_NAMED = text("SELECT chunk_id FROM retrieval.lexical_candidates('budget', 10)")
_ADD_QUESTION = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, asker_slack_id, text)"
    " VALUES (:workspace_id, 'E1', 'C1', 'im', '1.0', 'U1', 'What is the budget?') RETURNING id"
)
_ADD_ANSWER = text(
    "INSERT INTO bot.answer (workspace_id, question_id, part, text, label_ids, chunk_ids, policy_version,"
    " clearance, model) VALUES (:workspace_id, :question_id, 'asker', :said, :label_ids, '{}', 1, '', 'm')"
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


async def test_the_workspace_of_a_writer_ends_with_its_transaction(
    database: Database, workspace_id: int, label_id: int
) -> None:
    pid = text("SELECT pg_backend_pid()")
    people = text("SELECT count(*) FROM auth.role")
    async with database.writing_in(workspace_id) as connection:
        first = (await connection.execute(pid)).scalar_one()
        assert (await connection.execute(people)).scalar_one() > 0
    async with database.registering() as connection:  # the same connection, in no workspace
        assert (await connection.execute(pid)).scalar_one() == first
        assert (await connection.execute(people)).scalar_one() == 0


async def test_a_reading_transaction_is_one_in_which_nothing_can_be_written(
    database: Database, workspace_id: int, label_id: int
) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        assert (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"


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


@pytest.mark.usefixtures("label_id", "other_workspace")
@pytest.mark.parametrize(
    "table", ["auth.role", "auth.access_label", *(f"retrieval.{table}" for table in TABLES)]
)
async def test_the_role_that_writes_sees_no_row_of_another_workspace(
    database: Database, workspace_id: int, table: str
) -> None:
    async with database.writing_in(workspace_id) as connection:
        workspaces = await connection.execute(text(f"SELECT DISTINCT workspace_id FROM {table}"))
        assert list(workspaces.scalars()) == [workspace_id]


async def test_a_label_id_of_another_workspace_opens_nothing_there(
    database: Database, workspace_id: int, other_workspace: int, label_id: int
) -> None:
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        titles = await connection.execute(text("SELECT title FROM retrieval.document"))
        assert list(titles.scalars()) == ["ours"]
        assert await counts(connection) == dict.fromkeys(TABLES, 1)


@pytest.mark.parametrize("cleared", ["another label", "another workspace"])
async def test_the_full_text_search_names_no_chunk_outside_the_clearance(
    database: Database, workspace_id: int, other_workspace: int, label_id: int, cleared: str
) -> None:
    """It runs as a role that sees every row: what it lets through, its own filter alone decides."""
    unheld = {
        "another label": (workspace_id, label_id + 5000),
        "another workspace": (other_workspace, label_id),
    }
    workspace, label = unheld[cleared]
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        ours = set((await connection.execute(_NAMED)).scalars())
    async with database.reading_as(Clearance(workspace, frozenset({label}), 1)) as connection:
        theirs = set((await connection.execute(_NAMED)).scalars())
    assert len(ours) == 1
    assert not ours & theirs
    assert len(theirs) == (1 if cleared == "another workspace" else 0)


async def test_the_full_text_search_runs_no_function_of_its_callers_making(
    urls: DatabaseUrls, database: Database, workspace_id: int, label_id: int
) -> None:
    """Its owner sees every row, so names in it must not lead where the caller's search path leads."""
    async with database.reading_as(Clearance(workspace_id, frozenset(), 1)) as connection:
        before = list((await connection.execute(_NAMED)).scalars())
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA trap")
        admin.execute("GRANT USAGE ON SCHEMA trap TO PUBLIC")
        # Were it found first, the filter of the function would read everybody's labels from it.
        admin.execute(
            "CREATE FUNCTION trap.current_setting(text, boolean) RETURNS text LANGUAGE sql STABLE AS $$"
            f" SELECT CASE WHEN $1 = 'ostiary.label_ids' THEN '{{{label_id}}}' ELSE '{workspace_id}' END $$"
        )
    async with database.reading_as(Clearance(workspace_id, frozenset(), 1)) as connection:
        await connection.execute(text("SET LOCAL search_path = trap, pg_catalog, retrieval"))
        trapped = await connection.execute(text("SELECT current_setting('ostiary.label_ids', true)"))
        assert trapped.scalar_one() == f"{{{label_id}}}"
        assert list((await connection.execute(_NAMED)).scalars()) == before == []


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


@pytest.mark.parametrize("exact_below", [20_000, 0], ids=["exact", "indexed"])
async def test_nothing_of_another_workspace_takes_up_a_place_among_the_candidates(
    urls: DatabaseUrls,
    database: Database,
    workspace_id: int,
    other_workspace: int,
    label_id: int,
    store: Store,
    exact_below: int,
) -> None:
    nearest: npt.NDArray[np.float32] = np.eye(1, 384, dtype=np.float32)
    async with database.writing_in(other_workspace) as connection:
        await store(connection, label_id, "theirs and nearer", nearest)
    take_down_row_level_security(urls)  # the application's filter stands alone
    clearance, one = Clearance(workspace_id, frozenset({label_id}), 1), SearchSettings(1, exact_below)
    found = await search(database, clearance, "nothing in these words", nearest[0], one)
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


async def test_an_answer_is_read_only_by_whoever_holds_every_label_it_was_made_from(
    database: Database, workspace_id: int, other_workspace: int, label_id: int
) -> None:
    answers = {"one label": [label_id], "two labels": [label_id, label_id + 1], "no label": []}
    for workspace in (workspace_id, other_workspace):
        async with database.writing_in(workspace) as connection:
            here = {"workspace_id": workspace}
            here["question_id"] = (await connection.execute(_ADD_QUESTION, here)).scalar_one()
            for said, label_ids in answers.items():
                values = {**here, "said": f"{said} in {workspace}", "label_ids": label_ids}
                await connection.execute(_ADD_ANSWER, values)

    async def seen(*label_ids: int) -> list[str]:
        async with database.reading_as(Clearance(workspace_id, frozenset(label_ids), 1)) as connection:
            return sorted((await connection.execute(text("SELECT text FROM bot.answer"))).scalars())

    one, two = f"one label in {workspace_id}", f"two labels in {workspace_id}"
    assert await seen(label_id, label_id + 1) == [one, two]
    assert await seen(label_id) == [one]
    assert await seen(label_id + 1) == []
    assert await seen() == []


async def test_one_login_for_all_steps_down_to_the_roles_that_stand_before_the_walls(
    urls: DatabaseUrls, workspace_id: int, label_id: int
) -> None:
    """Where DATABASE_URL is all there is, it is an administrator's."""
    opened = Database(DatabaseUrls(urls.admin))
    try:
        await opened.check()
        async with opened.reading_as(Clearance(workspace_id, frozenset(), 1)) as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == READER
            assert await counts(connection) == dict.fromkeys(TABLES, 0)
        async with opened.writing_in(workspace_id) as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == APP
    finally:
        await opened.close()


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS", "ownership"])
@pytest.mark.parametrize("role", [APP, READER])
async def test_a_database_role_that_could_step_over_the_walls_is_refused(
    urls: DatabaseUrls, database: Database, role: str, power: str
) -> None:
    give, take = f"ALTER ROLE {role} {power}", f"ALTER ROLE {role} NO{power}"
    if power == "ownership":
        give, take = (
            f"GRANT ostiary_owner TO {role} WITH INHERIT TRUE",
            f"REVOKE ostiary_owner FROM {role}",
        )
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute(give)
        try:
            with pytest.raises(DatabaseUnusable, match=f"The database role {role} could bypass"):
                await database.check()
        finally:
            admin.execute(take)
    await database.check()
