"""`ostiary migrate`: the database brought to this version, or back."""

import asyncio

from rich.text import Text

from bot.cli.output import out, progress_line
from bot.opening import open_urls
from bot.settings import load_settings
from migrations.upgrade import downgrade, upgrade


async def migrate(down_to: str | None) -> None:
    """Print the revisions before and after."""
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
