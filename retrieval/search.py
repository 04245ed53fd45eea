"""The search itself: vector and full-text candidates under a clearance, fused by reciprocal rank.

Both locks stand in each statement: the labels of the clearance are named in the query, and row-level security
compares every row with them again. How to search depends on how many rows are visible: where they are few an
exact scan is as fast and never misses, else the HNSW index is scanned iteratively. That both locks hold is
never taken for granted: see `retrieval.locks`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import Database
from retrieval.embedding import Vectors, as_pgvector
from retrieval.locks import CrossCheck, FoundRow, compare_locks, insist_on
from retrieval.passages import Passage
from retrieval.withdrawing import ANSWERS

# The application's filter. Row-level security does the same again; each alone is enough, and is tested so.
LABEL_FILTER = "v.workspace_id = :workspace_id AND v.label_id = ANY(CAST(:label_ids AS bigint[]))"


@dataclass(frozen=True)
class SearchSettings:
    """How to search. Candidates are counted per list before fusion; ef and tuples are pgvector's own.

    The two lists are fused by reciprocal rank, each with its weight; 0 leaves a list out. `strict` scans exactly
    whatever is visible: slower where that is much, but in a time that tells nothing of what is not. `exact_below`
    fixes up to how many visible rows are scanned exactly; None leaves it to what each way costs. `half_vectors`
    must be said where the index is one of half numbers (see `has_half_vectors`).
    """

    candidates: int = 50
    exact_below: int | None = None
    strict: bool = False
    half_vectors: bool = False
    ef_search: int = 150
    max_scan_tuples: int = 60_000
    rank_constant: int = 60
    dense_weight: float = 1.0
    lexical_weight: float = 1.0
    cross_check: CrossCheck = field(default_factory=lambda: CrossCheck(0))


@dataclass(frozen=True)
class Candidate:
    """A passage found, with what the stages after the search need of it: its vector, and codes of its tokens."""

    passage: Passage
    vector: Vectors
    token_codes: bytes | None = None
    lexical: float = 0.0
    """Its score in the list of those that have the question's words; 0 where it is not in it."""
    version_id: int = 0
    ordinal: int = 0
    since: date | None = None
    """Its document's own date, or the day on which it was added."""
    half_life_days: int | None = None
    """Of the collection that it is filed in, where what is older counts less there."""


# "+ 0" keeps the planner from the HNSW index: an exact scan of the visible rows. Whichever of the two is not wanted
# is never begun. The index gives them almost in order, and more than are wanted make up for those that it misses.
_NEAREST = """
    visible AS MATERIALIZED (
        SELECT opened.chunks, CASE WHEN CAST(:exact_below AS bigint) IS NOT NULL
            THEN opened.chunks <= CAST(:exact_below AS bigint)
            ELSE opened.chunks <= {few} OR opened.chunks * opened.chunks
                <= {passing} * greatest(CAST(:candidates AS bigint), {sought}) * stored.reltuples
            END AS is_few
        FROM pg_catalog.pg_class stored, (
            SELECT coalesce(sum(v.chunks), 0)::float8 AS chunks FROM retrieval.label_count v WHERE {label_filter}
        ) AS opened WHERE stored.oid = 'retrieval.chunk_vec'::regclass
    ),
    nearest AS MATERIALIZED (
        (
            SELECT v.chunk_id, ({exactly}) + 0 AS distance FROM retrieval.chunk_vec v
            WHERE {label_filter} AND (SELECT is_few FROM visible)
            ORDER BY ({exactly}) + 0 LIMIT CAST(:candidates AS bigint)
        ) UNION ALL (
            SELECT near.chunk_id, near.distance FROM (
                SELECT v.chunk_id, {indexed} AS distance FROM retrieval.chunk_vec v
                WHERE {label_filter} AND NOT (SELECT is_few FROM visible)
                ORDER BY {indexed} LIMIT greatest(CAST(:candidates AS bigint), {sought})
            ) AS near ORDER BY near.distance + 0 LIMIT CAST(:candidates AS bigint)
        )
    )
"""
# An exact scan takes a microsecond for each visible row; the index five for each row that it looks at, which are
# sought * all / visible. So the scan is cheaper as long as visible^2 <= 5 * sought * all.
_SOUGHT, _FEW, _PASSING = 20, 4000, 5
_BY_VECTOR = "v.emb <#> CAST(:vector AS vector)"
_BY_HALF_VECTOR = "CAST(v.emb AS halfvec(384)) <#> CAST(CAST(:vector AS vector) AS halfvec(384))"
_EVERYTHING = 2**62
# A plan made once serves every question: it may neither read whole tables nor sort where an index has the order.
_PLANNING = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_sort": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.scan_mem_multiplier": "4",
}
_IS_HALF = text(
    "SELECT indexdef LIKE '%halfvec%' FROM pg_indexes"
    " WHERE schemaname = 'retrieval' AND indexname = 'ix_chunk_vec_nearest'"
)

