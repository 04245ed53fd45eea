"""The effect of a change is what comparing every person with every document would find."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.clearance import LabelIndex
from auth.labels import Clause, Policy
from auth.people import Person, PersonKind
from bot.administering.effects import Effect, Roles, Shift, Sides, effect_of, labels_at_stake, weigh

ROLES = ("everyone", "finance", "hr", "sales")
role_sets = st.frozensets(st.sampled_from(ROLES))
clauses = st.builds(
    Clause,
    st.frozensets(st.sampled_from(ROLES), max_size=2),
    st.frozensets(st.sampled_from(ROLES), max_size=1),
)
policies = st.builds(Policy, st.frozensets(clauses, max_size=2))
label_tables = st.dictionaries(st.integers(1, 6), policies, min_size=1)


def person(number: int, handle: str = "") -> Person:
    return Person(number, 1, f"U{number}", handle or f"p{number:02}", "", PersonKind.MEMBER, True)


@st.composite
def companies(
    draw: st.DrawFn,
) -> tuple[list[tuple[Roles, Roles]], dict[int, Policy], dict[int, Policy], list[tuple[int, int]]]:
    """Each person's roles before and after, labels before and after, each document's label before and after."""
    people = draw(st.lists(st.tuples(role_sets, role_sets), max_size=8))
    people += [(roles, roles) for roles in draw(st.lists(role_sets, max_size=4))]
    before, after = draw(label_tables), draw(label_tables)
    if draw(st.booleans()):
        after = before
    known = st.sampled_from(sorted(set(before) & set(after)) or [0])
    documents = draw(st.lists(st.tuples(known, known), max_size=20))
    if not set(before) & set(after):
        documents = []
    return people, before, after, documents


def by_brute_force(
    people: list[tuple[Roles, Roles]],
    before: dict[int, Policy],
    after: dict[int, Policy],
    documents: list[tuple[int, int]],
) -> tuple[dict[int, int], dict[int, int]]:
    gained, lost = Counter[int](), Counter[int]()
    for number, (held, holds) in enumerate(people):
        for was, becomes in documents:
            could, can = before[was].admits(held), after[becomes].admits(holds)
            gained[number] += can and not could
            lost[number] += could and not can
    return {k: v for k, v in gained.items() if v}, {k: v for k, v in lost.items() if v}


@settings(max_examples=400, deadline=None)
@given(companies())
def test_an_effect_is_what_looking_at_every_person_and_document_finds(
    company: tuple[list[tuple[Roles, Roles]], dict[int, Policy], dict[int, Policy], list[tuple[int, int]]],
) -> None:
    people, before, after, documents = company
    moves = Counter((was, becomes) for was, becomes in documents if was != becomes)
    staying = Counter(was for was, becomes in documents if was == becomes)
    altered = {label_id: policy for label_id, policy in after.items() if before.get(label_id) != policy}
    sides = Sides(LabelIndex(before), altered, moves)
    grouped: dict[tuple[Roles, Roles], list[Person]] = defaultdict(list)
    for number, pair in enumerate(people):
        grouped[pair].append(person(number))
    counted = {label_id: staying[label_id] for label_id in labels_at_stake(grouped, sides)}
    effect = effect_of(grouped, weigh(grouped, sides, counted))
    gained, lost = by_brute_force(people, before, after, documents)
    assert {shift.person.id: shift.documents for shift in effect.gained} == gained
    assert {shift.person.id: shift.documents for shift in effect.lost} == lost


@pytest.mark.parametrize(
    ("gained", "lost", "said"),
    [
        ((), (), "Nobody gains or loses a document."),
        (((1, 1),), (), "@p01 gains 1 document."),
        ((), ((1, 3),), "@p01 loses 3 documents."),
        (((1, 3), (2, 1)), (), "2 people gain documents: @p01 (3 documents); @p02 (1 document)."),
        (
            ((1, 3), (2, 3)),
            ((3, 1),),
            "2 people gain documents: @p01 and @p02 (3 documents each). @p03 loses 1 document.",
        ),
        (
            tuple((n, 2) for n in range(1, 6)),
            (),
            "5 people gain documents: @p01, @p02 and @p03 (2 documents each); 2 more.",
        ),
    ],
)
def test_an_effect_is_told_in_words(
    gained: tuple[tuple[int, int], ...], lost: tuple[tuple[int, int], ...], said: str
) -> None:
    shifts = [
        tuple(Shift(person(number), documents) for number, documents in given) for given in (gained, lost)
    ]
    assert Effect(shifts[0], shifts[1]).in_words(3) == said


def test_notes_stand_behind_the_effect() -> None:
    assert Effect((), (), ("Mind the gap.",)).in_words() == "Nobody gains or loses a document. Mind the gap."


def test_ten_thousand_people_cost_what_their_role_sets_cost() -> None:
    """Each distinct pair of role sets is looked at once, however many people share it."""
    finance, nothing = frozenset({"finance"}), frozenset[str]()
    index = LabelIndex({1: Policy(frozenset({Clause(finance)}))})
    grouped = {(nothing, finance): [person(n) for n in range(10_000)]}
    weights = weigh(grouped, Sides(index, {}, {}), {1: 7})
    assert weights == {(nothing, finance): (7, 0)}
    assert len(effect_of(grouped, weights).gained) == 10_000
