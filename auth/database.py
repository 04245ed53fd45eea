"""The way to the database. To open it for reading, one must say who is reading.

Three PostgreSQL roles are spoken for here, none of them a superuser: `ostiary_owner` owns the tables and is used by
migrations alone; `ostiary_app` writes, inside one workspace, and cannot read text, titles, vectors or answers back;
`ostiary_reader` reads, inside one clearance. Row-level security is forced on the owner too. A fourth,
`ostiary_search`, runs one function of the database and is no way in.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import psycopg
import structlog
from psycopg.pq import Format
from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from auth.clearance import Clearance
from auth.errors import OstiaryError

log = structlog.get_logger(__name__)

QUICK_CONNECTIONS = 2
ITSELF = "ostiary"
"""Who acts where no person does."""
OWNER, APP, READER = "ostiary_owner", "ostiary_app", "ostiary_reader"

_SERVER_OPTIONS = "-c timezone=UTC"
_OPTIONS_OF = {
    APP: " -c search_path=procrastinate,public",
    # psycopg prepares statements by itself; a generic plan would hide the labels from the planner.
    READER: " -c plan_cache_mode=force_custom_plan",
}

_BIND_READER = text(
    "SELECT set_config('ostiary.workspace_id', :workspace_id, true),"
    " set_config('ostiary.label_ids', :label_ids, true),"
    " set_config('transaction_read_only', 'on', true)"
)
_SET = text("SELECT set_config(:name, :value, true)")
WORKSPACE = "current_setting('ostiary.workspace_id')::bigint"
"""SQL for the workspace that a transaction of `writing_in` works in."""
_BIND_WORKSPACE = text(
    "SELECT set_config('ostiary.workspace_id', :workspace_id, true), set_config('ostiary.actor', :actor, true)"
)
# The statements that decide are few, short, and asked for often: planning them anew, or starting workers for them,
# would cost more than running them.
_BIND_DECIDER = text(
    "SELECT set_config('ostiary.workspace_id', :workspace_id, true), set_config('ostiary.actor', :actor, true),"
    " set_config('plan_cache_mode', 'force_generic_plan', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)
_POLICY_VERSION = text("SELECT policy_version FROM auth.workspace WHERE id = :workspace_id")
# Of the session: let go of when its connection is closed.
_BE_SOLE = text("SELECT pg_try_advisory_lock(hashtextextended(:what, :of))")
_ROLE_FACTS = text(
    "SELECT rolname, rolsuper, rolbypassrls, pg_has_role(current_user, 'ostiary_owner', 'USAGE') AS owns"
    " FROM pg_roles WHERE rolname = current_user"
)


class DatabaseUnusable(OstiaryError):
    """The database cannot be used as it is; the message says what to do."""


@dataclass(frozen=True)
class DatabaseUrls:
    """Where the database is. `admin` may create roles and extensions and is used by migrations alone.

    Without an `app` or `reader` login of their own, `admin` logs in and steps down to the role it acts as.
    """

    admin: str
    app: str | None = None
    reader: str | None = None


class _BinaryCursor(psycopg.AsyncCursor[Any]):
    """Takes results as the server has them: a search brings half a megabyte of vectors, twice that as text."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.format = Format.BINARY


