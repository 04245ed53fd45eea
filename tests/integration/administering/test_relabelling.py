"""Documents get another label in one statement, and nothing that is stored meanwhile keeps the old one."""

import asyncio

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from auth.labelling import intern_label
from auth.labels import parse_policy
from retrieval.relabelling import relabel_documents
from tests.integration.administering.conftest import Company

_LABELS = text(f"SELECT label_id FROM retrieval.chunk WHERE workspace_id = {WORKSPACE} AND document_id = :id")
_ANOTHER_CHUNK = text(
    "INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "  heading_path, tokens, words)"
    f" SELECT {WORKSPACE}, d.id, v.id, d.label_id, true, 9, 'late', '{{}}', 1, to_tsvector('late')"
    " FROM retrieval.document d JOIN retrieval.version v ON v.document_id = d.id WHERE d.id = :id"
)
_HOLD = text(f"UPDATE retrieval.document SET title = 'new' WHERE workspace_id = {WORKSPACE} AND id = :id")


async def statements_for(connection: AsyncConnection, ids: tuple[int, ...], label_id: int) -> int:
    """How many statements it takes to relabel these."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    raw = connection.sync_connection
    assert raw is not None
    event.listen(raw, "before_cursor_execute", note)
    moved = await relabel_documents(connection, ids, label_id)
    event.remove(raw, "before_cursor_execute", note)
    assert sum(moved.values()) == len(ids)
    return len(seen)


async def test_it_takes_as_many_statements_for_four_documents_as_for_one(company: Company) -> None:
    everything = tuple(company.documents.values())
    async with company.database.writing_in(company.workspace_id) as connection:
        hidden = await intern_label(connection, parse_policy("hr+finance"))
        other = await intern_label(connection, parse_policy("guest"))
        assert await statements_for(connection, everything, hidden) == 2
        assert await statements_for(connection, everything[:1], other) == 2


async def test_what_a_running_ingestion_stores_meanwhile_gets_the_new_label_too(company: Company) -> None:
    """The ingestion holds the document; relabelling waits for it and then sees what it stored."""
    budget = {"id": company.documents["budget"]}
    async with company.database.writing_in(company.workspace_id) as connection:
        closed = await intern_label(connection, parse_policy("hr"))

    async def relabel() -> None:
        async with company.database.writing_in(company.workspace_id) as connection:
            await relabel_documents(connection, [budget["id"]], closed)

    async with company.database.writing_in(company.workspace_id) as ingestion:
        await ingestion.execute(_HOLD, budget)
        relabelling = asyncio.create_task(relabel())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(relabelling), 1)
        await ingestion.execute(_ANOTHER_CHUNK, budget)
    await relabelling
    async with company.database.writing_in(company.workspace_id) as connection:
        labels = [row.label_id for row in await connection.execute(_LABELS, budget)]
    assert labels == [closed] * 3


async def test_documents_under_the_label_already_are_left_alone(company: Company) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        finance = await intern_label(connection, parse_policy("finance"))
        everything = tuple(company.documents.values())
        moved = await relabel_documents(connection, everything, finance)
        assert sum(moved.values()) == len(everything) - 1
        assert finance not in moved
        assert await relabel_documents(connection, everything, finance) == {}
        assert await relabel_documents(connection, [], finance) == {}
