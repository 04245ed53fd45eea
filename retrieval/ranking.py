"""What happens between candidates and passages: re-ranking, and variety by maximal marginal relevance."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from retrieval.embedding import Vectors
from retrieval.search import Candidate


class Reranker(Protocol):
    """Puts candidates in a better order, given the question. Scores are its own, higher is better."""

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        """One score a candidate, shape (n,)."""
        ...


class BlendedSimilarity:
    """The fused rank and the vectors' similarity, each scaled to [0, 1] over the candidates and averaged.

    Fusion by rank forgets how much better the first is than the second; similarity remembers.
    """

    def __init__(self, similarity_weight: float = 0.5) -> None:
        self._weight = similarity_weight

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        fused = np.array([candidate.passage.score for candidate in candidates], dtype=np.float32)
        similar = np.stack([candidate.vector for candidate in candidates]) @ question_vector
        blended: Vectors = (1 - self._weight) * _scaled(fused) + self._weight * _scaled(similar)
        return blended


def _scaled(values: Vectors) -> Vectors:
    spread = float(values.max() - values.min())
    scaled: Vectors = (values - values.min()) / spread if spread else np.ones_like(values)
    return scaled


def maximal_marginal_relevance(
    relevance: Vectors, vectors: Vectors, how_many: int, trade_off: float
) -> list[int]:
    """Indices of up to `how_many` rows, each chosen for relevance less its likeness to those chosen before.

    `relevance` is (n,), `vectors` (n, d) L2-normalised; `trade_off` 1 is relevance alone, 0 variety alone.
    Carbonell and Goldstein, SIGIR 1998.
    """
    scaled = _scaled(relevance) if len(relevance) else relevance
    likeness = np.zeros(len(relevance), dtype=np.float32)
    left = np.ones(len(relevance), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < how_many and left.any():
        worth = np.where(left, trade_off * scaled - (1 - trade_off) * likeness, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen
