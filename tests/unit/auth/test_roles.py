"""Roles, and what follows from holding one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.roles import RoleCycle, closure, refuse_cycles

names = st.sampled_from("abcdef")
links = st.dictionaries(names, st.frozensets(names, max_size=3))


def test_a_role_without_links_brings_only_itself() -> None:
    assert closure({"finance"}, {}) == {"finance"}


def test_inheritance_is_followed_to_its_end() -> None:
    inheritance = {"lead": frozenset({"senior"}), "senior": frozenset({"engineer"})}
    assert closure({"lead"}, inheritance) == {"lead", "senior", "engineer"}


def test_inheritance_does_not_run_backwards() -> None:
    assert closure({"engineer"}, {"lead": frozenset({"engineer"})}) == {"engineer"}


def test_whoever_holds_nothing_inherits_nothing() -> None:
    assert closure(set(), {"lead": frozenset({"engineer"})}) == frozenset()


def test_a_circle_is_refused_and_its_roles_are_named_in_order() -> None:
    inheritance = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"})}
    with pytest.raises(RoleCycle, match="b -> c -> b") as raised:
        refuse_cycles(inheritance)
    assert raised.value.cycle == ["b", "c", "b"]


def test_a_role_that_inherits_itself_is_a_circle() -> None:
    with pytest.raises(RoleCycle, match="a -> a"):
        refuse_cycles({"a": frozenset({"a"})})


def test_two_ways_to_the_same_role_are_no_circle() -> None:
    refuse_cycles({"a": frozenset({"b", "c"}), "b": frozenset({"d"}), "c": frozenset({"d"})})


@given(st.frozensets(names), links)
def test_following_inheritance_twice_reaches_no_further(
    held: frozenset[str], inheritance: dict[str, frozenset[str]]
) -> None:
    reached = closure(held, inheritance)
    assert held <= reached
    assert closure(reached, inheritance) == reached


@given(links)
def test_a_circle_is_refused_exactly_where_a_role_reaches_itself(
    inheritance: dict[str, frozenset[str]],
) -> None:
    circular = any(role in closure(above, inheritance) for role, above in inheritance.items())
    if not circular:
        refuse_cycles(inheritance)
        return
    with pytest.raises(RoleCycle) as raised:
        refuse_cycles(inheritance)
    cycle = raised.value.cycle
    assert cycle[0] == cycle[-1]
    assert all(above in inheritance[role] for role, above in pairwise(cycle))