# Policies parse the labels again for every row they compare, so the few that are wanted are chosen first. OFFSET 0
# has them fetched one by one: both locks named at once look so selective to the planner that it would read all that
# is visible a second time. So with what each belongs to: of new tables the planner knows so little that it would
# begin with every document there is, and look through all candidates for each.
_FUSED = """
    WITH {nearest},
    lexical AS MATERIALIZED (
        SELECT chunk_id, score FROM retrieval.lexical_candidates({words}, CAST(:candidates AS integer))
        WHERE CAST(:lexical_weight AS float8) > 0
    ),
    ranked AS (
        SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS place,
            CAST(:dense_weight AS float8) AS weight
        FROM nearest WHERE CAST(:dense_weight AS float8) > 0
        UNION ALL
        SELECT chunk_id, row_number() OVER (ORDER BY score DESC, chunk_id), CAST(:lexical_weight AS float8)
        FROM lexical
    ),
    fused AS MATERIALIZED (
        SELECT chunk_id, sum(weight / (CAST(:rank_constant AS bigint) + place)) AS score
        FROM ranked GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT CAST(:candidates AS bigint)
    )
    SELECT c.id, c.workspace_id, c.document_id, c.label_id, n.title, c.text, c.heading_path, c.page, d.uri,
        n.dated, vector_send(v.emb) AS emb, ARRAY[c.label_id, v.label_id, n.label_id, d.label_id] AS label_ids,
        c.token_codes, coalesce(lexical.score, 0) AS lexical_score, fused.score,
        c.version_id, c.ordinal, coalesce(n.dated, n.created_at::date) AS since, k.half_life_days,
        (SELECT count(*) FROM nearest) AS nearest_found, visible.chunks AS visible, visible.is_few
    FROM visible CROSS JOIN fused
    LEFT JOIN lexical ON lexical.chunk_id = fused.chunk_id
    CROSS JOIN LATERAL (
        SELECT v.* FROM retrieval.chunk_vec v
        WHERE v.workspace_id = :workspace_id AND v.chunk_id = fused.chunk_id AND {label_filter} OFFSET 0
    ) AS v
    CROSS JOIN LATERAL (
        SELECT c.* FROM retrieval.chunk c WHERE c.workspace_id = v.workspace_id AND c.id = v.chunk_id OFFSET 0
    ) AS c
    CROSS JOIN LATERAL (
        SELECT n.* FROM retrieval.version n WHERE n.workspace_id = c.workspace_id AND n.id = c.version_id OFFSET 0
    ) AS n
    CROSS JOIN LATERAL (
        SELECT d.* FROM retrieval.document d
        WHERE d.workspace_id = c.workspace_id AND d.id = c.document_id AND {answers} OFFSET 0
    ) AS d
    LEFT JOIN retrieval.collection k ON k.workspace_id = d.workspace_id AND k.id = d.collection_id
    ORDER BY fused.score DESC, c.id
"""
# Any of a question's words: the ranking prefers passages that hold more of them.
_WORDS = "retrieval.asked_words(:question)"


async def search(
    database: Database,
    clearance: Clearance,
    question: str,
    vector: Vectors,
    settings: SearchSettings | None = None,
) -> list[Candidate]:
    """Candidates under `clearance`, best first: at most `settings.candidates`.

    `vector` is the question's, (384,), L2-normalised. An empty clearance finds nothing.
    Raises LocksDisagree, and returns nothing, if anything turns up that the clearance does not open.
    """
    settings = settings or SearchSettings()
    binds = _binds(clearance, question, vector, settings)
    if settings.cross_check.is_due():
        async with database.reading_as(clearance) as connection:
            await compare_locks(connection, clearance, LABEL_FILTER, binds)
    rows = await _fused(database, clearance, settings, binds)
    if not settings.strict and _may_have_missed(rows, settings):
        rows = await _fused(database, clearance, settings, {**binds, "exact_below": _EVERYTHING})
    insist_on(clearance, _found_rows(rows))
    return [_candidate(row) for row in rows]


