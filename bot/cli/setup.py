"""`ostiary migrate` and `ostiary directory`: the database and who is in it."""

import asyncio
from pathlib import Path

from rich.text import Text

from bot.cli.output import out, progress_line
from bot.directory_file import load_directory, read_directory
from bot.runtime import open_database, open_urls
from bot.settings import load_settings
from migrations.upgrade import downgrade, upgrade


async def migrate(down_to: str | None) -> None:
    with progress_line() as progress:
        async with open_urls(load_settings(), progress) as urls:
            progress("Migrating the database")
            if down_to is None:
                before, after = await asyncio.to_thread(upgrade, urls.admin)
            else:
                before, after = await asyncio.to_thread(downgrade, urls.admin, down_to)
    if before == after:
        out.print(Text(f"The database is at revision {after or 'base'} already."))
    else:
        out.print(Text(f"The database went from revision {before or 'base'} to {after or 'base'}."))


async def load_directory_file(file: Path) -> None:
    directory = read_directory(file)
    with progress_line() as progress:
        async with open_database(load_settings(), progress) as database:
            await load_directory(database, directory)
    out.print(
        Text(
            f"{directory.workspace.name}: {len(directory.people)} people, {len(directory.roles)} roles and"
            f" {len(directory.channels)} channels are as {file.name} says."
        )
    )
