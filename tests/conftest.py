"""What the tests share: a PostgreSQL of their own, a fresh migrated database each, and the real embedder."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["LANGSMITH_TRACING"] = "false"

from auth.database import APP, READER, Database, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles
from auth.server import RunningServer, throwaway_server
from migrations.upgrade import upgrade
from retrieval.embedding import LocalEmbeddings
from retrieval.weights import embedder_folder

pytest_plugins = ["tests.browser"]

CACHE = Path(os.environ.get("OSTIARY_TEST_CACHE", Path(__file__).parent.parent / ".ostiary" / "models"))


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with throwaway_server() as running:
        upgrade(running.url())
        yield running


@contextmanager
def fresh_database(server: RunningServer, node_id: str) -> Iterator[DatabaseUrls]:
    """A copy of the migrated database for one test, or for those of one module, with a login for each role."""
    name = f"t{abs(hash(node_id)):x}"
    with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE ostiary')
    yield DatabaseUrls(server.url(database=name), server.url(APP, name), server.url(READER, name))
    with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def urls(server: RunningServer, request: pytest.FixtureRequest) -> Iterator[DatabaseUrls]:
    with fresh_database(server, request.node.nodeid) as made:
        yield made


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    opened = Database(urls)
    yield opened
    await opened.close()


@pytest.fixture
async def workspace_id(database: Database) -> int:
    async with database.registering() as connection:
        created = await register_workspace(connection, "T0TEST", "Test")
    async with database.writing_in(created) as connection:
        await define_built_in_roles(connection)
    return created


@pytest.fixture(scope="session")
def embeddings() -> LocalEmbeddings:
    return LocalEmbeddings.load(embedder_folder(cache=CACHE))
