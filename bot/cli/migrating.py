"""`ostiary migrate`: the database brought to this version, or back."""

import asyncio

from rich.text import Text

from bot.cli.output import out, progress_line
from bot.opening import open_urls
from bot.settings import load_settings
from migrations.upgrade import downgrade, upgrade
from migrations.vector_index import index_vectors


async def migrate(down_to: str | None, half_vectors: bool | None = None) -> None:
    """Print the revisions before and after, and what became of the index of the vectors if that was asked for."""
    rebuilt = False
    with progress_line() as progress:
        async with open_urls(load_settings(), progress) as urls:
            progress("Migrating the database")
            if down_to is None:
                before, after = await asyncio.to_thread(upgrade, urls.admin)
            else:
                before, after = await asyncio.to_thread(downgrade, urls.admin, down_to)
            if half_vectors is not None and after is not None:
                progress("Building the index of the vectors; searches go on")
                rebuilt = await asyncio.to_thread(index_vectors, urls.admin, half=half_vectors)
    if before == after:
        out.print(Text(f"The database is at revision {after or 'base'} already."))
    else:
        out.print(Text(f"The database went from revision {before or 'base'} to {after or 'base'}."))
    if half_vectors is not None:
        kind = "half" if half_vectors else "whole"
        out.print(
            Text(
                f"The vectors are now indexed in {kind} numbers. Start `ostiary serve` anew to search by it."
                if rebuilt
                else f"The vectors are indexed in {kind} numbers already."
            )
        )
