"""A directory file is loaded again: what it no longer says holds no longer, and what Slack says it leaves alone."""

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auth.database import Database
from auth.directory import PersonFacts, upsert_people
from auth.granting import UnknownRole
from auth.people import PersonKind
from auth.rights import rights_of
from bot.directory_file import DirectoryFile, UnreadableDirectory, load_directory, read_directory

ADA: dict[str, Any] = {"user_id": "U0ADA", "handle": "ada", "name": "Ada", "roles": ["finance"]}
BEN: dict[str, Any] = {"user_id": "U0BEN", "handle": "ben", "name": "Ben", "roles": ["finance"]}


def directory(*people: dict[str, Any]) -> DirectoryFile:
    workspace = {"team_id": "T0TEST", "name": "Test"}
    return DirectoryFile.model_validate(
        {"workspace": workspace, "roles": [{"name": "finance"}], "people": people}
    )


def readme_example() -> DirectoryFile:
    """The directory file that the README gives as an example."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return DirectoryFile.model_validate(tomllib.loads(textwrap.dedent(block[1])))


async def roles(database: Database, workspace_id: int, slack_user_id: str) -> frozenset[str]:
    rights = await rights_of(database, workspace_id, slack_user_id)
    assert rights is not None
    return rights.roles


async def slack_says(database: Database, workspace_id: int, facts: PersonFacts) -> None:
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, [facts])


async def test_whoever_is_dropped_from_the_file_loses_what_it_granted(database: Database) -> None:
    workspace_id = await load_directory(database, directory(ADA, BEN))
    assert "finance" in await roles(database, workspace_id, "U0BEN")
    await load_directory(database, directory(ADA))
    assert await roles(database, workspace_id, "U0BEN") == {"everyone"}
    assert await roles(database, workspace_id, "U0ADA") == {"everyone", "finance"}


async def test_loading_a_file_again_makes_no_guest_of_slacks_a_member(database: Database) -> None:
    workspace_id = await load_directory(database, directory(ADA))
    await slack_says(database, workspace_id, PersonFacts("U0ADA", "ada", "Ada", PersonKind.GUEST))
    await load_directory(database, directory(ADA))
    assert await roles(database, workspace_id, "U0ADA") == {"guest", "finance"}


async def test_loading_a_file_again_brings_nobody_back_who_is_gone(database: Database) -> None:
    workspace_id = await load_directory(database, directory(ADA))
    await slack_says(
        database, workspace_id, PersonFacts("U0ADA", "ada", "Ada", PersonKind.MEMBER, active=False)
    )
    await load_directory(database, directory(ADA))
    assert await roles(database, workspace_id, "U0ADA") == frozenset()


async def test_what_the_file_does_say_of_a_person_counts(database: Database) -> None:
    workspace_id = await load_directory(database, directory(ADA))
    await load_directory(database, directory(ADA | {"kind": "guest"}))
    assert await roles(database, workspace_id, "U0ADA") == {"guest", "finance"}
    await load_directory(database, directory(ADA | {"deactivated": True}))
    assert await roles(database, workspace_id, "U0ADA") == frozenset()


@pytest.mark.parametrize("name", ["nobody", "Finance", "a b", "a,b", ""])
def test_a_role_that_no_policy_could_name_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "company.toml"
    file.write_text(f'[workspace]\nteam_id = "T0TEST"\nname = "Test"\n[[roles]]\nname = "{name}"\n')
    with pytest.raises(UnreadableDirectory, match=r"roles\.0\.name: .*no policy can name a role"):
        read_directory(file)


async def test_the_example_in_the_readme_can_be_loaded_as_it_stands(database: Database) -> None:
    workspace_id = await load_directory(database, readme_example())
    held = await roles(database, workspace_id, "U0123456789")
    assert {"finance", "ostiary-admin", "everyone"} <= held


async def test_a_role_that_does_not_exist_is_refused_with_the_name_of_whoever_was_to_hold_it(
    database: Database,
) -> None:
    with pytest.raises(UnknownRole, match=r"The file gives ada a role that does not exist.*leadership"):
        await load_directory(database, directory(ADA | {"roles": ["leadership"]}))


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDirectory, match=r"There is no file .*gone\.toml"):
        read_directory(tmp_path / "gone.toml")
