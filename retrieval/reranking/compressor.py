"""Any re-ranker that LangChain knows, behind our interface."""

from collections.abc import Sequence

import numpy as np
from langchain_core.documents import BaseDocumentCompressor, Document

from retrieval.embedding import Vectors
from retrieval.search import Candidate

_PLACE = "candidate"


class CompressorReranker:
    """Ranks by the order in which a LangChain document compressor returns documents; what it drops is last."""

    def __init__(self, compressor: BaseDocumentCompressor) -> None:
        self._compressor = compressor

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        documents = [
            Document(
                page_content=candidate.passage.text, metadata={_PLACE: at, "title": candidate.passage.title}
            )
            for at, candidate in enumerate(candidates)
        ]
        scores = np.zeros(len(candidates), dtype=np.float32)
        kept = self._compressor.compress_documents(documents, question)
        for place, document in enumerate(kept):
            scores[document.metadata[_PLACE]] = 1 - place / len(candidates)
        return scores
