"""A small company: two who administer, some who do not, documents under several readers, all in a real database."""

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, upsert_people
from auth.granting import define_role, grant
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import Person, PersonKind
from auth.rights import rights_of
from auth.roles import ADMIN
from bot.administering.administration import Administration
from bot.cli import main
from tests.properties.conftest import store_document

PEOPLE = (
    PersonFacts("UODILE", "odile", "Odile", PersonKind.MEMBER),
    PersonFacts("UPRIYA", "priya", "Priya", PersonKind.MEMBER),
    PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER, is_workspace_admin=True),
    PersonFacts("UGUS", "gus", "Gus", PersonKind.GUEST),
)
ROLES: Mapping[str, tuple[str, ...]] = {"finance": (), "hr": (), "leadership": ("finance",)}
GRANTED = (("UODILE", ADMIN), ("UPRIYA", "finance"))
DOCUMENTS = {"handbook": "everyone", "budget": "finance", "salaries": "hr", "plans": "finance+leadership"}

_STATE = {
    table: text(
        f"SELECT to_jsonb(t) - '{{granted_at,mapped_at,read_at,left_at,lapsed}}'::text[] FROM {table} t ORDER BY 1"
    )
    for table in (
        "auth.role",
        "auth.role_inherits",
        'auth."grant"',
        "auth.access_label",
        "auth.role_source",
        "auth.role_source_role",
        "retrieval.collection",
    )
}
_ROWS = {
    table: text(f"SELECT {columns} FROM retrieval.{table} WHERE workspace_id = {WORKSPACE} ORDER BY 1")
    for table, columns in {
        "document": "id, label_id, collection_id",
        "version": "id, label_id",
        "chunk": "id, label_id",
        "chunk_vec": "chunk_id, label_id",
    }.items()
}
_COUNTS = text(
    f"SELECT label_id, chunks FROM retrieval.label_count WHERE workspace_id = {WORKSPACE} AND chunks > 0 ORDER BY 1"
)
_LOG = text(
    "SELECT (SELECT count(*) FROM auth.audit_event), policy_version, labels_version FROM auth.workspace"
    f" WHERE id = {WORKSPACE}"
)
_IDS = text(f"SELECT uri, id FROM retrieval.document WHERE workspace_id = {WORKSPACE}")


@dataclass(frozen=True)
class Company:
    """The company in the database, and how it stands."""

    database: Database
    workspace_id: int
    people: Mapping[str, Person]
    documents: Mapping[str, int]

    async def state(self) -> list[object]:
        """All that decides who may read what."""
        async with self.database.writing_in(self.workspace_id) as connection:
            return [
                [tuple(row) for row in await connection.execute(statement)]
                for statement in (*_STATE.values(), *_ROWS.values(), _COUNTS)
            ]

    async def log(self) -> tuple[int, int, int]:
        """How many events there are, and both versions."""
        async with self.database.writing_in(self.workspace_id) as connection:
            events, policy, labels = (await connection.execute(_LOG)).one()
            return events, policy, labels

    async def readable(self, handle: str) -> set[str]:
        """The documents that somebody really can read: through the reading door, not by calculation."""
        rights = await rights_of(self.database, self.workspace_id, self.people[handle].slack_user_id)
        assert rights is not None
        async with self.database.reading_as(rights.clearance) as reader:
            return {row.uri for row in await reader.execute(text("SELECT uri FROM retrieval.document"))}


async def add_documents(connection: AsyncConnection, policies: Mapping[str, str], chunks: int = 2) -> None:
    for name, policy in policies.items():
        vectors = np.zeros((chunks, 384), dtype=np.float32)
        vectors[:, 0] = 1
        await store_document(connection, await intern_label(connection, parse_policy(policy)), name, vectors)


async def ids_of(connection: AsyncConnection) -> dict[str, int]:
    return {row.uri: row.id for row in await connection.execute(_IDS)}


@pytest.fixture
async def company(database: Database, workspace_id: int) -> Company:
    async with database.writing_in(workspace_id) as connection:
        for role, inherits in ROLES.items():
            await define_role(connection, role, inherits=inherits)
        await upsert_people(connection, PEOPLE)
        people = await find_people(connection, [fact.slack_user_id for fact in PEOPLE])
        for slack_user_id, role in GRANTED:
            await grant(connection, people[slack_user_id], role, granted_by="test")
        await add_documents(connection, DOCUMENTS)
        documents = await ids_of(connection)
    return Company(database, workspace_id, {p.handle: p for p in people.values()}, documents)


@pytest.fixture
def administration(company: Company) -> Administration:
    return Administration(company.database, company.workspace_id)


def shifts(given: Collection[object]) -> dict[str, int]:
    """handle -> documents."""
    return {shift.person.handle: shift.documents for shift in given}  # type: ignore[attr-defined]


Say = Callable[..., str]


@pytest.fixture
def ostiary(
    company: Company, urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Say:
    """Runs a command and returns all that it said, on one line."""
    monkeypatch.setenv("DATABASE_URL", urls.admin)
    monkeypatch.setenv("DATABASE_APP_URL", urls.app or "")
    monkeypatch.setenv("DATABASE_READER_URL", urls.reader or "")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("OSTIARY_TEST_CACHE", raising=False)  # says where tests find models: no setting

    def run(*words: str, fails: bool = False) -> str:
        monkeypatch.setattr(sys, "argv", ["ostiary", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code not in (0, None)) == fails, said
        return " ".join((said.err if fails else said.out).split())

    return run
