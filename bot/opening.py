"""Opening the database, and finding the workspace that is meant. Loads no model, so that commands start fast."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.database import APP, READER, Database, DatabaseUnusable, DatabaseUrls
from auth.directory import list_workspaces
from auth.errors import OstiaryError
from auth.server import ensure_running
from bot.settings import Settings
from migrations.upgrade import pending, upgrade
from retrieval.weights import Progress, silent


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
