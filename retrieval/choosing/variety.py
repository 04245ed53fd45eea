"""Variety among the chosen: maximal marginal relevance."""

import numpy as np

from retrieval.embedding import Vectors
from retrieval.reranking.base import scaled


def maximal_marginal_relevance(
    relevance: Vectors, vectors: Vectors, how_many: int, trade_off: float
) -> list[int]:
    """Indices of up to `how_many` rows, each chosen for relevance less its likeness to those chosen before.

    `relevance` is (n,), `vectors` (n, d) L2-normalised; `trade_off` 1 is relevance alone, 0 variety alone.
    Carbonell and Goldstein, SIGIR 1998.
    """
    worth_alone = scaled(relevance) if len(relevance) else relevance
    likeness = np.zeros(len(relevance), dtype=np.float32)
    left = np.ones(len(relevance), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < how_many and left.any():
        worth = np.where(left, trade_off * worth_alone - (1 - trade_off) * likeness, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen
