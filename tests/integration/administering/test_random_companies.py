"""Random companies under random changes: every effect is what really opened and closed, every undoing is exact."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from auth.directory import PersonFacts, find_people, upsert_people
from auth.errors import OstiaryError
from auth.granting import define_role
from auth.labels import Clause, Policy
from auth.people import PersonKind
from auth.rights import rights_of
from auth.sources import SourceKind
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import (
    Change,
    ChangeLabel,
    DefineCollection,
    DefineRole,
    DeleteRole,
    FileDocuments,
    GrantRole,
    MapSource,
    RelabelCollection,
    RelabelDocuments,
    RevokeRole,
    UnmapSource,
)
from bot.administering.effects import Effect
from tests.integration.administering.conftest import Company, add_documents, ids_of, shifts

ROLES = ("r0", "r1", "r2", "r3")
MEMBERS = {"C1": ("UR0", "UR1", "UR2"), "S1": ("UR2", "UR3", "UGUS"), "admin": ()}
KINDS = (PersonKind.MEMBER, PersonKind.MEMBER, PersonKind.GUEST, PersonKind.OUTSIDER, PersonKind.BOT)
STEPS = 20


class Chance:
    """Random changes of a company, most of which make sense."""

    def __init__(self, seed: int, company: Company) -> None:
        self.random = random.Random(seed)
        self.company = company

    def policy(self) -> Policy:
        names = (*ROLES, "everyone", "guest")
        clauses = [
            Clause(
                frozenset(self.random.sample(names, self.random.choice((1, 1, 2)))),
                frozenset(self.random.sample(ROLES, self.random.choice((0, 0, 1)))),
            )
            for _ in range(self.random.choice((0, 1, 1, 2)))
        ]
        return Policy(frozenset(clauses))

    def documents(self) -> tuple[int, ...]:
        ids = sorted(self.company.documents.values())
        return tuple(self.random.sample(ids, self.random.randint(1, 4)))

    def change(self) -> Change:
        pick, role = self.random.choice, self.random.choice(ROLES)
        person = pick(sorted(self.company.people.values(), key=lambda p: p.id))
        kind, reference = pick(
            [(SourceKind.CHANNEL, "C1"), (SourceKind.USER_GROUP, "S1"), (SourceKind.FLAG, "admin")]
        )
        members = MEMBERS[reference]
        source = MapSource(kind, reference, reference, role, pick((True, False)), members, datetime.now(UTC))
        later = pick((None, datetime.now(UTC) + timedelta(hours=1)))
        changes: list[Change] = [
            GrantRole(person, role, expires_at=later),
            GrantRole(person, role),
            RevokeRole(person, role),
            DefineRole(role, inherits=tuple(self.random.sample(ROLES, pick((0, 1, 2))))),
            DeleteRole(role),
            source,
            UnmapSource(kind, reference, reference, role),
            RelabelDocuments(self.documents(), self.policy()),
            RelabelDocuments(self.documents(), self.policy()),
            ChangeLabel(self.random.randint(1, 8), self.policy()),
            DefineCollection(pick(("a", "b")), self.policy(), *pick([(None, None), (role, role)])),
            FileDocuments(self.documents(), pick((None, 1, 2))),
            RelabelCollection(pick((1, 2)), self.policy()),
        ]
        return pick(changes)


@pytest.fixture
async def random_company(company: Company, request: pytest.FixtureRequest) -> Company:
    chance = random.Random(request.node.callspec.params["seed"])
    facts = [
        PersonFacts(
            f"UR{n}", f"r{n}", f"R {n}", chance.choice(KINDS), chance.random() < 0.9, chance.random() < 0.3
        )
        for n in range(8)
    ]
    async with company.database.writing_in(company.workspace_id) as connection:
        for role in ROLES:
            await define_role(connection, role)
        await upsert_people(connection, facts)
        people = await find_people(connection, [fact.slack_user_id for fact in facts])
        policies = ("r0", "r1,r2", "r0+r3", "everyone+!r1", "guest,r2", "everyone")
        await add_documents(connection, {f"d{n}": chance.choice(policies) for n in range(12)}, chunks=1)
        documents = await ids_of(connection)
    return Company(company.database, company.workspace_id, {p.handle: p for p in people.values()}, documents)


async def readable_by_all(company: Company) -> dict[str, set[int]]:
    """Which documents each person can read: asked of the reading door, person by person."""
    found: dict[str, set[int]] = {}
    alike: dict[frozenset[int], set[int]] = {}
    for handle, person in company.people.items():
        rights = await rights_of(company.database, company.workspace_id, person.slack_user_id)
        assert rights is not None
        labels = rights.clearance.label_ids
        if labels not in alike:
            async with company.database.reading_as(rights.clearance) as reader:
                rows = await reader.execute(text("SELECT id FROM retrieval.document"))
                alike[labels] = {row.id for row in rows}
        found[handle] = alike[labels]
    return found


def difference(
    before: dict[str, set[int]], after: dict[str, set[int]]
) -> tuple[dict[str, int], dict[str, int]]:
    gained = {handle: len(after[handle] - before[handle]) for handle in before}
    lost = {handle: len(before[handle] - after[handle]) for handle in before}
    return {k: v for k, v in gained.items() if v}, {k: v for k, v in lost.items() if v}


def told(effect: Effect, company: Company) -> tuple[dict[str, int], dict[str, int]]:
    among = company.people
    gained, lost = (
        {handle: n for handle, n in shifts(side).items() if handle in among}
        for side in (effect.gained, effect.lost)
    )
    return gained, lost


@pytest.mark.parametrize("seed", range(4))
async def test_every_effect_is_what_really_opened_and_closed_and_every_undoing_is_exact(
    random_company: Company, seed: int
) -> None:
    company, chance = random_company, Chance(seed, random_company)
    administration = Administration(company.database, company.workspace_id)
    kinds: Counter[str] = Counter()
    state, readable = await company.state(), await readable_by_all(company)
    for _ in range(STEPS):
        change = chance.change()
        try:
            foretold = await administration.preview(change, COMMAND_LINE)
            done = await administration.carry_out(change, COMMAND_LINE)
        except OstiaryError:
            kinds["refused"] += 1
            assert await company.state() == state, change
            continue
        now_state, now_readable = await company.state(), await readable_by_all(company)
        assert told(done.effect, company) == difference(readable, now_readable), change
        assert foretold.in_words(99) == done.effect.in_words(99), change
        assert (done.change_id is None) == (now_state == state), change
        kinds["changed"] += done.change_id is not None
        if done.change_id is not None and chance.random.random() < 0.4:
            undone = await administration.undo(done.change_id, COMMAND_LINE)
            kinds["undone"] += undone.change_id is not None
            assert await company.state() == state, change
            if not isinstance(change, UnmapSource):  # until Slack is read again it grants nothing
                assert await readable_by_all(company) == readable, change
            now_state, now_readable = await company.state(), await readable_by_all(company)
        state, readable = now_state, now_readable
    assert kinds["changed"] >= 6, kinds
    assert kinds["undone"] >= 2, kinds
