"""The application's filter and row-level security: that they agree, and that an alarm rings where they do not."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.directory import register_workspace
from retrieval import search as searching
from retrieval.locks import (
    CHUNKS,
    FILTER,
    FUNCTION,
    NAMED_AT_MOST,
    POLICIES,
    VECTORS,
    CrossCheck,
    Difference,
    FoundRow,
    LocksDisagree,
    insist_on,
)
from retrieval.relabelling import relabel_documents
from retrieval.search import LABEL_FILTER, Candidate, SearchSettings, readable, search

TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
CHECKED = SearchSettings(cross_check=CrossCheck(1))
UNCHECKED = SearchSettings()
QUESTION = "What does the budget say?"
SECRET = "Kingfisher"
VECTOR: npt.NDArray[np.float32] = np.full(384, 384**-0.5, dtype=np.float32)
_EMB = "[" + ",".join(["0.051"] * 384) + "]"

_LABEL = text(
    "INSERT INTO auth.access_label (workspace_id, policy) VALUES (:workspace_id, :policy) RETURNING id"
)
_DOCUMENT = text(
    "INSERT INTO retrieval.document (workspace_id, label_id, uri, title)"
    " VALUES (:workspace_id, :label_id, :name, :name) RETURNING id"
)
_VERSION = text(
    "INSERT INTO retrieval.version (workspace_id, document_id, label_id, is_current, content_hash, title,"
    " media_type) VALUES (:workspace_id, :document_id, :label_id, :is_current, '\\x00', :name, 'text/plain')"
    " RETURNING id"
)
_CHUNKS = text(
    "WITH stored AS ("
    " INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "  heading_path, tokens, words)"
    " SELECT :workspace_id, :document_id, :version_id, :label_id, :is_current, at, 'The budget of ' || :name, '{}',"
    "  4, to_tsvector('english', 'The budget of ' || :name) FROM generate_series(1, :chunks) AS at RETURNING id"
    ") INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    " SELECT :workspace_id, id, :label_id, :document_id, CAST(:emb AS vector) FROM stored WHERE :is_current"
)


@dataclass(frozen=True)
class House:
    """A workspace with documents under three labels, all open but for the last, and one of every past version."""

    workspace_id: int
    open: int
    also_open: int
    closed: int

    @property
    def clearance(self) -> Clearance:
        return Clearance(self.workspace_id, frozenset({self.open, self.also_open}), 1)


async def add_label(connection: AsyncConnection, workspace_id: int, policy: str) -> int:
    values = {"workspace_id": workspace_id, "policy": policy}
    return int((await connection.execute(_LABEL, values)).scalar_one())


async def add_document(
    connection: AsyncConnection, workspace_id: int, label_id: int, name: str, chunks: int = 2
) -> int:
    """A document with a version that is past and one that is current. Returns its id."""
    values = {"workspace_id": workspace_id, "label_id": label_id, "name": name, "chunks": chunks, "emb": _EMB}
    document_id = int((await connection.execute(_DOCUMENT, values)).scalar_one())
    for is_current in (False, True):
        this = {**values, "document_id": document_id, "is_current": is_current}
        this["version_id"] = (await connection.execute(_VERSION, this)).scalar_one()
        await connection.execute(_CHUNKS, this)
    return document_id


@pytest.fixture
async def house(database: Database, workspace_id: int) -> House:
    async with database.writing_in(workspace_id) as connection:
        labels = [await add_label(connection, workspace_id, name) for name in ("blue", "green", "grey")]
        for label_id, name in zip(labels, ("blue", "green", SECRET), strict=True):
            await add_document(connection, workspace_id, label_id, name)
    return House(workspace_id, *labels)


@pytest.fixture
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Somebody who can take a lock off."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        yield connection


async def alarm_of(database: Database, clearance: Clearance) -> dict[str, Difference]:
    """What the alarm says that a checked search rings, by what was compared; nothing is returned beside it."""
    with pytest.raises(LocksDisagree) as alarm:
        await search(database, clearance, QUESTION, VECTOR, CHECKED)
    return {difference.compared: difference for difference in alarm.value.differences}


def titles(found: Sequence[Candidate]) -> set[str]:
    return {candidate.passage.title for candidate in found}


def labels(difference: Difference, side: str) -> set[int]:
    return {label_id for _, label_id in difference.only.get(side, ())}


async def test_locks_that_stand_agree_and_the_search_goes_on(database: Database, house: House) -> None:
    assert titles(await search(database, house.clearance, QUESTION, VECTOR, CHECKED)) == {"blue", "green"}


@pytest.mark.parametrize("seed", range(4))
async def test_any_clearance_in_any_company_is_read_alike(
    database: Database, workspace_id: int, seed: int
) -> None:
    rng = random.Random(seed)
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    known: dict[int, list[int]] = {}
    for workspace in (workspace_id, other):
        async with database.writing_in(workspace) as connection:
            known[workspace] = [
                await add_label(connection, workspace, f"role{at}") for at in range(rng.randint(1, 6))
            ]
            for at in range(rng.randint(0, 12)):
                label_id = rng.choice(known[workspace])
                await add_document(connection, workspace, label_id, f"doc{at}", rng.randint(1, 4))
    everywhere = [*known[workspace_id], *known[other], 10**9]
    for _ in range(15):
        held = rng.sample(everywhere, rng.randint(0, len(everywhere)))
        clearance = Clearance(rng.choice((workspace_id, other)), frozenset(held), 1)
        found = await search(database, clearance, QUESTION, VECTOR, CHECKED)
        assert clearance.covers(candidate.passage.label_id for candidate in found)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("lock", ["row-level security switched off", "a policy that admits everything"])
async def test_a_table_whose_row_level_security_is_open_is_found_out(
    database: Database, house: House, admin: psycopg.Connection, table: str, lock: str
) -> None:
    if lock == "row-level security switched off":
        admin.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")
    else:
        admin.execute(f"ALTER POLICY readable ON retrieval.{table} USING (true)")
    alarm = await alarm_of(database, house.clearance)
    assert labels(alarm[table], POLICIES) == {house.closed}
    assert labels(alarm[table], FILTER) == set()
    # Without the check nobody would have noticed: the other lock holds, and nothing is found that is closed.
    assert titles(await search(database, house.clearance, QUESTION, VECTOR, UNCHECKED)) == {"blue", "green"}


@pytest.mark.parametrize("table", TABLES)
async def test_a_table_that_lost_its_policy_is_found_out(
    database: Database, house: House, admin: psycopg.Connection, table: str
) -> None:
    admin.execute(f"DROP POLICY readable ON retrieval.{table}")
    alarm = await alarm_of(database, house.clearance)
    assert labels(alarm[table], FILTER) == {house.open, house.also_open}
    assert labels(alarm[table], POLICIES) == set()


@pytest.mark.parametrize(
    "widened", ["true", "v.workspace_id = :workspace_id OR v.label_id = ANY(CAST(:label_ids AS bigint[]))"]
)
async def test_a_filter_that_admits_too_much_is_found_out(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch, widened: str
) -> None:
    monkeypatch.setattr(searching, "LABEL_FILTER", widened)
    alarm = await alarm_of(database, house.clearance)
    for table in TABLES:
        assert labels(alarm[table], FILTER) == {house.closed}
    assert len(alarm["full-text"].only[FILTER]) == 2
    assert titles(await search(database, house.clearance, QUESTION, VECTOR, UNCHECKED)) == {"blue", "green"}


async def test_a_filter_that_forgets_the_workspace_is_found_out(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    async with database.writing_in(other) as connection:
        theirs = await add_label(connection, other, "theirs")
        await add_document(connection, other, theirs, "theirs")
    monkeypatch.setattr(searching, "LABEL_FILTER", "v.label_id = ANY(CAST(:label_ids AS bigint[]))")
    forged = replace(house.clearance, label_ids=house.clearance.label_ids | {theirs})
    alarm = await alarm_of(database, forged)
    assert labels(alarm["chunk"], FILTER) == {theirs}


async def test_a_filter_that_admits_too_little_is_found_out(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LABEL_FILTER", f"{LABEL_FILTER} AND v.label_id <> {house.also_open}")
    alarm = await alarm_of(database, house.clearance)
    for table in TABLES:
        assert labels(alarm[table], POLICIES) == {house.also_open}
        assert labels(alarm[table], FILTER) == set()


async def test_a_filter_given_other_labels_than_the_transaction_is_found_out(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = searching._filter_binds

    def one_too_many(clearance: Clearance) -> dict[str, object]:
        return {**bound(clearance), "label_ids": [*clearance.label_ids, house.closed]}

    monkeypatch.setattr(searching, "_filter_binds", one_too_many)
    assert labels((await alarm_of(database, house.clearance))["chunk"], FILTER) == {house.closed}


async def test_a_full_text_function_that_forgets_the_labels_is_found_out(
    database: Database, house: House, admin: psycopg.Connection
) -> None:
    admin.execute(
        "CREATE OR REPLACE FUNCTION retrieval.lexical_candidates(question tsvector, how_many integer)"
        " RETURNS TABLE (chunk_id bigint, score real) LANGUAGE sql STABLE SECURITY DEFINER AS $$"
        " SELECT c.id, 1.0::real FROM retrieval.chunk c WHERE c.is_current ORDER BY c.id LIMIT how_many $$"
    )
    alarm = await alarm_of(database, house.clearance)
    assert set(alarm) == {"full-text function"}
    assert len(alarm["full-text function"].only[FUNCTION]) == 2


@pytest.mark.parametrize("under", ["also_open", "closed"])
@pytest.mark.parametrize("table", ["chunk", "chunk_vec"])
async def test_a_chunk_whose_vector_stands_under_another_label_is_found_out(
    database: Database, house: House, admin: psycopg.Connection, table: str, under: str
) -> None:
    """Each table's two locks agree here, and they guard different things."""
    another = getattr(house, under)
    admin.execute(f"UPDATE retrieval.{table} SET label_id = %s WHERE label_id = %s", (another, house.open))
    difference = (await alarm_of(database, house.clearance))["chunks and their vectors"]
    kept, moved = (CHUNKS, VECTORS) if table == "chunk_vec" else (VECTORS, CHUNKS)
    assert labels(difference, kept) == {house.open}
    assert labels(difference, moved) == ({another} if under == "also_open" else set())


