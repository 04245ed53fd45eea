"""Documents on their way in: whole or not at all, and never under another label than their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import numpy as np
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles, define_role
from auth.labelling import intern_label
from auth.labels import parse_policy
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, NothingToRead, Submission
from retrieval.parsing import UnreadableDocument
from retrieval.parsing.isolated import ParserProcess
from retrieval.search import search

TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
OLD = b"# Parking\n\nGuests park on deck three of the garage."
NEW = b"# Parking\n\nVisitors leave their cars behind the bakery."


@pytest.fixture
async def ingestor(database: Database, embeddings: LocalEmbeddings) -> AsyncIterator[Ingestor]:
    async with ParserProcess() as parser:
        yield Ingestor(database, embeddings, parser)


@pytest.fixture
async def labels(database: Database, workspace_id: int) -> tuple[int, int]:
    """The labels of `everyone` and of `hr`."""
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "hr")
        return (
            await intern_label(connection, parse_policy("everyone")),
            await intern_label(connection, parse_policy("hr")),
        )


def parking(data: bytes, label_id: int, uri: str = "parking.md", title: str | None = None) -> Submission:
    return Submission(uri, "parking.md", data, label_id, title)


async def test_another_title_or_date_makes_another_version_of_the_same_content(
    database: Database, workspace_id: int, ingestor: Ingestor, labels: tuple[int, int]
) -> None:
    async def handed_in(title: str | None = None, dated: date | None = None) -> tuple[str, str, date | None]:
        submission = Submission("p.md", "p.md", OLD, labels[0], title, dated)
        status = (await ingestor.ingest(workspace_id, submission)).status
        async with database.reading_as(Clearance(workspace_id, frozenset({labels[0]}), 1)) as connection:
            row = (
                await connection.execute(text("SELECT title, dated FROM retrieval.version WHERE is_current"))
            ).one()
        return status, row.title, row.dated

    assert await handed_in() == ("added", "Parking", None)
    assert await handed_in() == ("unchanged", "Parking", None)
    assert await handed_in("Where to park") == ("updated", "Where to park", None)
    assert await handed_in("Where to park", date(2026, 1, 2)) == (
        "updated",
        "Where to park",
        date(2026, 1, 2),
    )
    assert await handed_in("Where to park", date(2026, 1, 2)) == (
        "unchanged",
        "Where to park",
        date(2026, 1, 2),
    )


async def seen(database: Database, workspace_id: int, label_id: int) -> dict[str, int]:
    """How many rows of each table somebody sees who holds this label alone; `label_count` by its number."""
    counted = {table: f"SELECT count(*) FROM retrieval.{table}" for table in TABLES}
    counted["label_count"] = "SELECT coalesce(sum(chunks), 0) FROM retrieval.label_count"
    async with database.reading_as(Clearance(workspace_id, frozenset({label_id}), 1)) as connection:
        return {
            table: int((await connection.execute(text(statement))).scalar_one())
            for table, statement in counted.items()
        }


async def found(
    database: Database, embeddings: LocalEmbeddings, workspace_id: int, label_id: int, question: str
) -> list[str]:
    clearance = Clearance(workspace_id, frozenset({label_id}), 1)
    candidates = await search(database, clearance, question, embeddings.encode([question])[0])
    return [candidate.passage.text for candidate in candidates]


def stored(urls: DatabaseUrls) -> list[tuple[str, int]]:
    """Every row there is, whoever may see it."""
    with psycopg.connect(urls.admin) as connection:
        return [
            (table, connection.execute(f"SELECT count(*) FROM retrieval.{table}").fetchone()[0])  # type: ignore[index]
            for table in TABLES
        ]


def break_in_the_last_statement(monkeypatch: pytest.MonkeyPatch, embeddings: LocalEmbeddings) -> None:
    """PostgreSQL stores no vector that is not a number: everything before it has been written by then."""
    nowhere = np.full((1, 384), np.nan, dtype=np.float32)
    monkeypatch.setattr(embeddings, "encode", lambda texts: nowhere.repeat(len(texts), axis=0))


async def test_an_ingestion_that_fails_at_its_end_leaves_no_row(
    monkeypatch: pytest.MonkeyPatch,
    urls: DatabaseUrls,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
) -> None:
    break_in_the_last_statement(monkeypatch, embeddings)
    with pytest.raises(DBAPIError, match="NaN"):
        await ingestor.ingest(workspace_id, parking(OLD, labels[0]))
    assert stored(urls) == [(table, 0) for table in TABLES]


async def test_an_update_that_fails_at_its_end_leaves_the_old_version_answering(
    monkeypatch: pytest.MonkeyPatch,
    urls: DatabaseUrls,
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
) -> None:
    everyone, hr = labels
    await ingestor.ingest(workspace_id, parking(OLD, everyone))
    before = stored(urls)
    with monkeypatch.context() as broken:
        break_in_the_last_statement(broken, embeddings)
        with pytest.raises(DBAPIError, match="NaN"):
            await ingestor.ingest(workspace_id, parking(NEW, hr))
    assert stored(urls) == before
    passages = await found(database, embeddings, workspace_id, everyone, "Where do guests park?")
    assert ["deck three" in passage for passage in passages] == [True]
    assert set((await seen(database, workspace_id, hr)).values()) == {0}


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n" + bytes(50), b"%PDF-1.7 nothing behind it"])
async def test_a_document_that_cannot_be_read_leaves_the_old_version_answering(
    urls: DatabaseUrls,
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
    data: bytes,
) -> None:
    await ingestor.ingest(workspace_id, parking(OLD, labels[0]))
    before = stored(urls)
    with pytest.raises((UnreadableDocument, NothingToRead)):
        await ingestor.ingest(workspace_id, parking(data, labels[1]))
    assert stored(urls) == before
    assert await found(database, embeddings, workspace_id, labels[0], "Where do guests park?")


async def test_another_label_moves_every_row_of_a_document(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    everyone, hr = labels
    await ingestor.ingest(workspace_id, parking(OLD, everyone))
    outcome = await ingestor.ingest(workspace_id, parking(OLD, hr))
    assert outcome.status == "relabelled"
    assert await seen(database, workspace_id, everyone) == dict.fromkeys(TABLES, 0)
    assert await seen(database, workspace_id, hr) == dict.fromkeys(TABLES, 1)


async def test_another_label_with_a_new_version_takes_the_old_ones_along(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    everyone, hr = labels
    await ingestor.ingest(workspace_id, parking(OLD, everyone))
    outcome = await ingestor.ingest(workspace_id, parking(NEW, hr))
    assert outcome.status == "updated"
    assert await seen(database, workspace_id, everyone) == dict.fromkeys(TABLES, 0)
    both = {"document": 1, "version": 2, "chunk": 2, "chunk_vec": 1, "label_count": 1}
    assert await seen(database, workspace_id, hr) == both


async def test_an_old_version_answers_no_more(
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
) -> None:
    await ingestor.ingest(workspace_id, parking(OLD, labels[0], title="Parking"))
    await ingestor.ingest(workspace_id, parking(NEW, labels[0], title="Parking"))
    passages = await found(database, embeddings, workspace_id, labels[0], "Do guests park on deck three?")
    assert ["bakery" in passage for passage in passages] == [True]
    async with database.reading_as(Clearance(workspace_id, frozenset({labels[0]}), 1)) as connection:
        current = text("SELECT count(*) FILTER (WHERE is_current), count(*) FROM retrieval.chunk")
        assert tuple((await connection.execute(current)).one()) == (1, 2)


async def test_the_same_content_under_two_names_shares_no_access(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    everyone, hr = labels
    ours = await ingestor.ingest(workspace_id, parking(OLD, everyone, "public.md"))
    theirs = await ingestor.ingest(workspace_id, parking(OLD, hr, "private.md"))
    assert ours.document_id != theirs.document_id
    assert (ours.status, theirs.status) == ("added", "added")
    for label_id in labels:
        assert await seen(database, workspace_id, label_id) == dict.fromkeys(TABLES, 1)


async def test_a_label_of_another_workspace_is_refused(
    urls: DatabaseUrls, database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        await define_built_in_roles(connection)
        foreign = await intern_label(connection, parse_policy("everyone"))
    with pytest.raises(DBAPIError, match="foreign key"):
        await ingestor.ingest(workspace_id, parking(OLD, foreign))
    assert stored(urls) == [(table, 0) for table in TABLES]


async def test_one_name_in_two_workspaces_is_two_documents(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        await define_built_in_roles(connection)
        label_id = await intern_label(connection, parse_policy("everyone"))
    await ingestor.ingest(workspace_id, parking(OLD, labels[0]))
    outcome = await ingestor.ingest(other, parking(NEW, label_id))
    assert outcome.status == "added"
    assert await seen(database, workspace_id, labels[0]) == dict.fromkeys(TABLES, 1)


async def test_versions_that_come_at_once_leave_one_that_answers(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    given = [f"# Parking\n\nGuests park on deck {number} of the garage.".encode() for number in range(4)]
    await asyncio.gather(*(ingestor.ingest(workspace_id, parking(data, labels[0])) for data in given))
    clearance = Clearance(workspace_id, frozenset({labels[0]}), 1)
    async with database.reading_as(clearance) as connection:
        current = text("SELECT count(*) FROM retrieval.version WHERE is_current")
        assert (await connection.execute(current)).scalar_one() == 1
    assert (await seen(database, workspace_id, labels[0]))["chunk_vec"] == 1
