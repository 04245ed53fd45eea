"""Documents on their way in: whole or not at all, and never under another label than their own."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
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
from retrieval.chunking import embedding_text
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, NothingToRead, Progress, Submission
from retrieval.parsing import UnreadableDocument
from retrieval.parsing.isolated import ParserProcess
from retrieval.reranking.token_codes import encode_passages
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
    encode = embeddings.encode_tokens
    monkeypatch.setattr(
        embeddings, "encode_tokens", lambda texts: (nowhere.repeat(len(texts), axis=0), encode(texts)[1])
    )


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


async def test_the_same_that_comes_at_once_is_stored_once(
    database: Database, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    same = [ingestor.ingest(workspace_id, parking(NEW, labels[0])) for _ in range(4)]
    outcomes = await asyncio.gather(*same)
    assert sorted(outcome.status for outcome in outcomes) == ["added", *["unchanged"] * 3]
    assert await seen(database, workspace_id, labels[0]) == dict.fromkeys(TABLES, 1)


def long_document(passages: int) -> bytes:
    """A section a passage, none of which is tiny."""
    text = "Guests park on this deck of the garage and nowhere else, whatever they drive. " * 4
    return "\n\n".join(f"# Deck {number}\n\n{number}. {text}" for number in range(passages)).encode()


async def test_an_ingestion_tells_how_far_it_came(
    ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    told: list[Progress] = []
    outcome = await ingestor.ingest(workspace_id, parking(long_document(70), labels[0]), told.append)
    assert outcome.chunks == 70
    embedded = [Progress("embedding", done, 70) for done in (0, 32, 64, 70)]
    parsed = [Progress("parsing", done, 1) for done in (0, 1)]
    assert told == [*parsed, *embedded, Progress("storing", 0, 70), Progress("storing", 70, 70)]


@pytest.mark.parametrize(
    "moment",
    [Progress("parsing", 0, 1), Progress("embedding", 0, 70), Progress("embedding", 32, 70)],
    ids=str,
)
async def test_a_cancelled_ingestion_leaves_the_old_version_answering_and_embeds_no_further(
    monkeypatch: pytest.MonkeyPatch,
    urls: DatabaseUrls,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
    moment: Progress,
) -> None:
    await ingestor.ingest(workspace_id, parking(OLD, labels[0]))
    before = stored(urls)
    asked: list[int] = []
    encode = embeddings.encode_tokens
    monkeypatch.setattr(embeddings, "encode_tokens", lambda texts: asked.append(len(texts)) or encode(texts))

    def cancel(progress: Progress) -> None:
        if progress == moment:
            task.cancel()

    task = asyncio.create_task(ingestor.ingest(workspace_id, parking(long_document(70), labels[1]), cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stored(urls) == before
    assert len(asked) <= 1 + moment.done // 32


async def test_chunking_ends_when_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, ingestor: Ingestor, workspace_id: int, labels: tuple[int, int]
) -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    counted: list[int] = []
    count = ingestor._count_tokens

    def slowly(texts: Sequence[str]) -> list[int]:
        loop.call_soon_threadsafe(began.set)
        counted.append(len(texts))
        time.sleep(0.01)
        return count(texts)

    monkeypatch.setattr(ingestor, "_count_tokens", slowly)
    task = asyncio.create_task(ingestor.ingest(workspace_id, parking(long_document(200), labels[0])))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    so_far = len(counted)
    await asyncio.sleep(0.2)
    assert len(counted) == so_far


async def test_what_is_there_is_found_while_the_index_grows(
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    workspace_id: int,
    labels: tuple[int, int],
) -> None:
    await ingestor.ingest(
        workspace_id, parking(b"# Canteen\n\nLunch is served at noon.", labels[0], "canteen.md")
    )
    growing = asyncio.gather(
        *(
            ingestor.ingest(workspace_id, parking(long_document(40), labels[0], f"{number}.md"))
            for number in range(4)
        )
    )
    searches, while_growing = 0, set()
    while not growing.done():
        passages = await found(database, embeddings, workspace_id, labels[0], "When is lunch served?")
        assert "noon" in passages[0]
        while_growing.add(len(passages))
        searches += 1
    await growing
    assert searches >= 4
    assert len(while_growing) > 1, "the index grew under the searches"


async def test_what_re_ranking_reads_of_a_passage_comes_with_it_from_the_search(
    database: Database,
    workspace_id: int,
    ingestor: Ingestor,
    embeddings: LocalEmbeddings,
    labels: tuple[int, int],
) -> None:
    await ingestor.ingest(workspace_id, parking(OLD, labels[0]))
    vector = embeddings.encode(["Where do guests park?"])[0]
    reader = Clearance(workspace_id, frozenset({labels[0]}), 1)
    (found,) = await search(database, reader, "Where do guests park?", vector)
    (passage,) = encode_passages(embeddings, [embedding_text("Parking", (), found.passage.text)])
    assert found.token_codes == passage.token_codes
