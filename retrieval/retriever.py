"""Retrieval as LangChain knows it: a retriever that cannot be built without saying who is reading."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from auth.clearance import Clearance
from auth.database import Database
from retrieval.choosing import Choice, choose_passages
from retrieval.embedding import LocalEmbeddings, Vectors
from retrieval.passages import Passage
from retrieval.reranking import LateInteraction, Reranker
from retrieval.search import Candidate, SearchSettings, readable, search


@dataclass(frozen=True)
class RetrievalSettings:
    """How to search for passages, and how to choose from what is found."""

    choice: Choice = field(default_factory=Choice)
    search: SearchSettings = field(default_factory=SearchSettings)


class Library:
    """The documents of a database and the models that find their way in it. One per process."""

    def __init__(
        self,
        database: Database,
        embeddings: LocalEmbeddings,
        reranker: Reranker | None = None,
        settings: RetrievalSettings | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.database = database
        self.embeddings = embeddings
        self._reranker = reranker or LateInteraction(embeddings)
        self._settings = settings or RetrievalSettings()
        self._today = today

    async def passages(self, question: str, clearance: Clearance) -> list[Passage]:
        """The best passages for `question` that `clearance` may read, best first."""
        vector = (await asyncio.to_thread(self.embeddings.encode, [question]))[0]
        found = await search(self.database, clearance, question, vector, self._settings.search)
        if not found:
            return []
        return await asyncio.to_thread(self._ranked, question, vector, found)

    def _ranked(self, question: str, vector: Vectors, found: Sequence[Candidate]) -> list[Passage]:
        scores = self._reranker.scores(question, vector, found)
        return choose_passages(vector, found, scores, self._today(), self._settings.choice)

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
        "chunk_ids": list(passage.chunk_ids),
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
