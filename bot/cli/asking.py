"""`ostiary ask`: the answer that a person would get, alone or in a channel."""

import time
from contextlib import AsyncExitStack

from rich.text import Text

from auth.channels import audience_of_channel
from auth.clearance import Clearance
from auth.database import Database
from auth.directory import person_called
from auth.people import Person
from auth.rights import audience_clearance, nothing, rights_of
from bot.cli.answers import print_parts
from bot.cli.output import out, progress_line
from bot.opening import open_database, the_workspace
from bot.runtime import load_embeddings, open_assistant
from bot.settings import load_settings


async def ask_once(question: str, handle: str, channel: str | None) -> None:
    """Print what `handle` would be told, and everybody in `channel` if one is named."""
    settings = load_settings()
    async with AsyncExitStack() as stack:
        with progress_line() as progress:
            database = await stack.enter_async_context(open_database(settings, progress))
            workspace_id = await the_workspace(database, settings)
            async with database.writing_in(workspace_id) as connection:
                person = await person_called(connection, handle)
            asker, audience = await _clearances(database, workspace_id, person, channel)
            embeddings = await load_embeddings(settings, progress)
            assistant = await stack.enter_async_context(
                open_assistant(settings, database, workspace_id, embeddings, progress)
            )
            progress("Reading the documents")
            began = time.perf_counter()
            parts = await assistant.answer_in_place(question, asker, audience)
            took = time.perf_counter() - began
    print_parts(parts, person.name, channel)
    out.print(Text(f"Answered in {took:.1f} s.", style="dim"))


async def _clearances(
    database: Database, workspace_id: int, person: Person, channel: str | None
) -> tuple[Clearance, Clearance]:
    """What the asker may read, and what everybody in the channel may (the same in a direct message)."""
    rights = await rights_of(database, workspace_id, person.slack_user_id)
    asker = rights.clearance if rights else nothing(workspace_id)
    if channel is None:
        return asker, asker
    async with database.writing_in(workspace_id) as connection:
        audience = await audience_of_channel(connection, channel, person.slack_user_id)
    return asker, await audience_clearance(database, workspace_id, audience)
