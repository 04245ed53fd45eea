"""The re-ranker that a setting names."""

from retrieval.embedding import LocalEmbeddings
from retrieval.reranking.base import Reranker
from retrieval.reranking.blended import BlendedSimilarity
from retrieval.reranking.cross_encoder import CrossEncoder
from retrieval.reranking.late_interaction import LateInteraction
from retrieval.reranking.staged import Staged
from retrieval.weights import PACKAGED, Progress, reranker_folder, silent

LATE_INTERACTION, NONE = "late-interaction", "none"
READ_TOGETHER = 12
"""Passages that a cross-encoder reads: about 50 ms each, by a small one on a slow core."""


def is_cross_encoder(name: str) -> bool:
    """Whether a setting names a model of its own, rather than a way to rank without one."""
    return name not in (PACKAGED, LATE_INTERACTION, NONE)


def load_reranker(name: str, embeddings: LocalEmbeddings, progress: Progress = silent) -> Reranker:
    """`packaged` or `late-interaction`, `none`, or a cross-encoder's folder or hub id. Raises WeightsError."""
    if name == NONE:
        return BlendedSimilarity()
    late = LateInteraction(embeddings)
    if not is_cross_encoder(name):
        return late
    return Staged(late, CrossEncoder.load(reranker_folder(name, progress=progress)), READ_TOGETHER)
