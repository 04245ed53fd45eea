"""Full-text search: rare words weigh more, common ones are left out, and nobody's ranking tells of what others hold."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from migrations.vector_index import index_vectors
from retrieval import search as searching
from retrieval.search import SearchSettings, has_half_vectors, search
from retrieval.word_counts import FEWEST_CHUNKS, count_words

WORKSPACE, OPEN, CLOSED = 1, 1, 2
VECTOR = np.full(384, 384**-0.5, dtype=np.float32)
WORDS_ALONE = SearchSettings(dense_weight=0)

Shelve = Callable[[int, Sequence[str]], None]

_WORKSPACE = """
    SELECT set_config('ostiary.workspace_id', '1', false), set_config('ostiary.actor', 'test', false);
    INSERT INTO auth.workspace (id, team_id, name) VALUES (1, 'T0WORDS', 'Words');
    INSERT INTO auth.access_label (workspace_id, id, policy) VALUES (1, 1, 'open'), (1, 2, 'closed');
"""
_DOCUMENT = """
    WITH d AS (
        INSERT INTO retrieval.document (workspace_id, label_id, uri, title)
        VALUES (1, %(label)s, gen_random_uuid()::text, 'x') RETURNING id
    ), v AS (
        INSERT INTO retrieval.version
            (workspace_id, document_id, label_id, is_current, content_hash, title, media_type)
        SELECT 1, id, %(label)s, true, '', 'x', 'text/plain' FROM d RETURNING id, document_id
    ), c AS (
        INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,
            heading_path, tokens, words)
        SELECT 1, document_id, id, %(label)s, true, ordinal, said, '{}', 9, to_tsvector('english', said)
        FROM v, unnest(%(texts)s::text[]) WITH ORDINALITY AS t (said, ordinal) RETURNING id, document_id
    ) INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)
        SELECT 1, id, %(label)s, document_id, %(emb)s::vector FROM c
"""


@pytest.fixture
def shelve(urls: DatabaseUrls) -> Shelve:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        for statement in filter(str.strip, _WORKSPACE.split(";")):
            connection.execute(statement)

    def put(label: int, texts: Sequence[str]) -> None:
        with psycopg.connect(urls.admin) as connection:
            connection.execute("SELECT set_config('ostiary.workspace_id', '1', true)")
            values = {"label": label, "texts": list(texts), "emb": str(VECTOR.tolist())}
            connection.execute(_DOCUMENT, values)

    return put


async def found(database: Database, question: str, *labels: int, best: int = 50) -> list[tuple[str, float]]:
    clearance = Clearance(WORKSPACE, frozenset(labels or {OPEN}), 1)
    candidates = await search(database, clearance, question, VECTOR, WORDS_ALONE)
    return [(c.passage.text, c.passage.score) for c in candidates][:best]


def scores(urls: DatabaseUrls, question: str, label: int) -> list[tuple[int, float]]:
    """What the function itself gives to whoever holds this label alone."""
    assert urls.reader is not None
    with psycopg.connect(urls.reader) as connection:
        bound = (str(WORKSPACE), f"{{{label}}}")
        connection.execute(
            "SELECT set_config('ostiary.workspace_id', %s, true), set_config('ostiary.label_ids', %s, true)",
            bound,
        )
        statement = "SELECT * FROM retrieval.lexical_candidates(to_tsvector('english', %s), 50)"
        return connection.execute(statement, [question]).fetchall()


async def test_one_rare_word_outweighs_common_ones(database: Database, shelve: Shelve) -> None:
    shelve(OPEN, ["The office budget and the office rules of the office"] * 20 + ["A word on redlines"])
    ((first, _),) = await found(database, "What do the office rules say of redlines?", best=1)
    assert first == "A word on redlines"


async def test_a_word_that_many_passages_have_does_not_call_them_all_in(
    database: Database, urls: DatabaseUrls, shelve: Shelve
) -> None:
    shelve(OPEN, ["The office is closed"] * 3000 + ["The office has redlines"])
    before = scores(urls, "office redlines", OPEN)
    assert await count_words(database, WORKSPACE) == 1
    after = scores(urls, "office redlines", OPEN)
    assert (len(before), len(after)) == (50, 1)
    assert after[0][0] == before[0][0]


async def test_a_question_of_common_words_alone_still_finds_what_has_them(
    database: Database, shelve: Shelve
) -> None:
    shelve(OPEN, ["The office is closed"] * 3000 + ["The budget grows"] * 3000 + ["The office budget"] * 3)
    await count_words(database, WORKSPACE)
    assert {text for text, _ in await found(database, "office budget?")} == {"The office budget"}


async def test_what_others_hold_changes_no_score(
    database: Database, urls: DatabaseUrls, shelve: Shelve
) -> None:
    shelve(OPEN, ["The office budget", "The office", "A budget of redlines"] * 40)
    await count_words(database, WORKSPACE)
    before = scores(urls, "office budget redlines", OPEN)
    shelve(CLOSED, ["redlines, redlines and the office"] * 500)
    assert await count_words(database, WORKSPACE) == 1
    assert scores(urls, "office budget redlines", OPEN) == before


async def test_words_are_counted_again_only_where_a_label_grew_much(
    database: Database, shelve: Shelve
) -> None:
    shelve(OPEN, ["The office"] * (FEWEST_CHUNKS - 1))
    assert await count_words(database, WORKSPACE) == 0
    shelve(OPEN, ["The office"])
    assert await count_words(database, WORKSPACE) == 1
    shelve(OPEN, ["The office"] * (FEWEST_CHUNKS // 5))
    assert await count_words(database, WORKSPACE) == 0
    shelve(OPEN, ["The office"] * FEWEST_CHUNKS)
    assert await count_words(database, WORKSPACE) == 1


async def test_each_list_can_be_left_out(database: Database, shelve: Shelve) -> None:
    shelve(OPEN, ["The office", "Nothing of the kind"])
    clearance = Clearance(WORKSPACE, frozenset({OPEN}), 1)
    assert {text for text, _ in await found(database, "office")} == {"The office"}
    by_vector = await search(database, clearance, "office", VECTOR, SearchSettings(lexical_weight=0))
    assert [c.passage.score for c in by_vector] == pytest.approx([1 / 61, 1 / 62])


async def test_a_strict_search_never_takes_the_index(
    database: Database, shelve: Shelve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is walked past what may not be read, and takes longer the more of that there is."""
    shelve(OPEN, ["The office"] * 3)
    plans: list[str] = []
    read_once = database.read_once

    async def explained(
        clearance: Clearance, statement: str, binds: Mapping[str, object], planning: Mapping[str, str]
    ) -> Sequence[Any]:
        plan = await read_once(clearance, f"EXPLAIN (ANALYZE) {statement}", binds, planning)
        plans.append("\n".join(line for (line,) in plan))
        return await read_once(clearance, statement, binds, planning)

    monkeypatch.setattr(database, "read_once", explained)
    clearance = Clearance(WORKSPACE, frozenset({OPEN}), 1)
    for strict in (False, True):
        await search(database, clearance, "office", VECTOR, SearchSettings(exact_below=0, strict=strict))
    by_index, strictly = plans
    assert is_begun("ix_chunk_vec_nearest", by_index)
    assert not is_begun("ix_chunk_vec_label", by_index)
    assert is_begun("ix_chunk_vec_label", strictly)
    assert not is_begun("ix_chunk_vec_nearest", strictly)


