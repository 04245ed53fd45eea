"""The order that the search itself found, with how similar each candidate is. Costs nothing."""

from collections.abc import Sequence

from retrieval.embedding import Vectors
from retrieval.reranking.base import fused_scores, scaled, similarities
from retrieval.search import Candidate


class BlendedSimilarity:
    """The fused rank and the vectors' similarity, each scaled to [0, 1] over the candidates and averaged.

    Fusion by rank forgets how much better the first is than the second; similarity remembers.
    """

    def __init__(self, similarity_weight: float = 0.5) -> None:
        self._weight = similarity_weight

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        similar = similarities(question_vector, candidates)
        return (1 - self._weight) * scaled(fused_scores(candidates)) + self._weight * scaled(similar)
