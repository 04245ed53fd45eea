"""Letting go of what the audit log says of happenings, once its time is over. Who changed what is kept for good.

Only the details go. That something happened, when and by whom stays, and so does the hash of the details: the
chain holds, and `auth.audit.verify` tells what was withdrawn from what was torn out.
"""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from auth.audit import WITHDRAWN, record
from auth.database import (
    OWNER,
    WORKSPACE,
    DatabaseUnusable,
    DatabaseUrls,
    connection_options,
    enter_workspace,
)
from auth.errors import OstiaryError

_WITHDRAW = text(
    f"UPDATE auth.audit_event SET details = NULL WHERE workspace_id = {WORKSPACE} AND relation IS NULL"
    f" AND kind <> '{WITHDRAWN}' AND at < :before AND details IS NOT NULL"
)


class NotOver(OstiaryError):
    """What is asked to be withdrawn is not past; the message says what to do."""


async def withdraw(
    urls: DatabaseUrls, workspace_id: int, before: datetime, actor: str, now: datetime | None = None
) -> int:
    """Empty the details of happenings before a moment, for good, and record that; returns how many there were.

    As the owner of the tables: no role that works day by day could. Changes of who may read what keep theirs,
    since history is put together from them. Raises NotOver for a moment to come.
    """
    if before > (now or datetime.now(UTC)):
        raise NotOver(
            f"{before:%Y-%m-%d} is yet to come. Only what is past can be withdrawn: name an earlier day."
        )
    engine = create_async_engine(
        make_url(urls.admin).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"options": connection_options(OWNER)},
    )
    try:
        async with engine.begin() as connection:
            await enter_workspace(connection, workspace_id, actor)
            withdrawn = (await connection.execute(_WITHDRAW, {"before": before})).rowcount
            if withdrawn:
                await record(connection, WITHDRAWN, {"before": before.isoformat(), "events": withdrawn})
            return withdrawn
    except OperationalError as error:
        raise DatabaseUnusable(
            "The database could not be opened as its owner. Check that it runs, and that DATABASE_URL logs in as"
            " somebody who may act as ostiary_owner."
        ) from error
    finally:
        await engine.dispose()
