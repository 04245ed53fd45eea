"""Role graphs of real companies, and a company's private chats and salaries: who may read what, in the real database.

The data lie beside the repository and are not part of it; without them these tests are skipped.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from auth.database import WORKSPACE, Database
from auth.directory import PersonFacts, upsert_people
from auth.granting import define_built_in_roles
from auth.labelling import intern_label
from auth.labels import Clause, Policy
from auth.people import PersonKind
from auth.rights import Audience, audience_clearance, rights_of
from tests.properties.conftest import store_document

DATA = Path(__file__).parents[3] / "shared" / "data"
GRAPHS, CHATS = DATA / "hp-role-mining" / "datasets", DATA / "enterprisebench"

pytestmark = pytest.mark.skipif(not GRAPHS.is_dir(), reason=f"The data sets are not at {DATA}.")


async def found(
    database: Database, workspace_id: int, people: Iterable[str], granted: Iterable[tuple[str, str]]
) -> None:
    """People by their Slack user ids, and (person, role) for every role each is given."""
    granted = sorted(set(granted))
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
        facts = [PersonFacts(user_id, user_id, user_id, PersonKind.MEMBER) for user_id in people]
        await upsert_people(connection, facts)
        roles = [{"name": role} for role in sorted({role for _, role in granted})]
        await connection.execute(
            text(f"INSERT INTO auth.role (workspace_id, name) VALUES ({WORKSPACE}, :name)"), roles
        )
        await connection.execute(
            text(
                'INSERT INTO auth."grant" (workspace_id, person_id, role, granted_by)'
                f" SELECT {WORKSPACE}, p.id, :role, 'test' FROM auth.person p"
                f" WHERE p.workspace_id = {WORKSPACE} AND p.slack_user_id = :person"
            ),
            [{"person": person, "role": role} for person, role in granted],
        )


def any_of(*roles: str) -> Policy:
    return Policy(frozenset(Clause(frozenset({role})) for role in roles))


@pytest.mark.parametrize("name", ["domino", "hc", "apj"])
async def test_people_and_audiences_of_a_real_company_may_read_just_what_they_are_assigned(
    database: Database, workspace_id: int, name: str
) -> None:
    lines = (GRAPHS / f"{name}.txt").read_text(encoding="ascii").split("\n")
    assigned: dict[str, set[str]] = {}
    for line in lines:
        if parts := line.split():
            assigned.setdefault(f"U{parts[0]}", set()).add(f"p{parts[1]}")
    pairs = [(user, role) for user, roles in assigned.items() for role in roles]
    await found(database, workspace_id, assigned, pairs)
    async with database.writing_in(workspace_id) as connection:
        rows = await connection.execute(
            text(
                "INSERT INTO auth.access_label (workspace_id, policy)"
                f" SELECT {WORKSPACE}, name FROM auth.role WHERE workspace_id = {WORKSPACE} AND name LIKE 'p%'"
                " RETURNING id, policy"
            )
        )
        opened = {row.policy: row.id for row in rows}
    rng = random.Random(11)
    for user in rng.sample(sorted(assigned), min(40, len(assigned))):
        rights = await rights_of(database, workspace_id, user)
        assert rights is not None
        assert rights.clearance.label_ids == {opened[role] for role in assigned[user]}
    for size in (2, 3, 5, 20):
        there = rng.sample(sorted(assigned), size)
        clearance = await audience_clearance(database, workspace_id, Audience(frozenset(there)))
        shared = set.intersection(*(assigned[user] for user in there))
        assert clearance.label_ids == {opened[role] for role in shared}


@dataclass(frozen=True)
class Kept:
    """A chat or a salary: its name, and who may read it."""

    name: str
    readers: frozenset[str]


def _kept(employees: dict[str, Any], how_many: int) -> list[Kept]:
    chats = [
        chat
        for department in ("finance", "hr", "sales")
        for chat in json.loads((CHATS / "conversations" / f"{department}.json").read_text())[:how_many]
    ]
    kept = []
    for chat in chats:
        pair = [chat["metadata"]["emp1_id"], chat["metadata"]["emp2_id"]]
        managers = [employees[one]["reports_to"] for one in pair if one in employees]
        readers = frozenset(one for one in (*pair, *managers) if one in employees)
        kept.append(Kept(f"chat {chat['conversation_id']}", readers))
    hr = {one for one, employee in employees.items() if employee["category"] == "HR"}
    some = sorted(employees)[:: len(employees) // how_many]
    return [*kept, *(Kept(f"salary {one}", frozenset(hr | {one})) for one in some)]


async def test_chats_are_read_by_the_two_and_their_managers_and_salaries_by_hr_and_the_person(
    database: Database, workspace_id: int
) -> None:
    listed = json.loads((CHATS / "Human_Resource_Management/Employees/employees.json").read_text())
    employees = {employee["emp_id"]: employee for employee in listed}
    granted = [(one, one.replace("_", "-")) for one in employees]
    granted += [(one, "hr") for one, employee in employees.items() if employee["category"] == "HR"]
    await found(database, workspace_id, employees, granted)
    kept = _kept(employees, 40)
    vector = np.full((1, 384), 384**-0.5, dtype=np.float32)
    async with database.writing_in(workspace_id) as connection:
        for document in kept:
            own = [one.replace("_", "-") for one in document.readers]
            person = document.name.removeprefix("salary ").replace("_", "-")
            policy = any_of("hr", person) if document.name.startswith("salary") else any_of(*own)
            await store_document(connection, await intern_label(connection, policy), document.name, vector)
    concerned = sorted(set().union(*(d.readers for d in kept if d.name.startswith("chat"))))
    strangers = [one for one in sorted(employees) if one not in concerned]
    rng = random.Random(3)
    for one in [*rng.sample(concerned, 60), *rng.sample(strangers, 30)]:
        rights = await rights_of(database, workspace_id, one)
        assert rights is not None
        async with database.reading_as(rights.clearance) as connection:
            seen = set((await connection.execute(text("SELECT title FROM retrieval.document"))).scalars())
        assert seen == {document.name for document in kept if one in document.readers}
