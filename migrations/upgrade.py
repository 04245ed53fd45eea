"""Bring a database to a revision, or say in a sentence why that cannot be done."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from auth.database import DatabaseUnusable

OLDEST_POSTGRESQL, OLDEST_PGVECTOR = 16, (0, 8)
Step = Callable[[Config, str], None]

# Grants on a database stay behind when it is copied by TEMPLATE or restored from a dump; the first revision,
# which gives this one, is not run again there.
_LET_OWNER_CREATE = text("""
    DO $$ BEGIN
        IF NOT has_database_privilege(to_regrole('ostiary_owner'), current_database(), 'CREATE') THEN
            EXECUTE format('GRANT CREATE ON DATABASE %I TO ostiary_owner', current_database());
        END IF;
    END $$
""")


def upgrade(admin_url: str, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate up. Returns the revisions (before, after). Each step is a transaction: all of it or nothing."""
    return _migrate(admin_url, revision, _step_up)


def downgrade(admin_url: str, revision: str) -> tuple[str | None, str | None]:
    """Migrate down to `revision` ("base" takes everything away). Returns the revisions (before, after)."""
    return _migrate(admin_url, revision, command.downgrade)


def pending(admin_url: str) -> bool:
    """Whether the database is behind this version of Ostiary."""
    engine = open_engine(admin_url)
    try:
        with engine.connect() as connection:
            return _revision(connection) != ScriptDirectory.from_config(_config()).get_current_head()
    except OperationalError as error:
        raise _unreachable(engine, error) from error
    finally:
        engine.dispose()


def _migrate(admin_url: str, revision: str, step: Step) -> tuple[str | None, str | None]:
    engine = open_engine(admin_url)
    config = _config()
    try:
        with engine.begin() as connection:
            # Two processes that start at once must not migrate at once.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ostiary migrate'))"))
            _refuse_old_server(connection)
            before = _revision(connection)
            config.attributes["connection"] = connection
            step(config, revision)
            return before, _revision(connection)
    except CommandError as error:
        known = ", ".join(found.revision for found in ScriptDirectory.from_config(config).walk_revisions())
        raise DatabaseUnusable(
            f"There is no way to the revision '{revision}', and nothing was changed. Known: base, {known}."
        ) from error
    except OperationalError as error:
        raise _unreachable(engine, error) from error
    except ProgrammingError as error:
        raise DatabaseUnusable(
            f"The database could not be migrated: {str(error.orig).strip().splitlines()[0]}. `DATABASE_URL` must"
            " log in as a superuser, or as a role with CREATEROLE that owns the database, with pgvector installed"
            " by a superuser beforehand (CREATE EXTENSION vector)."
        ) from error
    finally:
        engine.dispose()


def _step_up(config: Config, revision: str) -> None:
    config.attributes["connection"].execute(_LET_OWNER_CREATE)
    command.upgrade(config, revision)


def open_engine(admin_url: str) -> Engine:
    """An engine for whoever makes roles and tables."""
    return create_engine(make_url(admin_url).set(drivername="postgresql+psycopg"))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_old_server(connection: Connection) -> None:
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if number < OLDEST_POSTGRESQL * 10000:
        raise DatabaseUnusable(
            f"This is PostgreSQL {number // 10000}; Ostiary needs {OLDEST_POSTGRESQL} or newer. Upgrade it, or"
            " leave DATABASE_URL empty to use the embedded server."
        )
    offered = connection.execute(
        text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    ).scalar()
    if offered is None:
        raise DatabaseUnusable(
            "This PostgreSQL has no pgvector. Install it on the server (Debian: postgresql-NN-pgvector), or leave"
            " DATABASE_URL empty to use the embedded server, which has it."
        )
    if tuple(int(part) for part in offered.split(".")[:2]) < OLDEST_PGVECTOR:
        raise DatabaseUnusable(
            f"This PostgreSQL offers pgvector {offered}; Ostiary needs 0.8 or newer. Upgrade the extension."
        )


def _unreachable(engine: Engine, error: OperationalError) -> DatabaseUnusable:
    reason = str(error.orig).strip().splitlines()[-1]
    where = engine.url.render_as_string(hide_password=True)
    return DatabaseUnusable(
        f"No database answered at {where}: {reason}. Start PostgreSQL, correct DATABASE_URL, or leave it empty"
        " to use the embedded server."
    )
