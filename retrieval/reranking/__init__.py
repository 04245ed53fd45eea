"""Re-ranking: putting the candidates of a search in a better order. A stage is one class behind `Reranker`."""

from retrieval.reranking.base import Reranker, scaled
from retrieval.reranking.blended import BlendedSimilarity
from retrieval.reranking.late_interaction import LateInteraction
from retrieval.reranking.staged import Staged

__all__ = ["BlendedSimilarity", "LateInteraction", "Reranker", "Staged", "scaled"]
