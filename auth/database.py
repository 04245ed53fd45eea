"""The way to the database. To open it for reading, one must say who is reading.

Three PostgreSQL roles, none of them a superuser: `ostiary_owner` owns the tables and is used by migrations
alone; `ostiary_app` writes, inside one workspace, and cannot read text, titles, vectors or answers back;
`ostiary_reader` reads, inside one clearance. Row-level security is forced on the owner too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker, create_async_engine

from auth.clearance import Clearance
from auth.errors import OstiaryError

OWNER, APP, READER = "ostiary_owner", "ostiary_app", "ostiary_reader"

# psycopg prepares statements by itself; a generic plan would hide the labels from the planner.
_SERVER_OPTIONS = "-c plan_cache_mode=force_custom_plan -c timezone=UTC"
_APP_SEARCH_PATH = " -c search_path=procrastinate,public"

_BIND_READER = text(
    "SELECT set_config('ostiary.workspace_id', :workspace_id, true),"
    " set_config('ostiary.label_ids', :label_ids, true),"
    " set_config('transaction_read_only', 'on', true)"
)
_BIND_WORKSPACE = text("SELECT set_config('ostiary.workspace_id', :workspace_id, true)")
_ROLE_FACTS = text(
    "SELECT rolname, rolsuper, rolbypassrls, pg_has_role(oid, 'ostiary_owner', 'USAGE') AS owns"
    " FROM pg_roles WHERE rolname = current_user"
)


class DatabaseUnusable(OstiaryError):
    """The database cannot be used as it is; the message says what to do."""


@dataclass(frozen=True)
class DatabaseUrls:
    """Where the database is. `admin` may create roles and extensions and is used by migrations alone.

    Without an `app` or `reader` login of their own, `admin` logs in and steps down by SET ROLE.
    """

    admin: str
    app: str | None = None
    reader: str | None = None


class Database:
    """Sessions bound to what they may touch. Create one per process; `close()` it at the end."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = 8) -> None:
        self._app = _engine(urls.app or urls.admin, APP, pool_size, _SERVER_OPTIONS + _APP_SEARCH_PATH)
        self._reader = _engine(urls.reader or urls.admin, READER, pool_size, _SERVER_OPTIONS)
        self._writers = async_sessionmaker(self._app, expire_on_commit=False)

    @asynccontextmanager
    async def reading_as(self, clearance: Clearance) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction that sees the rows under `clearance` and nothing else.

        PostgreSQL enforces it by row-level security, whatever the statements ask for.
        """
        async with self._reader.connect() as connection, connection.begin():
            labels = "{" + ",".join(map(str, sorted(clearance.label_ids))) + "}"
            await connection.execute(
                _BIND_READER, {"workspace_id": str(clearance.workspace_id), "label_ids": labels}
            )
            yield connection

    @asynccontextmanager
    async def writing_in(self, workspace_id: int) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change one workspace; committed at the end, rolled back on any error."""
        async with self._app.begin() as connection:
            await connection.execute(_BIND_WORKSPACE, {"workspace_id": str(workspace_id)})
            yield connection

    @asynccontextmanager
    async def registering(self) -> AsyncIterator[AsyncConnection]:
        """A transaction outside any workspace: sees the list of workspaces and nothing in them."""
        async with self._app.begin() as connection:
            yield connection

    async def check(self) -> None:
        """Raise DatabaseUnusable unless the server answers, is migrated, and both walls stand."""
        for engine in (self._app, self._reader):
            await _check_engine(engine)

    async def close(self) -> None:
        await self._app.dispose()
        await self._reader.dispose()


def _engine(url: str, role: str, pool_size: int, options: str) -> AsyncEngine:
    target = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_async_engine(
        target,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": options},
    )
    if target.username != role:
        event.listen(engine.sync_engine, "connect", _step_down(role))
    return engine


def _step_down(role: str) -> Any:
    """A login that may do more becomes `role` before anybody uses the connection."""

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET ROLE {role}")
        cursor.close()
        connection.commit()

    return on_connect


async def _check_engine(engine: AsyncEngine) -> None:
    try:
        async with engine.connect() as connection:
            facts = (await connection.execute(_ROLE_FACTS)).one()
    except OperationalError as error:
        raise DatabaseUnusable(_say_why(engine, error)) from error
    if facts.rolsuper or facts.rolbypassrls or facts.owns:
        raise DatabaseUnusable(
            f"The database role {facts.rolname} could bypass row-level security (superuser, BYPASSRLS or"
            " table owner). Run `ostiary migrate`, which creates roles that cannot, or correct it by hand."
        )


def _say_why(engine: AsyncEngine, error: OperationalError) -> str:
    where = engine.url.render_as_string(hide_password=True)
    reason = str(error.orig).strip().splitlines()[-1]
    return (
        f"The database at {where} could not be used: {reason}. Check that PostgreSQL runs, that DATABASE_URL"
        " is right, and that `ostiary migrate` has been run."
    )