async def test_an_index_of_half_numbers_finds_the_same(
    database: Database, urls: DatabaseUrls, shelve: Shelve
) -> None:
    shelve(OPEN, [f"The office {number}" for number in range(60)])
    clearance = Clearance(WORKSPACE, frozenset({OPEN}), 1)
    by_index = SearchSettings(candidates=10, exact_below=0, lexical_weight=0)
    whole = await search(database, clearance, "office", VECTOR, by_index)
    assert await asyncio.to_thread(index_vectors, urls.admin, half=True)
    assert not await asyncio.to_thread(index_vectors, urls.admin, half=True)
    assert await has_half_vectors(database)
    half = await search(database, clearance, "office", VECTOR, replace(by_index, half_vectors=True))
    assert len(half) == len(whole) == 10
    assert "ix_chunk_vec_nearest" in plan_of(urls, searching._BY_HALF_VECTOR)
    assert "ix_chunk_vec_nearest" not in plan_of(urls, searching._BY_VECTOR)
    assert await asyncio.to_thread(index_vectors, urls.admin, half=False)
    assert not await has_half_vectors(database)


def is_begun(index: str, plan: str) -> bool:
    (scan,) = [line for line in plan.splitlines() if f"using {index} " in line]
    return "never executed" not in scan


def plan_of(urls: DatabaseUrls, order: str) -> str:
    """How the nearest are looked for, where sorting them is as good as forbidden."""
    with psycopg.connect(urls.admin) as connection:
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        order = order.replace(":vector", f"'{VECTOR.tolist()}'")
        rows = connection.execute(
            f"EXPLAIN SELECT FROM retrieval.chunk_vec v WHERE v.label_id = 1 ORDER BY {order} LIMIT 10"
        ).fetchall()
    return "\n".join(line for (line,) in rows)


async def test_tables_of_which_the_planner_knows_nothing_yet_are_searched_fast(
    database: Database, shelve: Shelve
) -> None:
    """As after the first documents that anybody hands in: it would begin with all of them, for each candidate."""
    for number in range(80):
        shelve(OPEN, [f"The office budget of {number}"] * 20)
    began = time.perf_counter()
    assert len(await found(database, "office budget")) == 50
    assert time.perf_counter() - began < 2
