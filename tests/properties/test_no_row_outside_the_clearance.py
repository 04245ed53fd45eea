"""The first law: nobody, and no audience, is shown a row that any one of them may not read.

Random companies are put into a real PostgreSQL, and everything visible is asked for. What should be visible is
worked out here a second time, from the company as it was drawn, by the plainest rule that could be written.
Each of the two walls is taken away in turn, and the other must hold alone; with both gone, rows must leak, or
these tests would prove nothing.
"""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, register_workspace, upsert_people
from auth.granting import define_built_in_roles, define_role, grant
from auth.labelling import intern_label
from auth.labels import Clause, Policy
from auth.people import PersonKind
from auth.rights import Audience, audience_clearance, rights_of
from retrieval import search as searching
from retrieval.locks import CrossCheck, LocksDisagree
from retrieval.search import SearchSettings, search

Store = Callable[[AsyncConnection, int, str, npt.NDArray[np.float32]], Awaitable[None]]
TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
ROLES = ("intern", "engineer", "lead", "finance")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EXACT = SearchSettings(candidates=500)
INDEXED = SearchSettings(candidates=500, exact_below=0)
ALWAYS = CrossCheck(1)
CHECKED_EXACT, CHECKED_INDEXED = (replace(how, cross_check=ALWAYS) for how in (EXACT, INDEXED))
bounded = settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],  # to shrink a company takes minutes
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_team = itertools.count(1)


@dataclass(frozen=True)
class Somebody:
    kind: PersonKind
    active: bool
    grants: dict[str, bool]
    """role -> whether the grant is still in force."""


@dataclass(frozen=True)
class Company:
    inherits: dict[str, frozenset[str]]
    people: list[Somebody]
    documents: list[tuple[Policy, int]]
    """The policy of each document, and how many chunks it has."""
    seed: int


_roles = st.frozensets(st.sampled_from(ROLES), max_size=2)
_clauses = st.builds(
    Clause,
    st.frozensets(st.sampled_from((*ROLES, "everyone", "guest")), min_size=1, max_size=2),
    st.one_of(st.just(frozenset[str]()), _roles),
)
_people = st.builds(
    Somebody,
    st.sampled_from((*[PersonKind.MEMBER] * 4, *PersonKind)),
    st.sampled_from((True, True, True, False)),
    st.dictionaries(st.sampled_from(ROLES), st.sampled_from((True, True, False)), max_size=3),
)
# A role inherits only from those named before it, so that there is no circle.
_inherits = st.fixed_dictionaries(
    {
        role: st.frozensets(st.sampled_from(("everyone", *ROLES[:at])), max_size=2)
        for at, role in enumerate(ROLES)
    }
)
companies = st.builds(
    Company,
    _inherits,
    st.lists(_people, min_size=2, max_size=4),
    st.lists(
        st.tuples(st.builds(Policy, st.frozensets(_clauses, max_size=2)), st.integers(1, 3)),
        min_size=2,
        max_size=5,
    ),
    st.integers(0, 2**32 - 1),
)
chosen_readers = st.sets(st.integers(0, 3), min_size=1, max_size=3)


def holds(company: Company, somebody: Somebody) -> set[str]:
    """The roles somebody holds, worked out without the code under test."""
    if not somebody.active or somebody.kind in ("outsider", "bot"):
        return set()
    own = "everyone" if somebody.kind == "member" else "guest"
    held = {own} | {role for role, in_force in somebody.grants.items() if in_force}
    for _ in ROLES:
        held |= {above for role in held for above in company.inherits.get(role, ())}
    return held - {"everyone", "guest"} | {own}


def may_read(policy: Policy, roles: set[str]) -> bool:
    return any(c.all_of and not c.all_of - roles and not c.none_of & roles for c in policy.clauses)


def expected(company: Company, readers: list[Somebody]) -> set[str]:
    """The words of every chunk that each of the readers may read."""
    held = [holds(company, reader) for reader in readers]
    return {
        f"The budget of doc{at}, part {part}"
        for at, (policy, chunks) in enumerate(company.documents)
        if all(may_read(policy, roles) for roles in held)
        for part in range(chunks)
    }


