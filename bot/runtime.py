"""Putting the parts together: a database that is open, models that are loaded, a desk that is staffed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.database import APP, READER, Database, DatabaseUnusable, DatabaseUrls
from auth.directory import list_workspaces
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.server import ensure_running
from bot.answering import Answerer
from bot.answering.local_model import LocalChatModel
from bot.assistant import Assistant
from bot.settings import Settings
from migrations.upgrade import pending, upgrade
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.locks import CrossCheck
from retrieval.parsing.isolated import ParseLimits, ParserProcess
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import SearchSettings
from retrieval.weights import Progress, embedder_folder, silent


class NoWorkspace(OstiaryError):
    """It is not clear which workspace is meant, or there is none; the message says what to do."""


@asynccontextmanager
async def open_urls(settings: Settings, progress: Progress = silent) -> AsyncIterator[DatabaseUrls]:
    """Where the database is: DATABASE_URL, else the embedded server, started if it does not run yet."""
    if settings.database_url:
        yield DatabaseUrls(settings.database_url, settings.database_app_url, settings.database_reader_url)
        return
    progress("Opening the embedded database")
    server = await asyncio.to_thread(ensure_running, settings.home)
    try:
        yield DatabaseUrls(server.url(), server.url(APP), server.url(READER))
    finally:
        await asyncio.to_thread(server.release)


@asynccontextmanager
async def open_database(settings: Settings, progress: Progress = silent) -> AsyncIterator[Database]:
    """A database that is migrated and whose walls stand. The embedded one is migrated by itself."""
    async with open_urls(settings, progress) as urls:
        if await asyncio.to_thread(pending, urls.admin):
            if settings.database_url:
                raise DatabaseUnusable(
                    "The database at DATABASE_URL is of another version of Ostiary. Run `ostiary migrate`."
                )
            progress("Migrating the database")
            await asyncio.to_thread(upgrade, urls.admin)
        database = Database(urls)
        try:
            await database.check()
            yield database
        finally:
            await database.close()


async def the_workspace(database: Database, settings: Settings) -> int:
    """The workspace that the command line works in: the one named, or the only one."""
    async with database.registering() as connection:
        workspaces = await list_workspaces(connection)
    if settings.workspace:
        workspaces = [entry for entry in workspaces if entry[1] == settings.workspace]
    if len(workspaces) == 1:
        return workspaces[0][0]
    if not workspaces:
        raise NoWorkspace(
            "There is no such workspace yet. Run `ostiary demo` for the demo company, `ostiary directory FILE` for"
            " your own people and roles, or `ostiary serve` to connect Slack."
        )
    known = ", ".join(f"{team_id} ({name})" for _, team_id, name in workspaces)
    raise NoWorkspace(f"There are several workspaces: {known}. Set OSTIARY_WORKSPACE to one of these ids.")


async def load_embeddings(settings: Settings, progress: Progress = silent) -> LocalEmbeddings:
    progress("Loading the embedding model")
    return await asyncio.to_thread(_load_embeddings, settings)


def _load_embeddings(settings: Settings) -> LocalEmbeddings:
    import torch

    torch.set_num_threads(settings.threads)
    return LocalEmbeddings.load(embedder_folder(settings.embedding_model, cache=settings.cache))


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
    model = await asyncio.to_thread(
        LocalChatModel.load,
        settings.language_model,
        cache=settings.cache,
        adapter=settings.adapter,
        threads=settings.threads,
        progress=progress,
    )
    adapter_label = None
    if model.adapter is not None:
        async with database.writing_in(workspace_id) as connection:
            adapter_label = await intern_label(connection, parse_policy(model.adapter.readers))
    adapted = model.adapted() if model.adapter is not None else None
    answerer = Answerer(model, embeddings.encode, likelihood=model, adapted=adapted)
    try:
        yield Assistant(
            Library(database, embeddings, settings=_how_to_search(settings)), answerer, adapter_label
        )
    finally:
        await asyncio.to_thread(model.close)


def _how_to_search(settings: Settings) -> RetrievalSettings:
    return RetrievalSettings(search=SearchSettings(cross_check=CrossCheck(settings.cross_check)))
