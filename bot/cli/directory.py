"""`ostiary directory`: roles, people and channels from a file."""

from pathlib import Path

from rich.text import Text

from bot.cli.output import out, progress_line
from bot.directory_file import load_directory, read_directory
from bot.runtime import open_database
from bot.settings import load_settings


async def load_directory_file(file: Path) -> None:
    """Bring the directory to what the file says, and print how many of each it names."""
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
