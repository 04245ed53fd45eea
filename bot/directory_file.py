"""A workspace's roles, people and channels from a TOML file: for the demo, and where Slack is not connected.

Loading it again brings the directory to what the file says: grants that it no longer names are taken away.
"""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.channels import Channel, remember_channel
from auth.database import Database, enter_workspace
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.errors import OstiaryError
from auth.granting import (
    UnknownRole,
    define_built_in_roles,
    define_role,
    grant,
    read_inheritance,
    revoke_all_from,
)
from auth.labels import is_role_name
from auth.people import Person, PersonKind

FROM_FILE = "file"


class UnreadableDirectory(OstiaryError):
    """A directory file cannot be used; the message says where it is wrong."""


def _checked_role_name(name: str) -> str:
    if not is_role_name(name):
        raise ValueError(f"no policy can name a role {name!r}; use small letters, figures, - and _")
    return name


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("there is a NUL character in it")
        return value


class WorkspaceEntry(_Entry):
    team_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    bot_user_id: str | None = None
    bot_handle: str | None = None


class RoleEntry(_Entry):
    name: Annotated[str, AfterValidator(_checked_role_name)]
    description: str = ""
    inherits: tuple[str, ...] = ()


class GrantEntry(_Entry):
    """A role, valid to the end of the day `expires` (UTC)."""

    role: str
    expires: date | None = Field(None, lt=date.max)
    reason: str = ""

    @property
    def expires_at(self) -> datetime | None:
        if self.expires is None:
            return None
        return datetime.combine(self.expires + timedelta(days=1), time(), UTC)


class PersonEntry(_Entry):
    user_id: str = Field(min_length=1)
    handle: str = Field(min_length=1)
    name: str = Field(min_length=1)
    title: str = ""
    kind: PersonKind = PersonKind.MEMBER
    roles: tuple[str | GrantEntry, ...] = ()
    is_admin: bool = False
    deactivated: bool = False
    team_id: str = ""

    @property
    def grants(self) -> list[GrantEntry]:
        return [GrantEntry(role=role) if isinstance(role, str) else role for role in self.roles]


class ChannelEntry(_Entry):
    channel_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    private: bool = False
    shared: bool = False
    members: tuple[str, ...] = ()
    topic: str = ""


class DirectoryFile(_Entry):
    """The parts of the file that say who is who. Other parts are left to others."""

    workspace: WorkspaceEntry
    roles: tuple[RoleEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()
    channels: tuple[ChannelEntry, ...] = ()


def read_directory(path: Path) -> DirectoryFile:
    """Read and check a directory file; raises UnreadableDirectory saying where it is wrong."""
    try:
        return DirectoryFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise UnreadableDirectory(f"There is no file {path}. Check the path.") from error
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise UnreadableDirectory(f"{path} could not be read: {error}. It must be a TOML file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableDirectory(f"{path} is wrong at {where}: {first['msg']}.") from error


async def load_directory(database: Database, directory: DirectoryFile) -> int:
    """Bring a workspace to what the file says, all of it or nothing; returns the workspace's id."""
    async with database.registering() as connection:
        workspace_id = await register_workspace(
            connection, directory.workspace.team_id, directory.workspace.name
        )
        await enter_workspace(connection, workspace_id, "directory file")
        await define_built_in_roles(connection)
        await _load_roles(connection, directory)
        people = await _load_people(connection, directory)
        await _load_grants(connection, directory, people)
        for channel in directory.channels:
            await _load_channel(connection, channel, directory)
    return workspace_id


async def _load_roles(connection: AsyncConnection, directory: DirectoryFile) -> None:
    # First all names, so that a role may inherit from one that the file names later.
    inheritance = await read_inheritance(connection)
    for role in directory.roles:
        stays = inheritance.get(role.name, frozenset()) & set(role.inherits)
        await define_role(connection, role.name, role.description, stays)
    for role in directory.roles:
        await define_role(connection, role.name, role.description, role.inherits)


async def _load_people(connection: AsyncConnection, directory: DirectoryFile) -> dict[str, Person]:
    ids = [entry.user_id for entry in directory.people]
    known = await find_people(connection, ids)
    await upsert_people(connection, [_facts(entry, known.get(entry.user_id)) for entry in directory.people])
    return await find_people(connection, ids)


def _facts(entry: PersonEntry, known: Person | None) -> PersonFacts:
    """What the file leaves unsaid stays as it is: Slack has told who is a guest, and who is gone."""
    said = entry.model_fields_set
    kind = entry.kind if known is None or "kind" in said else known.kind
    active = not entry.deactivated if known is None or "deactivated" in said else known.active
    is_admin = entry.is_admin if known is None or "is_admin" in said else known.is_workspace_admin
    is_owner = known.is_workspace_owner if known else False
    return PersonFacts(entry.user_id, entry.handle, entry.name, kind, active, is_admin, is_owner)


async def _load_grants(
    connection: AsyncConnection, directory: DirectoryFile, people: dict[str, Person]
) -> None:
    named = [(people[entry.user_id].id, made.role) for entry in directory.people for made in entry.grants]
    await revoke_all_from(connection, FROM_FILE, but=named)
    for entry in directory.people:
        try:
            await _grant_all(connection, entry, people[entry.user_id])
        except UnknownRole as error:
            raise UnknownRole(f"The file gives {entry.handle} a role that does not exist. {error}") from error


async def _grant_all(connection: AsyncConnection, entry: PersonEntry, person: Person) -> None:
    for granted in entry.grants:
        await grant(
            connection,
            person,
            granted.role,
            granted_by="directory file",
            reason=granted.reason,
            expires_at=granted.expires_at,
            source=FROM_FILE,
        )


async def _load_channel(connection: AsyncConnection, entry: ChannelEntry, directory: DirectoryFile) -> None:
    ids = {person.handle: person.user_id for person in directory.people}
    # A handle that nobody has stays as it is: an unknown member, for whom nothing may be said.
    members = [ids.get(name, name) for name in entry.members if name != directory.workspace.bot_handle]
    channel = Channel(entry.channel_id, entry.name, not entry.private, entry.shared, members)
    await remember_channel(connection, channel)
