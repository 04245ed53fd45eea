"""Policies: how they are written, and whom they admit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.labels import FOR_EVERYONE, NOBODY, Clause, Policy, UnreadablePolicy, conjunction, parse_policy

# A role called `nobody` would be written as the empty policy is.
role_names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,6}", fullmatch=True).filter(lambda name: name != "nobody")
clauses = st.builds(
    Clause, st.frozensets(role_names, min_size=1, max_size=3), st.frozensets(role_names, max_size=2)
)
policies = st.builds(Policy, st.frozensets(clauses, max_size=3))


def admits(policy: str, *roles: str) -> bool:
    return parse_policy(policy).admits(frozenset(roles))


def test_a_role_admits_those_who_hold_it_and_nobody_else() -> None:
    assert admits("finance", "everyone", "finance")
    assert not admits("finance", "everyone", "hr")
    assert not admits("finance")


def test_two_roles_at_once_admit_only_who_holds_both() -> None:
    assert admits("finance+leadership", "finance", "leadership")
    assert not admits("finance+leadership", "finance")
    assert not admits("finance+leadership", "leadership")


def test_any_of_several_roles_is_enough() -> None:
    assert admits("finance,hr", "hr")
    assert admits("finance,hr", "finance")
    assert not admits("finance,hr", "engineer")


def test_an_excluded_role_shuts_out_who_holds_it() -> None:
    assert admits("everyone+!contractor", "everyone")
    assert not admits("everyone+!contractor", "everyone", "contractor")


def test_an_exclusion_in_one_clause_does_not_touch_another() -> None:
    assert admits("everyone+!contractor,legal", "everyone", "contractor", "legal")


def test_but_not_excludes_from_every_clause() -> None:
    policy = parse_policy("finance,hr+!intern").but_not(frozenset({"contractor"}))
    assert str(policy) == "finance+!contractor,hr+!contractor+!intern"


def test_the_empty_policy_and_the_empty_clause_admit_nobody() -> None:
    everything = frozenset({"everyone", "guest", "ostiary-admin", "finance"})
    assert not NOBODY.admits(everything)
    assert not Clause(frozenset()).admits(everything)
    assert not Clause(frozenset(), frozenset({"hr"})).admits(everything)
    assert not Policy(frozenset({Clause(frozenset())})).admits(everything)


@pytest.mark.parametrize("written", ["finance,nobody", "nobody+finance", "finance+!nobody", "nobody,nobody"])
def test_nobody_stands_alone_and_is_no_role(written: str) -> None:
    assert parse_policy(" nobody ") == NOBODY
    with pytest.raises(UnreadablePolicy):
        parse_policy(written)


def test_for_everyone_shuts_out_whoever_holds_nothing() -> None:
    assert FOR_EVERYONE.admits(frozenset({"everyone"}))
    assert not FOR_EVERYONE.admits(frozenset({"guest"}))
    assert not FOR_EVERYONE.admits(frozenset())


def test_no_role_is_above_the_policies() -> None:
    assert not admits("finance", "everyone", "ostiary-admin")


def test_equal_policies_are_spelled_alike() -> None:
    assert str(parse_policy(" HR , leadership + Finance,hr")) == "finance+leadership,hr"


def test_a_policy_knows_every_role_it_mentions() -> None:
    assert parse_policy("finance+leadership,hr+!contractor").roles == {
        "finance",
        "leadership",
        "hr",
        "contractor",
    }


@pytest.mark.parametrize(
    "written",
    ["", ",", "finance,", "+", "finance+", "!contractor", "a b", "!", "hr;legal", "rôle", "*", "-hr"],
)
def test_what_names_no_readers_is_refused_with_how_to_write_it(written: str) -> None:
    with pytest.raises(UnreadablePolicy, match=r"Name roles separated by commas"):
        parse_policy(written)


@given(policies)
def test_a_policy_reads_back_as_it_was_written(policy: Policy) -> None:
    assert parse_policy(str(policy)) == policy


@given(st.text(max_size=20), st.frozensets(role_names, max_size=4))
def test_whatever_is_typed_is_refused_or_asks_for_a_role(written: str, roles: frozenset[str]) -> None:
    try:
        policy = parse_policy(written)
    except UnreadablePolicy:
        return
    assert not policy.admits(frozenset())
    assert all(clause.all_of for clause in policy.clauses)


@given(policies, st.frozensets(role_names, min_size=1, max_size=3), st.frozensets(role_names, max_size=4))
def test_an_exclusion_never_widens_a_policy(
    policy: Policy, excluded: frozenset[str], roles: frozenset[str]
) -> None:
    assert policy.but_not(excluded).admits(roles) == (policy.admits(roles) and not excluded & roles)


FEW_ROLES = st.frozensets(st.sampled_from("abcd"), max_size=3)
FEW_POLICIES = st.builds(Policy, st.frozensets(st.builds(Clause, FEW_ROLES, FEW_ROLES), max_size=3))


@given(st.lists(FEW_POLICIES, min_size=1, max_size=4), FEW_ROLES)
def test_a_conjunction_admits_whom_each_of_its_policies_admits(
    policies: list[Policy], roles: frozenset[str]
) -> None:
    assert conjunction(policies).admits(roles) == all(policy.admits(roles) for policy in policies)


def test_a_conjunction_is_written_without_what_is_superfluous() -> None:
    both = conjunction([parse_policy("finance,hr"), parse_policy("finance+leadership,finance")])
    assert str(both) == "finance"
    assert conjunction([]) == NOBODY
    assert conjunction([parse_policy("finance"), NOBODY]) == NOBODY
