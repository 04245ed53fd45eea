"""Late interaction without a model of its own: each word of the question finds its best match in the passage."""

from collections.abc import Sequence

import numpy as np

from retrieval.embedding import LocalEmbeddings, Vectors
from retrieval.reranking.base import lexical_scores, scaled, similarities
from retrieval.reranking.token_codes import best_matches, telling, weights
from retrieval.search import Candidate


class LateInteraction:
    """MaxSim over the embedder's own token vectors, blended with the similarity of the wholes and with the words.

    Passages bring their token codes with them, made when they were ingested, so that only the question is read by
    the model. A passage without codes takes the place that its similarity gives it. Khattab and Zaharia,
    arXiv 2004.12832. How the three weights were chosen, and what they gain: docs/decisions/0023.
    """

    def __init__(
        self, embeddings: LocalEmbeddings, similar: float = 0.5, lexical: float = 1.0, late: float = 2.0
    ) -> None:
        self._embeddings = embeddings
        self._shares = np.array([similar, lexical, late], dtype=np.float32) / (similar + lexical + late)

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        similar = similarities(question_vector, candidates)
        signs = [similar, lexical_scores(candidates), self._late(question, similar, candidates)]
        blended: Vectors = self._shares @ np.stack([scaled(sign) for sign in signs])
        return blended

    def _late(self, question: str, similar: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        coded = [at for at, candidate in enumerate(candidates) if candidate.token_codes]
        found = scaled(similar)
        if coded:
            tokens = self._embeddings.encode_tokens([question])[1][0]
            matches = best_matches(tokens.vectors, [candidates[at].token_codes or b"" for at in coded])
            found[coded] = scaled(matches @ (weights(tokens) * telling(matches)))
        return found
