"""Directory files that cannot be used: said where they are wrong, and nothing of them is kept."""

from pathlib import Path

import pytest

from auth.database import Database
from auth.directory import list_workspaces
from auth.granting import UnknownRole
from bot.directory_file import DirectoryFile, UnreadableDirectory, load_directory, read_directory

WORKSPACE = '[workspace]\nteam_id = "T0ODD"\nname = "Odd"\n'
ADA = '[[people]]\nuser_id = "U0ADA"\nhandle = "ada"\nname = "Ada"\n'
UNUSABLE = {
    "a NUL": WORKSPACE + ADA.replace('"Ada"', '"Ada\\u0000"'),
    "a NUL in a list": WORKSPACE + ADA + 'roles = ["fin\\u0000ance"]\n',
    "the end of time": WORKSPACE + ADA + 'roles = [{role = "everyone", expires = 9999-12-31}]\n',
    "a cellar": "x = " + "[" * 3000 + "]" * 3000,
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_a_directory_file_with_something_impossible_in_it_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "directory.toml"
    file.write_text(content)
    with pytest.raises(UnreadableDirectory, match=r"directory\.toml"):
        read_directory(file)


async def test_a_directory_that_fails_halfway_leaves_no_workspace_behind(database: Database) -> None:
    person = {"user_id": "U0ADA", "handle": "ada", "name": "Ada", "roles": ["nowhere-defined"]}
    directory = DirectoryFile.model_validate(
        {"workspace": {"team_id": "T0ODD", "name": "Odd"}, "people": [person]}
    )
    with pytest.raises(UnknownRole):
        await load_directory(database, directory)
    async with database.registering() as connection:
        assert await list_workspaces(connection) == []
