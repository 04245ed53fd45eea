"""`ostiary worker`: takes documents in beside the bot, on this machine or another."""

from contextlib import AsyncExitStack

from rich.text import Text

from bot.cli.output import out, progress_line
from bot.cli.serving import until_stopped
from bot.logging import configure_logging
from bot.opening import open_database, the_workspace
from bot.queue import SLOW_LANES, JobQueue, Lane
from bot.runtime import load_embeddings, open_ingestor
from bot.settings import load_settings
from bot.slack.app import slack_client
from bot.slack.delivery import Outbox
from bot.slack.ingesting import Intake
from bot.slack.service import identify
from bot.source_jobs import SourceKeeper, readers
from retrieval.sources.kept import Kind


async def work() -> None:
    """Take in what was handed in and what is due, until stopped.

    Whoever hands something in through Slack is told there what became of it: without the bot's token, kept sources
    alone are read.
    """
    settings = load_settings()
    configure_logging(settings.log_level)
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            token = settings.slack_bot_token
            client = slack_client(token.get_secret_value(), settings.slack_api_url) if token else None
            team = await identify(client, database) if client is not None else None
            workspace_id = team.workspace_id if team else await the_workspace(database, settings)
            embeddings = await load_embeddings(settings, progress)
        ingestor = await stack.enter_async_context(open_ingestor(settings, database, embeddings))
        lanes = SLOW_LANES if client is not None else frozenset({Lane.SOURCES})
        queue = JobQueue(database.urls, workspace_id, lanes=lanes)
        size = settings.max_document_bytes
        by_kind = readers(size)
        if client is not None and team is not None:
            intake = Intake(database, workspace_id, ingestor, Outbox(client), size, team.bot_user_id)
            intake.register(queue)
            by_kind[Kind.SLACK_CHANNEL] = intake.channel_reader
        SourceKeeper(database, workspace_id, ingestor, by_kind).register(queue)
        await stack.enter_async_context(queue.working())
        what = "documents that are handed in, and kept sources" if client else "kept sources"
        out.print(Text(f"At work on {what}. Ctrl-C stops it."))
        if client is None:
            out.print(
                Text(
                    "With SLACK_BOT_TOKEN it takes in what is handed in through Slack too.",
                    style="dim",
                )
            )
        await until_stopped()
        out.print(Text("Stopping."))
