"""`ostiary directory`: roles, people and channels from a file."""

from pathlib import Path

from rich.text import Text

from bot.cli.output import counted, out, progress_line
from bot.directory_file import load_directory, read_directory
from bot.opening import open_database
from bot.settings import load_settings


async def load_directory_file(file: Path) -> None:
    """Bring the directory to what the file says, and print how many of each it names."""
    directory = read_directory(file)
    with progress_line() as progress:
        async with open_database(load_settings(), progress) as database:
            await load_directory(database, directory)
    people = "1 person" if len(directory.people) == 1 else f"{len(directory.people)} people"
    roles, channels = counted(len(directory.roles), "role"), counted(len(directory.channels), "channel")
    out.print(Text(f"{directory.workspace.name} is as {file.name} says: {people}, {roles}, {channels}."))
