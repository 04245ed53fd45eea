"""The stages after ranking, one behind the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from retrieval.choosing.freshness import FLOOR, freshness
from retrieval.choosing.neighbours import joined
from retrieval.choosing.repeats import without_repeats
from retrieval.choosing.variety import maximal_marginal_relevance
from retrieval.embedding import Vectors
from retrieval.passages import Passage
from retrieval.reranking.base import scaled, similarities
from retrieval.search import Candidate


@dataclass(frozen=True)
class Choice:
    """How to choose: how many chunks, how varied (1: relevance alone), and what is left of what is long past."""

    chunks: int = 8
    trade_off: float = 0.95
    freshness_floor: float = FLOOR


def choose_passages(
    question_vector: Vectors, candidates: Sequence[Candidate], scores: Vectors, today: date, choice: Choice
) -> list[Passage]:
    """Passages to answer from, best first. `scores` are a re-ranker's, (n,); chunks that adjoin are one passage."""
    relevance = _relevance(scores, similarities(question_vector, candidates))
    relevance *= freshness(candidates, today, choice.freshness_floor)
    kept, relevance = without_repeats(candidates, relevance)
    vectors = np.stack([candidate.vector for candidate in kept])
    order = maximal_marginal_relevance(relevance, vectors, choice.chunks, choice.trade_off)
    return joined([_scored(kept[at], float(relevance[at])) for at in order])


def _relevance(scores: Vectors, similar: Vectors) -> Vectors:
    """Scores as shares of the best one's: the worst of fifty may be worth nothing, the worst of two need not.

    How much that is, the similarities tell: squared, since unrelated texts are somewhat similar too.
    """
    least = max(float(similar.min()) / float(similar.max()), 0.0) ** 2 if similar.max() > 0 else 0.0
    shares: Vectors = least + (1 - least) * scaled(scores)
    return shares


def _scored(candidate: Candidate, score: float) -> Candidate:
    return replace(candidate, passage=replace(candidate.passage, score=score))
