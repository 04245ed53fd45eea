"""Ways to rank a set's chunks for a question: one list alone, both fused, and re-ranked in several ways."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import Database
from retrieval.choosing import Choice
from retrieval.embedding import LocalEmbeddings, Vectors, as_pgvector
from retrieval.reranking import BlendedSimilarity, LateInteraction, Reranker
from retrieval.reranking.loading import load_reranker
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import Candidate, SearchSettings, search
from tests.benchmarks.quality.measures import DEEP, TOP


@dataclass(frozen=True)
class Question:
    """A question as search takes it, and whoever asks it."""

    text: str
    vector: Vectors
    clearance: Clearance


Ranked = list[int]
"""Chunk ids, best first."""
Method = Callable[[Database, Question], Awaitable[Ranked]]
SETTINGS = SearchSettings(candidates=DEEP)
PRODUCT = SearchSettings().candidates
"""Candidates that the product re-ranks; the rest stay behind them, for the sake of recall@100."""

_DENSE = text(
    "SELECT chunk_id FROM retrieval.chunk_vec WHERE workspace_id = :workspace_id"
    " ORDER BY (emb <#> CAST(:vector AS vector)) + 0, chunk_id LIMIT :candidates"
)
_LEXICAL = text(
    "SELECT chunk_id FROM retrieval.lexical_candidates(retrieval.asked_words(:question), :candidates)"
    " ORDER BY score DESC, chunk_id"
)


async def dense(database: Database, asked: Question) -> Ranked:
    return await _listed(database, asked, _DENSE, {"vector": as_pgvector(asked.vector)})


async def lexical(database: Database, asked: Question) -> Ranked:
    return await _listed(database, asked, _LEXICAL, {"question": asked.text})


async def fused(database: Database, asked: Question) -> Ranked:
    return [candidate.passage.chunk_id for candidate in await _found(database, asked)]


def reranked(reranker: Reranker, first: int = DEEP) -> Method:
    """Fused, the `first` of them put in a better order."""

    async def ranked(database: Database, asked: Question) -> Ranked:
        found = await _found(database, asked)
        if not found:
            return []
        scores = reranker.scores(asked.text, asked.vector, found[:first])
        order = [*np.argsort(-scores, kind="stable"), *range(first, len(found))]
        return [found[at].passage.chunk_id for at in order]

    return ranked


def methods(embeddings: LocalEmbeddings, cross_encoder: str | None = None) -> dict[str, Method]:
    """Every way by its name, the least first."""
    ways = {
        "dense": dense,
        "lexical": lexical,
        "fused": fused,
        "blended": reranked(BlendedSimilarity()),
        "late interaction": reranked(LateInteraction(embeddings), PRODUCT),
    }
    ways["given"] = given(embeddings)
    if cross_encoder:
        ways["cross-encoder"] = reranked(load_reranker(cross_encoder, embeddings), PRODUCT)
    return ways


def given(embeddings: LocalEmbeddings) -> Method:
    """The passages that an answer would be made from: ranked, none twice, varied, neighbours joined."""
    settings = RetrievalSettings(Choice(chunks=2 * TOP))  # a unit may have more chunks than one

    async def ranked(database: Database, asked: Question) -> Ranked:
        passages = await Library(database, embeddings, settings=settings).passages(
            asked.text, asked.clearance
        )
        return [chunk_id for passage in passages for chunk_id in passage.chunk_ids]

    return ranked


async def _found(database: Database, asked: Question) -> list[Candidate]:
    return await search(database, asked.clearance, asked.text, asked.vector, SETTINGS)


async def _listed(
    database: Database, asked: Question, statement: object, values: Mapping[str, object]
) -> Ranked:
    binds = {"workspace_id": asked.clearance.workspace_id, "candidates": DEEP, **values}
    async with database.reading_as(asked.clearance) as connection:
        return list((await connection.execute(statement, binds)).scalars())  # type: ignore[call-overload]
