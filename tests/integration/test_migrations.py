"""The schema as the migrations leave it: as the models have it, walled, out of reach of whoever must not read."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url

import bot.tables  # noqa: F401  (registers its tables in the metadata)
import retrieval.sources.tables  # noqa: F401
from auth.database import APP, OWNER, READER, DatabaseUnusable, DatabaseUrls
from auth.server import RunningServer
from auth.tables import Base
from migrations.upgrade import downgrade, pending, upgrade

SCHEMAS = ("auth", "retrieval", "bot")
SEARCH = "ostiary_search"

# Lists every workspace, before anybody is known to be in one. It holds no text of documents or people.
WITHOUT_WALL = {"auth.workspace"}

TELLING = (
    "text",
    "title",
    "emb",
    "words",
    "word",
    "token_codes",
    "heading_path",
    "author",
    "department",
    "added_by",
)
"""Columns that would say something of a document to whoever read them."""


@pytest.fixture
def empty(server: RunningServer) -> Iterator[str]:
    """Name of a database that nothing was ever done in."""
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def rows(url: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).fetchall()


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def differences(url: str) -> list[object]:
    """What Alembic would have to do to turn the database into the models."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    options = {"include_schemas": True, "include_name": _ours, "compare_server_default": True}
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            return list(compare_metadata(context, Base.metadata))
    finally:
        engine.dispose()


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "schema" or name in SCHEMAS


def schemas(url: str) -> set[object]:
    wanted = [*SCHEMAS, "procrastinate"]
    return {name for (name,) in rows(url, "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", wanted)}


def shape(url: str) -> list[tuple[object, ...]]:
    """Every column, policy and privilege of ours, in an order that does not depend on how they came to be."""
    return rows(
        url,
        "SELECT 'column', table_schema, table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = ANY(%s)"
        " UNION ALL SELECT 'policy', schemaname, tablename, policyname, roles::text, cmd, qual"
        " FROM pg_policies WHERE schemaname = ANY(%s)"
        " UNION ALL SELECT 'privilege', table_schema, table_name, column_name, grantee, privilege_type, ''"
        " FROM information_schema.column_privileges WHERE table_schema = ANY(%s)"
        " ORDER BY 1, 2, 3, 4, 5, 6, 7",
        *[list(SCHEMAS)] * 3,
    )


def test_models_and_migrations_agree(urls: DatabaseUrls) -> None:
    assert differences(urls.admin) == []


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE auth.person ADD COLUMN shoe_size bigint",
        "ALTER TABLE retrieval.chunk DROP COLUMN page",
        "ALTER TABLE bot.answer ALTER part DROP NOT NULL",
        "DROP INDEX retrieval.ix_chunk_vec_label",
    ],
)
def test_a_database_that_drifted_from_the_models_is_told_apart(urls: DatabaseUrls, drift: str) -> None:
    change(urls.admin, drift)
    assert len(differences(urls.admin)) == 1


def test_down_to_nothing_and_up_again_gives_the_same_database(urls: DatabaseUrls) -> None:
    before = shape(urls.admin)
    assert downgrade(urls.admin, "base")[1] is None
    assert schemas(urls.admin) == set()
    assert pending(urls.admin)
    upgrade(urls.admin)
    assert not pending(urls.admin)
    assert differences(urls.admin) == []
    assert shape(urls.admin) == before != []


def test_each_step_can_be_taken_back_alone(server: RunningServer, empty: str) -> None:
    url = server.url(database=empty)
    upgrade(url)
    for revision in ("0005", "0004", "0003", "0002", "0001"):
        assert downgrade(url, revision)[1] == revision
        upgrade(url)
    assert differences(url) == []


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_a_copy_of_a_database_is_migrated_on_from_wherever_it_stands(
    server: RunningServer, empty: str, revision: str
) -> None:
    """A copy keeps its tables and loses what was granted on the database itself."""
    upgrade(server.url(database=empty), revision)
    copy = f"copy_{empty}"
    admin = server.url(database="postgres")
    change(admin, f'CREATE DATABASE "{copy}" TEMPLATE "{empty}"')
    try:
        url = server.url(database=copy)
        assert rows(url, "SELECT has_database_privilege(%s, %s, 'CREATE')", OWNER, copy) == [(False,)]
        assert upgrade(url)[0] == revision
        assert not pending(url)
        assert differences(url) == []
    finally:
        change(admin, f'DROP DATABASE "{copy}" WITH (FORCE)')


def test_every_table_stands_behind_row_level_security_forced_on_its_owner(urls: DatabaseUrls) -> None:
    tables = rows(
        urls.admin,
        "SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)",
        list(SCHEMAS),
    )
    assert {name for name, walled in tables if not walled} == WITHOUT_WALL
    assert len(tables) == len(Base.metadata.tables)


def test_nothing_of_documents_is_reachable_past_the_tables(urls: DatabaseUrls) -> None:
    """A view or materialized view would be read with its owner's eyes."""
    found = rows(
        urls.admin,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('v', 'm', 'f') AND n.nspname = ANY(%s)",
        list(SCHEMAS),
    )
    assert found == []


def test_no_role_of_ours_can_step_over_row_level_security(urls: DatabaseUrls) -> None:
    roles = rows(
        urls.admin,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = ANY(%s)",
        [OWNER, APP, READER, SEARCH],
    )
    assert {name for name, *_ in roles} == {OWNER, APP, READER, SEARCH}
    assert [powers for _, *powers in roles] == [[False] * 4] * 4


