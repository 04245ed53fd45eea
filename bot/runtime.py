"""Putting the parts together: a database that is open, models that are loaded, a desk that is staffed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.database import Database
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.answering import Answerer
from bot.answering.rewriting import Rewriter
from bot.assistant import Assistant
from bot.generation.opening import open_voice
from bot.settings import Settings
from retrieval.choosing import Choice
from retrieval.devices import choose_device
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.locks import CrossCheck
from retrieval.parsing.isolated import ParseLimits, ParserProcess
from retrieval.reranking.loading import load_reranker
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import SearchSettings, has_half_vectors
from retrieval.weights import Progress, embedder_folder, silent


async def load_embeddings(settings: Settings, progress: Progress = silent) -> LocalEmbeddings:
    progress("Loading the embedding model")
    return await asyncio.to_thread(_load_embeddings, settings)


def _load_embeddings(settings: Settings) -> LocalEmbeddings:
    import torch

    torch.set_num_threads(settings.threads)
    folder = embedder_folder(settings.embedding_model, cache=settings.cache)
    return LocalEmbeddings.load(folder, choose_device(settings.device))


@asynccontextmanager
async def open_ingestor(
    settings: Settings, database: Database, embeddings: LocalEmbeddings
) -> AsyncIterator[Ingestor]:
    limits = ParseLimits(input_bytes=settings.max_document_bytes)
    async with ParserProcess(limits) as parser:
        yield Ingestor(database, embeddings, parser)


@asynccontextmanager
async def open_assistant(
    settings: Settings,
    database: Database,
    workspace_id: int,
    embeddings: LocalEmbeddings,
    progress: Progress = silent,
) -> AsyncIterator[Assistant]:
    """An assistant with its language model loaded; the model is let go at the end."""
    progress("Loading the language model")
    async with open_voice(settings, progress) as voice:
        adapter_label = None
        if voice.adapter is not None:
            async with database.writing_in(workspace_id) as connection:
                adapter_label = await intern_label(connection, parse_policy(voice.adapter.readers))
        progress("Loading the re-ranking model")
        reranker = await asyncio.to_thread(load_reranker, settings.reranker, embeddings, progress)
        half = await has_half_vectors(database)
        library = Library(database, embeddings, reranker, _how_to_search(settings, half))
        model = voice.chat_model()
        answerer = Answerer(model, embeddings.encode, likelihood=voice.weights, adapted=voice.adapted())
        rewriter = Rewriter(embeddings.encode, model if settings.rewrite_with_model else None)
        yield Assistant(library, answerer, adapter_label, rewriter)


def _how_to_search(settings: Settings, half_vectors: bool) -> RetrievalSettings:
    search = SearchSettings(
        strict=settings.strict_search,
        half_vectors=half_vectors,
        cross_check=CrossCheck(settings.cross_check),
    )
    return RetrievalSettings(Choice(trade_off=1 - settings.passage_variety), search)
