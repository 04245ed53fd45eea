"""Retrieval as LangChain knows it: a retriever that cannot be built without saying who is reading."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from auth.clearance import Clearance
from auth.database import Database
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from retrieval.reranking import LateInteraction, Reranker
from retrieval.search import Candidate, SearchSettings, readable, search
from retrieval.variety import maximal_marginal_relevance


@dataclass(frozen=True)
class RetrievalSettings:
    """How many passages, how varied (1: relevance alone), and how to search for them."""

    passages: int = 8
    trade_off: float = 0.8
    search: SearchSettings = field(default_factory=SearchSettings)


class Library:
    """The documents of a database and the models that find their way in it. One per process."""

    def __init__(
        self,
        database: Database,
        embeddings: LocalEmbeddings,
        reranker: Reranker | None = None,
        settings: RetrievalSettings | None = None,
    ) -> None:
        self.database = database
        self.embeddings = embeddings
        self._reranker = reranker or LateInteraction(embeddings)
        self._settings = settings or RetrievalSettings()

    async def passages(self, question: str, clearance: Clearance) -> list[Passage]:
        """The best passages for `question` that `clearance` may read, best first."""
        vector = (await asyncio.to_thread(self.embeddings.encode, [question]))[0]
        found = await search(self.database, clearance, question, vector, self._settings.search)
        if not found:
            return []
        scores = await asyncio.to_thread(self._reranker.scores, question, vector, found)
        vectors = np.stack([candidate.vector for candidate in found])
        chosen = maximal_marginal_relevance(
            scores, vectors, self._settings.passages, self._settings.trade_off
        )
        return [_scored(found[index], float(scores[index])) for index in chosen]

    async def admits(self, clearance: Clearance, chunk_ids: Collection[int]) -> bool:
        """Whether `clearance` may read each of these chunks as they are labelled now."""
        return await readable(self.database, clearance, chunk_ids) == frozenset(chunk_ids)


class ClearedRetriever(BaseRetriever):
    """A LangChain retriever for one reader: make one per request, with that request's clearance.

    The clearance is a required field because LangChain drops unknown arguments of `ainvoke` silently.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    library: Library
    clearance: Clearance

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [as_document(passage) for passage in await self.library.passages(query, self.clearance)]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        raise NotImplementedError("Ostiary's retriever is asynchronous: use `ainvoke` or `abatch`.")


def as_document(passage: Passage) -> Document:
    """A passage as a LangChain document; its metadata is for whoever may read the passage."""
    metadata: dict[str, Any] = {
        "chunk_id": passage.chunk_id,
        "document_id": passage.document_id,
        "label_id": passage.label_id,
        "title": passage.title,
        "heading_path": list(passage.heading_path),
        "page": passage.page,
        "source": passage.url,
        "dated": passage.dated.isoformat() if passage.dated else None,
        "score": passage.score,
    }
    return Document(id=str(passage.chunk_id), page_content=passage.text, metadata=metadata)


def _scored(candidate: Candidate, score: float) -> Passage:
    return replace(candidate.passage, score=score)