async def test_an_alarm_names_so_many_rows_and_no_more(
    database: Database, house: House, admin: psycopg.Connection
) -> None:
    async with database.writing_in(house.workspace_id) as connection:
        await add_document(connection, house.workspace_id, house.closed, "long", NAMED_AT_MOST + 10)
    admin.execute("ALTER TABLE retrieval.chunk DISABLE ROW LEVEL SECURITY")
    assert len((await alarm_of(database, house.clearance))["chunk"].only[POLICIES]) == NAMED_AT_MOST


async def test_an_alarm_is_logged_with_numbers_and_not_a_word_of_any_document(
    database: Database, house: House, admin: psycopg.Connection
) -> None:
    admin.execute("ALTER TABLE retrieval.version DISABLE ROW LEVEL SECURITY")
    with capture_logs() as logged, pytest.raises(LocksDisagree) as alarm:
        await search(database, house.clearance, QUESTION, VECTOR, CHECKED)
    (event,) = logged
    assert (event["log_level"], event["event"]) == ("critical", "locks disagree")
    assert {label for _, label in event["differences"]["version"][POLICIES]} == {house.closed}
    said = f"{event} {alarm.value}"
    assert str(house.closed) in said
    assert SECRET not in said
    assert "budget" not in said.lower()


async def test_what_both_locks_let_through_is_still_not_returned(
    database: Database, house: House, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk_ids = [number for (number,) in admin.execute("SELECT id FROM retrieval.chunk").fetchall()]
    assert len(await readable(database, house.clearance, chunk_ids)) == 8
    for table in TABLES:
        admin.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")
    monkeypatch.setattr(searching, "LABEL_FILTER", "true")
    with pytest.raises(LocksDisagree, match="found outside the clearance"):
        await search(database, house.clearance, QUESTION, VECTOR, UNCHECKED)
    with pytest.raises(LocksDisagree, match="found outside the clearance"):
        await readable(database, house.clearance, chunk_ids)


@pytest.mark.parametrize("table", ["document", "version"])
async def test_a_title_or_address_under_another_label_than_its_text_is_not_returned(
    database: Database, house: House, admin: psycopg.Connection, table: str
) -> None:
    admin.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")
    # What becomes of documents is written down under the workspace that the transaction acts in.
    admin.execute("SELECT set_config('ostiary.workspace_id', %s, false)", (str(house.workspace_id),))
    admin.execute(
        f"UPDATE retrieval.{table} SET label_id = %s WHERE label_id = %s", (house.closed, house.open)
    )
    with pytest.raises(LocksDisagree, match="found outside the clearance"):
        await search(database, house.clearance, QUESTION, VECTOR, UNCHECKED)


@pytest.mark.parametrize(
    "found",
    [FoundRow(1, 7, frozenset({1, 3})), FoundRow(1, 7, frozenset({3})), FoundRow(1, 8, frozenset({1}))],
    ids=["one label too many", "another label", "another workspace"],
)
def test_whatever_stands_outside_a_clearance_rings_the_alarm(found: FoundRow) -> None:
    clearance = Clearance(7, frozenset({1, 2}), 1)
    insist_on(clearance, [FoundRow(1, 7, frozenset({1, 2}))])
    with pytest.raises(LocksDisagree):
        insist_on(clearance, [found])


async def test_no_alarm_rings_while_documents_come_go_and_change_their_label(
    database: Database, house: House
) -> None:
    """Both readings see one moment, however many transactions end in between."""
    rng, done = random.Random(5), asyncio.Event()
    everything = Clearance(house.workspace_id, house.clearance.label_ids | {house.closed}, 1)

    async def write(number: int) -> int:
        steps = 0
        while not done.is_set():
            async with database.writing_in(house.workspace_id) as connection:
                document_id = await add_document(
                    connection, house.workspace_id, house.open, f"{number}.{steps}", 20
                )
            async with database.writing_in(house.workspace_id) as connection:
                await relabel_documents(
                    connection, [document_id], rng.choice((house.also_open, house.closed))
                )
                if steps % 2:
                    await connection.execute(
                        text("DELETE FROM retrieval.document WHERE id = :id"), {"id": document_id}
                    )
            steps += 1
        return steps

    async def ask() -> None:
        for clearance in (house.clearance, everything) * 25:
            await search(database, clearance, QUESTION, VECTOR, CHECKED)

    writers = [asyncio.create_task(write(number)) for number in range(2)]
    try:
        await ask()
    finally:
        done.set()
    assert min(await asyncio.gather(*writers)) > 10


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_searches_is_checked(share: float) -> None:
    check = CrossCheck(share, random.Random(1))
    assert sum(check.is_due() for _ in range(1000)) == pytest.approx(1000 * share, abs=40 * (0 < share < 1))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        CrossCheck(share)


SETTINGS_IN_FORCE = "SELECT current_setting('ostiary.label_ids', true) AS labels"


@pytest.fixture
async def narrow(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A way in with one connection for all readers."""
    database = Database(urls, pool_size=1)
    yield database
    await database.close()


async def test_on_one_connection_each_reader_finds_what_is_theirs(narrow: Database, house: House) -> None:
    for label_ids, expected in (
        ({house.open}, {"blue"}),
        ({house.also_open}, {"green"}),
        (set(), set()),
        ({house.open, house.also_open}, {"blue", "green"}),
    ):
        reader = Clearance(house.workspace_id, frozenset(label_ids), 1)
        assert titles(await search(narrow, reader, QUESTION, VECTOR, UNCHECKED)) == expected


async def test_a_reading_given_up_on_leaves_its_clearance_to_nobody(narrow: Database, house: House) -> None:
    reading = asyncio.create_task(narrow.read_once(house.clearance, "SELECT pg_sleep(20)", {}))
    await asyncio.sleep(0.3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    other = Clearance(house.workspace_id, frozenset({house.also_open}), 1)
    (found,) = await narrow.read_once(other, SETTINGS_IN_FORCE, {})
    assert found.labels == f"{{{house.also_open}}}"


async def backend_of(narrow: Database, clearance: Clearance) -> int:
    (found,) = await narrow.read_once(clearance, "SELECT pg_backend_pid() AS pid", {})
    return int(found.pid)


async def test_the_connection_of_a_reading_that_was_given_up_is_nobodys_any_more(
    narrow: Database, house: House
) -> None:
    """In whatever state it is: within a transaction, under a clearance, with answers still to come."""
    before = await backend_of(narrow, house.clearance)
    assert await backend_of(narrow, house.clearance) == before
    reading = asyncio.create_task(narrow.read_once(house.clearance, "SELECT pg_sleep(20)", {}))
    await asyncio.sleep(0.3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await backend_of(narrow, house.clearance) != before


async def test_the_connection_of_a_reading_that_failed_is_nobodys_any_more(
    narrow: Database, house: House
) -> None:
    before = await backend_of(narrow, house.clearance)
    with pytest.raises(DBAPIError, match="division by zero"):
        await narrow.read_once(house.clearance, "SELECT 1 / 0", {})
    assert await backend_of(narrow, house.clearance) != before


async def test_a_reading_whose_connection_was_cut_is_done_all_the_same(
    narrow: Database, house: House, admin: psycopg.Connection
) -> None:
    assert titles(await search(narrow, house.clearance, QUESTION, VECTOR, UNCHECKED)) == {"blue", "green"}
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with capture_logs() as logged:
        assert titles(await search(narrow, house.clearance, QUESTION, VECTOR, UNCHECKED)) == {"blue", "green"}
    assert [event["event"] for event in logged] == ["read in the ordinary way, after an error"]


async def test_nothing_is_read_where_it_was_not_said_who_reads(
    narrow: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.database._BIND_READER", text("SELECT 1 / 0, :workspace_id, :label_ids"))
    with pytest.raises(DBAPIError, match="division by zero"):
        await narrow.read_once(house.clearance, "SELECT id FROM retrieval.chunk", {})
