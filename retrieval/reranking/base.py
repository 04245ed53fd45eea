"""What every stage of re-ranking is: candidates in, one score for each out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from retrieval.embedding import Vectors
from retrieval.search import Candidate


class Reranker(Protocol):
    """Scores candidates for a question. Scores are its own, higher is better. It blocks: call it in a thread."""

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        """One score a candidate, shape (n,), for at least one candidate."""
        ...


def scaled(values: Vectors) -> Vectors:
    """The values moved and stretched to [0, 1]; all 1 where they are all the same."""
    spread = float(values.max() - values.min())
    found: Vectors = (values - values.min()) / spread if spread else np.ones_like(values)
    return found


def fused_scores(candidates: Sequence[Candidate]) -> Vectors:
    """What the search itself made of the candidates, (n,)."""
    return np.array([candidate.passage.score for candidate in candidates], dtype=np.float32)


def lexical_scores(candidates: Sequence[Candidate]) -> Vectors:
    """How well the question's words are met, rare ones more, (n,); 0 for what was found by its vector alone."""
    return np.array([candidate.lexical for candidate in candidates], dtype=np.float32)


def similarities(question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
    """Cosines with the question, (n,)."""
    found: Vectors = np.stack([candidate.vector for candidate in candidates]) @ question_vector
    return found