async def found_company(database: Database, store: Store, company: Company) -> int:
    """The company, with its people, roles and documents, in a workspace of its own."""
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, f"T{next(_team)}", "Drawn")
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
        for role in ROLES:
            await define_role(connection, role, inherits=sorted(company.inherits[role]))
        facts = [
            PersonFacts(f"U{at}", f"p{at}", f"P {at}", p.kind, p.active)
            for at, p in enumerate(company.people)
        ]
        await upsert_people(connection, facts)
        known = await find_people(connection, [fact.slack_user_id for fact in facts])
        for at, somebody in enumerate(company.people):
            for role, in_force in somebody.grants.items():
                until = NOW + timedelta(hours=1) if in_force else NOW
                await grant(connection, known[f"U{at}"], role, granted_by="test", expires_at=until)
        rng = np.random.default_rng(company.seed)
        for at, (policy, chunks) in enumerate(company.documents):
            label_id = await intern_label(connection, policy)
            await store(connection, label_id, f"doc{at}", some_vectors(rng, chunks))
    return workspace_id


def some_vectors(rng: np.random.Generator, how_many: int) -> npt.NDArray[np.float32]:
    raw = rng.normal(size=(how_many, 384)).astype(np.float32)
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


async def all_found(database: Database, clearance: Clearance, how: SearchSettings) -> set[str]:
    vector = some_vectors(np.random.default_rng(7), 1)[0]
    candidates = await search(database, clearance, "What is the budget?", vector, how)
    assert all(candidate.passage.label_id in clearance.label_ids for candidate in candidates)
    return {candidate.passage.text for candidate in candidates}


async def assert_readers_see_theirs_and_no_more(
    database: Database, store: Store, company: Company, chosen: set[int], *hows: SearchSettings
) -> None:
    workspace_id = await found_company(database, store, company)
    at = sorted({number % len(company.people) for number in chosen})
    audience = Audience(frozenset(f"U{number}" for number in at))
    clearance = await audience_clearance(database, workspace_id, audience, NOW)
    visible = expected(company, [company.people[number] for number in at])
    for how in hows:
        assert await all_found(database, clearance, how) == visible
    for number in at:
        rights = await rights_of(database, workspace_id, f"U{number}", NOW)
        assert rights is not None
        assert await all_found(database, rights.clearance, hows[0]) == expected(
            company, [company.people[number]]
        )


@pytest.fixture
def without_the_application_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LABEL_FILTER", "true")


@pytest.fixture
def without_row_level_security(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")


@bounded
@given(company=companies, chosen=chosen_readers)
async def test_readers_find_all_they_may_read_and_nothing_else(
    database: Database, store: Store, company: Company, chosen: set[int]
) -> None:
    await assert_readers_see_theirs_and_no_more(
        database, store, company, chosen, CHECKED_EXACT, CHECKED_INDEXED
    )


@pytest.mark.usefixtures("without_the_application_filter")
@bounded
@given(company=companies, chosen=chosen_readers)
async def test_row_level_security_holds_alone(
    database: Database, store: Store, company: Company, chosen: set[int]
) -> None:
    await assert_readers_see_theirs_and_no_more(database, store, company, chosen, EXACT, INDEXED)


@pytest.mark.usefixtures("without_row_level_security")
@bounded
@given(company=companies, chosen=chosen_readers)
async def test_the_application_filter_holds_alone(
    database: Database, store: Store, company: Company, chosen: set[int]
) -> None:
    await assert_readers_see_theirs_and_no_more(database, store, company, chosen, EXACT, INDEXED)


SECRETIVE = Company(
    inherits=dict.fromkeys(ROLES, frozenset()),
    people=[Somebody(PersonKind.MEMBER, True, {})],
    documents=[
        (Policy(frozenset({Clause(frozenset({"everyone"}))})), 1),
        (Policy(frozenset({Clause(frozenset({"finance"}))})), 2),
    ],
    seed=1,
)


@pytest.mark.usefixtures("without_the_application_filter", "without_row_level_security")
@pytest.mark.parametrize("how", [EXACT, INDEXED], ids=["exact", "indexed"])
async def test_with_both_walls_gone_rows_do_leak_as_far_as_the_alarm(
    database: Database, store: Store, how: SearchSettings
) -> None:
    workspace_id = await found_company(database, store, SECRETIVE)
    rights = await rights_of(database, workspace_id, "U0", NOW)
    assert rights is not None
    vector = some_vectors(np.random.default_rng(7), 1)[0]
    with pytest.raises(LocksDisagree) as alarm:
        await search(database, rights.clearance, "What is the budget?", vector, how)
    (difference,) = alarm.value.differences
    assert len(difference.only["both"]) == 2
    assert not rights.clearance.covers([label_id for _, label_id in difference.only["both"]])
