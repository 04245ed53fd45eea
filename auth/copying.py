"""Many rows at once into a table of this transaction's own, by binary COPY through the driver beneath SQLAlchemy.

Of this transaction's own, since PostgreSQL copies into no table under row-level security: from there a statement
takes the rows on, through every policy.
"""

from collections.abc import Iterable, Sequence

import psycopg
from pgvector.psycopg.vector import register_vector_info
from psycopg.types import TypeInfo
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


async def copy_rows(
    connection: AsyncConnection, table: str, types: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Copy `rows` into the temporary `table`, whose columns have these PostgreSQL `types`.

    Errors come as SQLAlchemy's, as everywhere else, and name no value.
    """
    statement = f"COPY pg_temp.{table} FROM STDIN (FORMAT BINARY)"
    try:
        await _copy(connection, statement, types, rows)
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True) from error


async def _copy(
    connection: AsyncConnection, statement: str, types: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    await _know_vectors(raw)
    async with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row(row)


async def _know_vectors(raw: psycopg.AsyncConnection) -> None:
    """Teach a connection how pgvector's vectors are sent; what it has learned it keeps."""
    if raw.adapters.types.get("vector") is None:
        info = await TypeInfo.fetch(raw, "vector")
        assert info is not None, "migrations require pgvector"
        register_vector_info(raw, info)
