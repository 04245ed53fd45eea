"""`ostiary doctor`: what is configured, what is missing, and how to mend it."""

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path

from auth.database import Database
from auth.directory import list_workspaces
from auth.errors import OstiaryError
from bot.cli.output import checks_table, out, progress_line
from bot.opening import open_database
from bot.settings import Settings, load_settings
from bot.slack.app import slack_client
from bot.slack.service import ask_who_i_am, check_app_token
from retrieval.reranking.loading import is_cross_encoder
from retrieval.weights import Progress, embedder_folder, free_memory, language_model_folder, reranker_folder

Row = tuple[bool | None, str, str]
"""Fine (None: merely said), what was looked at, how it stands."""


async def examine() -> bool:
    """Print every check; True if nothing is wrong that keeps Ostiary from working."""
    settings = load_settings()
    rows: list[Row] = [_machine(), _home(settings)]
    with progress_line() as progress:
        rows += await _look(settings, progress)
    out.print(checks_table(rows))
    return all(fine is not False for fine, _, _ in rows)


async def _look(settings: Settings, progress: Progress) -> list[Row]:
    rows = await _checked("Database", lambda: _database(settings, progress))
    for what, name, find in (
        ("Embedding model", settings.embedding_model, embedder_folder),
        ("Language model", settings.language_model, language_model_folder),
    ):
        rows += await _checked(what, lambda w=what, n=name, f=find: _model(w, n, f, settings, progress))  # type: ignore[misc]
    rows += await _checked("Re-ranking model", lambda: _reranker(settings, progress))
    rows += await _checked("Texts", lambda: check_generator(settings))
    rows += await _checked("Adapter", lambda: _adapter(settings))
    rows += await _checked("Slack", lambda: check_slack(settings))
    return rows


async def _checked(what: str, check: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
    """A check that fails says its own sentence and does not stop the others."""
    try:
        return await check()
    except OstiaryError as error:
        return [(False, what, str(error))]
    except OSError as error:
        return [(False, what, f"The system refused ({error.strerror or error}) at {error.filename}.")]


def _machine() -> Row:
    free = free_memory()
    memory = f", {free / 2**30:.1f} GB of memory free" if free is not None else ""
    return (None, "Machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{memory}")


def _home(settings: Settings) -> Row:
    nearest = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    if os.access(nearest, os.W_OK):
        return (True, "Home", f"{settings.home}")
    return (False, "Home", f"{settings.home} cannot be written. Set OSTIARY_HOME to a folder that can.")


async def _database(settings: Settings, progress: Progress) -> list[Row]:
    where = "DATABASE_URL" if settings.database_url else "embedded server"
    async with open_database(settings, progress) as database:
        rows: list[Row] = [(True, "Database", f"{where}, migrated; row-level security stands for both roles")]
        return [*rows, *await _workspaces(database)]


async def _workspaces(database: Database) -> list[Row]:
    async with database.registering() as connection:
        workspaces = await list_workspaces(connection)
    if not workspaces:
        said = "none yet: `ostiary demo`, `ostiary directory FILE` or `ostiary serve` makes the first"
        return [(None, "Workspaces", said)]
    return [(None, "Workspaces", ", ".join(f"{name} ({team_id})" for _, team_id, name in workspaces))]


async def _model(
    what: str, name: str, find: Callable[..., Path], settings: Settings, progress: Progress
) -> list[Row]:
    await asyncio.to_thread(find, name, cache=settings.cache, progress=progress)
    return [(True, what, name)]


async def _reranker(settings: Settings, progress: Progress) -> list[Row]:
    if is_cross_encoder(settings.reranker):
        await asyncio.to_thread(reranker_folder, settings.reranker, progress=progress)
    return [(True, "Re-ranking model", settings.reranker)]


async def check_generator(settings: Settings) -> list[Row]:
    """A server elsewhere is tried with a word."""
    from bot.generation import Request, Turn, written
    from bot.generation.opening import server_of

    server = server_of(settings)
    if server is None:
        return [(None, "Texts", "written by the language model in this process")]
    await written(server, Request((Turn("user", "Say hello."),), max_tokens=4))
    return [(True, "Texts", f"written by {server.name} at {server.url}")]


async def _adapter(settings: Settings) -> list[Row]:
    from finetune.adapters import load_adapter

    if settings.adapter is None:
        return [(None, "Adapter", "none")]
    adapter = load_adapter(settings.adapter, settings.writer)
    return [(True, "Adapter", f"{adapter.name}, for whoever may read: {adapter.readers}")]


async def check_slack(settings: Settings) -> list[Row]:
    """Both tokens, tried on Slack; nothing is stored."""
    if settings.http_port:
        return await _check_http(settings)
    if settings.slack_bot_token is None or settings.slack_app_token is None:
        said = "not connected: SLACK_BOT_TOKEN and SLACK_APP_TOKEN are needed by `ostiary serve` alone"
        return [(None, "Slack", said)]
    client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    team = await ask_who_i_am(client)
    await check_app_token(client, settings.slack_app_token.get_secret_value())
    return [(True, "Slack", f"{team['team']} ({team['team_id']})")]


async def _check_http(settings: Settings) -> list[Row]:
    """In HTTP mode: the bot token, and that there is a secret to tell Slack's requests by."""
    if settings.slack_bot_token is None or settings.slack_signing_secret is None:
        missing = "SLACK_BOT_TOKEN" if settings.slack_bot_token is None else "SLACK_SIGNING_SECRET"
        return [(False, "Slack", f"{missing} is not set, and HTTP mode (OSTIARY_HTTP_PORT) needs it")]
    client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    team = await ask_who_i_am(client)
    where = f"{settings.http_host}, port {settings.http_port}"
    return [(True, "Slack", f"{team['team']} ({team['team_id']}); its requests come in at {where}")]