class Database:
    """Sessions bound to what they may touch. Create one per process; `close()` it at the end."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = 8) -> None:
        self.urls = urls
        self._app = _engine(urls.app or urls.admin, APP, pool_size)
        self._reader = _engine(
            urls.reader or urls.admin, READER, max(QUICK_CONNECTIONS, pool_size // 4), cursor=_BinaryCursor
        )
        self._one_exchange = _engine(
            urls.reader or urls.admin, READER, pool_size, pre_ping=False, isolation="AUTOCOMMIT"
        )
        self._snapshots = self._app.execution_options(isolation_level="REPEATABLE READ")
        self._unchecked = _engine(
            urls.app or urls.admin, APP, QUICK_CONNECTIONS, pre_ping=False
        ).execution_options(isolation_level="AUTOCOMMIT")
        self._apart = create_async_engine(
            self._unchecked.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"options": connection_options(APP)},
        )

    @asynccontextmanager
    async def reading_as(self, clearance: Clearance) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction that sees the rows under `clearance` and nothing else.

        PostgreSQL enforces it by row-level security, whatever the statements ask for.
        """
        async with self._reader.connect() as connection, connection.begin():
            await connection.execute(_BIND_READER, _reader_binds(clearance))
            yield connection

    async def read_once(
        self,
        clearance: Clearance,
        statement: str,
        binds: Mapping[str, object],
        planning: Mapping[str, str] | None = None,
    ) -> Sequence[Any]:
        """The rows, as named tuples, of one statement in a transaction of `reading_as` of its own.

        All of it is one exchange with the server, and the statement is prepared once for each connection.
        `planning` are settings for it, the same each time. A connection is not tried beforehand: where it failed,
        it is asked once more in the ordinary way, and what is wrong then is raised.
        """
        try:
            return await self._in_one_exchange(clearance, statement, binds, planning or {})
        except psycopg.Error as error:
            log.warning(
                "read in the ordinary way, after an error",
                error=type(error).__name__,
                sqlstate=error.sqlstate,
            )
            async with self.reading_as(clearance) as connection:
                for name, value in (planning or {}).items():
                    await connection.execute(_SET, {"name": name, "value": value})
                return (await connection.execute(text(statement), binds)).all()

    async def _in_one_exchange(
        self, clearance: Clearance, statement: str, binds: Mapping[str, object], planning: Mapping[str, str]
    ) -> Sequence[Any]:
        engine = self._one_exchange
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, psycopg.AsyncConnection)
            cursor = driver.cursor(binary=True, row_factory=namedtuple_row)
            try:
                async with driver.pipeline():
                    await driver.execute(b"BEGIN")
                    bind = _in_driver_style(_BIND_READER.text, engine.dialect)
                    await driver.execute(bind, _reader_binds(clearance), prepare=True)
                    if planning:
                        await driver.execute(
                            _settings(tuple(planning)), list(planning.values()), prepare=True
                        )
                    await cursor.execute(_in_driver_style(statement, engine.dialect), binds, prepare=True)
                    await driver.execute(b"COMMIT")
                return await cursor.fetchall()
            except BaseException:
                await connection.invalidate()  # whatever state it is in
                raise

    @asynccontextmanager
    async def writing_in(self, workspace_id: int, actor: str = ITSELF) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change one workspace; committed at the end, rolled back on any error.

        `actor` is whom the audit log names for what changes in it: a Slack user id, or what acted by itself.
        """
        async with self._app.begin() as connection:
            await enter_workspace(connection, workspace_id, actor)
            yield connection

    @asynccontextmanager
    async def deciding_in(self, workspace_id: int) -> AsyncIterator[AsyncConnection]:
        """A transaction that decides who may read what: all of it sees the directory as it was at one moment."""
        async with self._snapshots.begin() as connection:
            await connection.execute(_BIND_DECIDER, {"workspace_id": str(workspace_id), "actor": ITSELF})
            yield connection

    async def policy_version(self, workspace_id: int) -> int:
        """The version of who may read what as it is now: one statement and no transaction, asked for very often.

        So often that a connection is not tried beforehand: where the server went away, it is asked once more.
        """
        try:
            return await self._policy_version(workspace_id)
        except OperationalError:
            return await self._policy_version(workspace_id)

    async def _policy_version(self, workspace_id: int) -> int:
        async with self._unchecked.connect() as connection:
            found = await connection.execute(_POLICY_VERSION, {"workspace_id": workspace_id})
            return int(found.scalar_one())

    @asynccontextmanager
    async def registering(self) -> AsyncIterator[AsyncConnection]:
        """A transaction outside any workspace: sees the list of workspaces and nothing in them."""
        async with self._app.begin() as connection:
            yield connection

    @asynccontextmanager
    async def sole(self, what: str, of: int = 0) -> AsyncIterator[bool]:
        """Whether nobody else holds `what` of this number, over all processes; held as long as this lasts.

        However long: on a connection of its own, and in no transaction. PostgreSQL lets go of the hold when the
        process that has it dies.
        """
        async with self._apart.connect() as connection:
            yield bool((await connection.execute(_BE_SOLE, {"what": what, "of": of})).scalar_one())

    async def check(self) -> None:
        """Raise DatabaseUnusable unless the server answers, and neither role could step over row-level security."""
        for engine in (self._app, self._reader, self._one_exchange):
            await _check_engine(engine)

    async def close(self) -> None:
        await self._app.dispose()
        await self._reader.dispose()
        await self._one_exchange.dispose()
        await self._unchecked.dispose()
        await self._apart.dispose()


def _reader_binds(clearance: Clearance) -> dict[str, str]:
    labels = "{" + ",".join(map(str, sorted(clearance.label_ids))) + "}"
    return {"workspace_id": str(clearance.workspace_id), "label_ids": labels}


@lru_cache(maxsize=64)
def _in_driver_style(statement: str, dialect: Dialect) -> bytes:
    """`:name` as psycopg has it: `%(name)s`."""
    return str(text(statement).compile(dialect=dialect)).encode()


@lru_cache(maxsize=64)
def _settings(names: tuple[str, ...]) -> bytes:
    """A statement that sets these for the rest of its transaction."""
    return ("SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in names)).encode()


async def enter_workspace(connection: AsyncConnection, workspace_id: int, actor: str = ITSELF) -> None:
    """From here on a transaction of `registering` works inside this workspace: to found it and fill it at once."""
    await connection.execute(_BIND_WORKSPACE, {"workspace_id": str(workspace_id), "actor": actor})


def _engine(
    url: str,
    role: str,
    pool_size: int,
    *,
    pre_ping: bool = True,
    isolation: Literal["READ COMMITTED", "AUTOCOMMIT"] = "READ COMMITTED",
    cursor: type[psycopg.AsyncCursor[Any]] = psycopg.AsyncCursor,
) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=pre_ping,
        isolation_level=isolation,
        hide_parameters=True,  # errors are logged; questions and documents never are
        connect_args={"options": connection_options(role), "cursor_factory": cursor},
    )


def connection_options(role: str) -> str:
    """libpq `options` that make a connection act as `role`, whatever login opened it.

    Given at connection time, the role is also what RESET ROLE goes back to.
    """
    return f"{_SERVER_OPTIONS} -c role={role}{_OPTIONS_OF.get(role, '')}"


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
