"""A costly stage behind a cheap one: it reads only the best."""

from collections.abc import Sequence

import numpy as np

from retrieval.embedding import Vectors
from retrieval.reranking.base import Reranker, scaled
from retrieval.search import Candidate


class Staged:
    """`first` scores all candidates, `then` the best `how_many` of them again; the others stay behind these."""

    def __init__(self, first: Reranker, then: Reranker, how_many: int) -> None:
        self._first = first
        self._then = then
        self._how_many = how_many

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        scores = scaled(self._first.scores(question, question_vector, candidates))
        best = np.argsort(-scores, kind="stable")[: self._how_many]
        again = self._then.scores(question, question_vector, [candidates[at] for at in best])
        scores[best] = 1 + scaled(again)
        return scores
