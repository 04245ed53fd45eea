"""The search itself: vector and full-text candidates under a clearance, fused by reciprocal rank.

Both locks stand in each statement: the labels of the clearance are named in the query, and row-level security
compares every row with them again. How to search depends on how many rows are visible: below a threshold an
exact scan is as fast and never misses, above it the HNSW index is scanned iteratively. That both hold is
never taken for granted: see `retrieval.locks`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

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
    whatever is visible: slower where that is much, but in a time that tells nothing of what is not. `half_vectors`
    must be said where the index is one of half numbers (see `has_half_vectors`).
    """

    candidates: int = 50
    exact_below: int = 20_000
    strict: bool = False
    half_vectors: bool = False
    ef_search: int = 100
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


def _nearest(order: str) -> str:
    return (
        f"nearest AS MATERIALIZED (SELECT v.chunk_id, {order} AS distance FROM retrieval.chunk_vec v"
        f" WHERE {{label_filter}} ORDER BY {order} LIMIT :candidates)"
    )


# "+ 0" keeps the planner from the HNSW index: an exact scan of the visible rows.
_EXACT = _nearest("(v.emb <#> CAST(:vector AS vector)) + 0")
_INDEXED = _nearest("v.emb <#> CAST(:vector AS vector)")
_INDEXED_HALF = _nearest("CAST(v.emb AS halfvec(384)) <#> CAST(:vector AS halfvec(384))")
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
        SELECT chunk_id, score FROM retrieval.lexical_candidates({words}, :candidates) WHERE :lexical_weight > 0
    ),
    ranked AS (
        SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS place, :dense_weight AS weight
        FROM nearest WHERE :dense_weight > 0
        UNION ALL
        SELECT chunk_id, row_number() OVER (ORDER BY score DESC, chunk_id), :lexical_weight FROM lexical
    ),
    fused AS MATERIALIZED (
        SELECT chunk_id, sum(weight / (:rank_constant + place)) AS score FROM ranked GROUP BY chunk_id
        ORDER BY score DESC, chunk_id LIMIT :candidates
    )
    SELECT c.id, c.workspace_id, c.document_id, c.label_id, n.title, c.text, c.heading_path, c.page, d.uri,
        n.dated, vector_send(v.emb) AS emb, ARRAY[c.label_id, v.label_id, n.label_id, d.label_id] AS label_ids,
        c.token_codes, coalesce(lexical.score, 0) AS lexical_score, fused.score,
        c.version_id, c.ordinal, coalesce(n.dated, n.created_at::date) AS since, k.half_life_days,
        (SELECT count(*) FROM nearest) AS nearest_found
    FROM fused
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
_VISIBLE = (
    "SELECT coalesce(sum(v.chunks), 0) AS visible,"
    " set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', :ef, true),"
    " set_config('hnsw.max_scan_tuples', :tuples, true), set_config('hnsw.scan_mem_multiplier', '4', true)"
    " FROM retrieval.label_count v WHERE {label_filter}"
)


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
    async with database.reading_as(clearance) as connection:
        binds = _binds(clearance, question, vector, settings)
        if settings.cross_check.is_due():
            await compare_locks(connection, clearance, LABEL_FILTER, binds)
        visible = await _count_visible(connection, binds, settings)
        if visible == 0:
            return []
        if visible > settings.exact_below and not settings.strict:
            rows = await _fused(connection, _INDEXED_HALF if settings.half_vectors else _INDEXED, binds)
            # Few rows seen through the index although more are visible: look again, exactly.
            if rows and rows[0].nearest_found >= min(settings.candidates, visible):
                return _candidates(rows, clearance)
        return _candidates(await _fused(connection, _EXACT, binds), clearance)


async def has_half_vectors(database: Database) -> bool:
    """Whether the index of the vectors is one of half numbers: `ostiary migrate --half-vectors` makes it so."""
    async with database.registering() as connection:
        return bool((await connection.execute(_IS_HALF)).scalar())


async def readable(database: Database, clearance: Clearance, chunk_ids: Collection[int]) -> frozenset[int]:
    """Those of the given chunks that `clearance` may read now. Raises LocksDisagree as `search` does."""
    statement = text(
        "SELECT v.id, v.workspace_id, ARRAY[v.label_id] AS label_ids FROM retrieval.chunk v"
        f" WHERE v.id = ANY(:chunk_ids) AND {LABEL_FILTER} AND EXISTS (SELECT FROM retrieval.document d"
        f"  WHERE d.workspace_id = v.workspace_id AND d.id = v.document_id AND {ANSWERS.format(d='d')})"
    )
    binds = {**_filter_binds(clearance), "chunk_ids": sorted(chunk_ids)}
    async with database.reading_as(clearance) as connection:
        rows = (await connection.execute(statement, binds)).all()
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
        "rank_constant": settings.rank_constant,
        "dense_weight": settings.dense_weight,
        "lexical_weight": settings.lexical_weight,
    }


async def _count_visible(
    connection: AsyncConnection, binds: dict[str, object], settings: SearchSettings
) -> int:
    tuning = {"ef": str(settings.ef_search), "tuples": str(settings.max_scan_tuples)}
    statement = _as_text(_VISIBLE.format(label_filter=LABEL_FILTER))
    return int((await connection.execute(statement, {**binds, **tuning})).one().visible)


async def _fused(connection: AsyncConnection, nearest: str, binds: dict[str, object]) -> Sequence[Row[Any]]:
    return (await connection.execute(_as_text(_statement(nearest)), binds)).all()


@lru_cache(maxsize=16)
def _as_text(statement: str) -> TextClause:
    """Reading through a statement for its parameters takes as long as planning it: once is enough."""
    return text(statement)


def _statement(nearest: str) -> str:
    nearest = nearest.format(label_filter=LABEL_FILTER)
    return _FUSED.format(
        nearest=nearest, label_filter=LABEL_FILTER, words=_WORDS, answers=ANSWERS.format(d="d")
    )


def _candidates(rows: Sequence[Row[Any]], clearance: Clearance) -> list[Candidate]:
    insist_on(clearance, _found_rows(rows))
    mappings: list[Mapping[str, Any]] = [row._mapping for row in rows]  # type: ignore[misc]
    return [_candidate(m) for m in mappings]


def _found_rows(rows: Sequence[Row[Any]]) -> list[FoundRow]:
    return [FoundRow(row.id, row.workspace_id, frozenset(row.label_ids)) for row in rows]


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        _passage(row),
        _vector(row["emb"]),
        token_codes=row["token_codes"],
        lexical=row["lexical_score"],
        version_id=row["version_id"],
        ordinal=row["ordinal"],
        since=row["since"],
        half_life_days=row["half_life_days"],
    )


def _passage(row: Mapping[str, Any]) -> Passage:
    return Passage(
        chunk_id=row["id"],
        document_id=row["document_id"],
        label_id=row["label_id"],
        title=row["title"],
        text=row["text"],
        heading_path=tuple(row["heading_path"]),
        page=row["page"],
        url=row["uri"],
        dated=row["dated"],
        score=float(row["score"]),
    )


def _vector(sent: bytes) -> Vectors:
    """A vector as pgvector sends it: four bytes ahead, then four for each number, high byte first."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)