def test_no_role_that_serves_questions_is_a_member_of_another_role(urls: DatabaseUrls) -> None:
    memberships = rows(
        urls.admin,
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text = ANY(%s)",
        [APP, READER, SEARCH],
    )
    assert memberships == []


def test_only_the_owner_owns_tables(urls: DatabaseUrls) -> None:
    owners = rows(
        urls.admin, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = ANY(%s)", list(SCHEMAS)
    )
    assert owners == [(OWNER,)]


def test_the_app_role_cannot_read_back_what_documents_say(urls: DatabaseUrls) -> None:
    told = rows(
        urls.admin,
        "SELECT n.nspname || '.' || c.relname || '.' || a.attname,"
        "  has_column_privilege(%s, c.oid, a.attnum, 'SELECT')"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
        "  AND (n.nspname = 'retrieval' AND a.attname = ANY(%s)"
        "       OR (n.nspname, c.relname, a.attname) = ('bot', 'answer', 'text'))",
        APP,
        list(TELLING),
    )
    names = {name for name, _ in told}
    assert {"retrieval.chunk.text", "retrieval.chunk_vec.emb", "retrieval.document.title"} <= names
    assert {"retrieval.version.title", "retrieval.chunk.words", "bot.answer.text"} <= names
    assert {name for name, readable in told if readable} == set()


@pytest.mark.parametrize("statement", ["SELECT text FROM retrieval.chunk", "SELECT * FROM bot.answer"])
def test_the_app_role_is_refused_by_name(urls: DatabaseUrls, statement: str) -> None:
    assert urls.app
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(urls.app, statement)


def test_the_reader_role_can_write_nothing(urls: DatabaseUrls) -> None:
    writable = rows(
        urls.admin,
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)"
        "  AND (has_any_column_privilege(%s, c.oid, 'INSERT, UPDATE')"
        "       OR has_table_privilege(%s, c.oid, 'DELETE, TRUNCATE'))",
        [*SCHEMAS, "procrastinate"],
        READER,
        READER,
    )
    assert writable == []


def test_only_these_functions_run_as_somebody_else(urls: DatabaseUrls) -> None:
    found = rows(
        urls.admin,
        "SELECT proname, proowner::regrole::text FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text = ANY(%s)",
        [*SCHEMAS, "procrastinate", "public"],
    )
    assert {name for name, owner in found if owner == OWNER} == {
        "chain_event",
        "close_chain",
        "raise_version",
        "remove_probe",
    }
    assert {name for name, owner in found if owner == SEARCH} == {
        "count_words",
        "lexical_candidates",
        "labels_known",
        "lexical_under",
        "rows_under",
    }
    assert {owner for _, owner in found} == {OWNER, SEARCH}


@pytest.mark.parametrize("role", [APP, READER, SEARCH, "public"])
def test_no_role_that_serves_questions_can_make_anything(urls: DatabaseUrls, role: str) -> None:
    """Tables, functions or types of its own making would be found before the real ones."""
    makes = rows(
        urls.admin,
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) AND has_schema_privilege(%s, oid, 'CREATE')",
        [*SCHEMAS, "procrastinate", "public"],
        role,
    )
    assert makes == []


def test_the_search_function_runs_as_a_role_that_reads_no_text(urls: DatabaseUrls) -> None:
    function = rows(
        urls.admin,
        "SELECT proowner::regrole::text, prosecdef, proconfig[1], has_function_privilege(%s, oid, 'EXECUTE'),"
        " has_function_privilege(%s, oid, 'EXECUTE'),"
        " has_column_privilege(%s, 'retrieval.chunk', 'text', 'SELECT')"
        " FROM pg_proc WHERE oid = 'retrieval.lexical_candidates'::regproc",
        READER,
        APP,
        SEARCH,
    )
    assert function == [(SEARCH, True, "search_path=pg_catalog, pg_temp", True, False, False)]


@pytest.mark.parametrize(
    ("offered", "said"),
    [(None, "has no pgvector"), ("0.7.4", "offers pgvector 0.7.4; Ostiary needs 0.8 or newer")],
)
def test_a_server_without_a_usable_pgvector_is_refused_untouched(
    server: RunningServer, empty: str, offered: str | None, said: str
) -> None:
    url = server.url(database=empty)
    # This server has pgvector; a view that is found before the catalog's own says what another would say.
    listed = f"SELECT 'vector'::name AS name, '{offered}'::text AS default_version" + (
        "" if offered else " WHERE false"
    )
    change(url, f"CREATE VIEW public.pg_available_extensions AS {listed}")
    change(url, f'ALTER DATABASE "{empty}" SET search_path = public, pg_catalog')
    with pytest.raises(DatabaseUnusable, match=said):
        upgrade(url)
    assert schemas(url) == set()


def test_a_revision_that_does_not_exist_is_named_and_nothing_changes(urls: DatabaseUrls) -> None:
    with pytest.raises(
        DatabaseUnusable, match=r"'0099_dreams', and nothing was changed\. Known: base, 00\d\d, "
    ):
        downgrade(urls.admin, "0099_dreams")
    assert not pending(urls.admin)


def test_a_login_that_may_not_migrate_is_told_which_one_may(server: RunningServer, empty: str) -> None:
    with pytest.raises(DatabaseUnusable, match="CREATEROLE"):
        upgrade(server.url(APP, empty))
    assert schemas(server.url(database=empty)) == set()


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnusable, match=r"No database answered at .*127\.0\.0\.1:1/") as raised:
        upgrade("postgresql://somebody:hunter2@127.0.0.1:1/ostiary")
    assert "hunter2" not in str(raised.value)