def _may_have_missed(rows: Sequence[Any], settings: SearchSettings) -> bool:
    """Few rows seen through the index although more are visible; or none at all, which does not say why."""
    if not rows:
        return True
    first = rows[0]
    return not first.is_few and first.nearest_found < min(settings.candidates, first.visible)


async def has_half_vectors(database: Database) -> bool:
    """Whether the index of the vectors is one of half numbers: `ostiary migrate --half-vectors` makes it so."""
    async with database.registering() as connection:
        return bool((await connection.execute(_IS_HALF)).scalar())


async def readable(database: Database, clearance: Clearance, chunk_ids: Collection[int]) -> frozenset[int]:
    """Those of the given chunks that `clearance` may read now. Raises LocksDisagree as `search` does."""
    statement = (
        "SELECT v.id, v.workspace_id, ARRAY[v.label_id] AS label_ids FROM retrieval.chunk v"
        f" WHERE v.id = ANY(CAST(:chunk_ids AS bigint[])) AND {LABEL_FILTER}"
        " AND EXISTS (SELECT FROM retrieval.document d"
        f"  WHERE d.workspace_id = v.workspace_id AND d.id = v.document_id AND {ANSWERS.format(d='d')})"
    )
    binds = {**_filter_binds(clearance), "chunk_ids": sorted(chunk_ids)}
    rows = await database.read_once(clearance, statement, binds)
    insist_on(clearance, _found_rows(rows))
    return frozenset(row.id for row in rows)


def _filter_binds(clearance: Clearance) -> dict[str, object]:
    return {"workspace_id": clearance.workspace_id, "label_ids": sorted(clearance.label_ids)}


def _binds(
    clearance: Clearance, question: str, vector: Vectors, settings: SearchSettings
) -> dict[str, object]:
    return {
        **_filter_binds(clearance),
        "vector": as_pgvector(vector),
        "question": question,
        "candidates": settings.candidates,
        "exact_below": _EVERYTHING if settings.strict else settings.exact_below,
        "rank_constant": settings.rank_constant,
        "dense_weight": settings.dense_weight,
        "lexical_weight": settings.lexical_weight,
    }


async def _fused(
    database: Database, clearance: Clearance, settings: SearchSettings, binds: dict[str, object]
) -> Sequence[Any]:
    statement = _statement(half_vectors=settings.half_vectors)
    return await database.read_once(clearance, statement, binds, _planning(settings))


def _planning(settings: SearchSettings) -> dict[str, str]:
    ef, tuples = str(settings.ef_search), str(settings.max_scan_tuples)
    return {**_PLANNING, "hnsw.ef_search": ef, "hnsw.max_scan_tuples": tuples}


def _statement(*, half_vectors: bool = False) -> str:
    indexed = _BY_HALF_VECTOR if half_vectors else _BY_VECTOR
    nearest = _NEAREST.format(
        label_filter=LABEL_FILTER,
        exactly=_BY_VECTOR,
        indexed=indexed,
        sought=_SOUGHT,
        few=_FEW,
        passing=_PASSING,
    )
    return _FUSED.format(
        nearest=nearest, label_filter=LABEL_FILTER, words=_WORDS, answers=ANSWERS.format(d="d")
    )


def _found_rows(rows: Sequence[Any]) -> list[FoundRow]:
    return [FoundRow(row.id, row.workspace_id, frozenset(row.label_ids)) for row in rows]


def _candidate(row: Any) -> Candidate:
    return Candidate(
        passage_of(row),
        _vector(row.emb),
        token_codes=row.token_codes,
        lexical=row.lexical_score,
        version_id=row.version_id,
        ordinal=row.ordinal,
        since=row.since,
        half_life_days=row.half_life_days,
    )


def passage_of(row: Any) -> Passage:
    """A row with a chunk, and the title, address and date of its document."""
    return Passage(
        chunk_id=row.id,
        document_id=row.document_id,
        label_id=row.label_id,
        title=row.title,
        text=row.text,
        heading_path=tuple(row.heading_path),
        page=row.page,
        url=row.uri,
        dated=row.dated,
        score=float(row.score),
    )


def _vector(sent: bytes) -> Vectors:
    """A vector as pgvector sends it: four bytes ahead, then four for each number, high byte first."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)
