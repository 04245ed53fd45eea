"""Rows that are alike on average stand in one group, the most central first."""

import numpy as np

from bot.grouping import grouped


def unit(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_what_is_alike_stands_together_and_the_most_central_first() -> None:
    rows = [unit(0), unit(90), unit(10), unit(20), unit(95)]
    assert grouped(rows, 0.9) == [[2, 0, 3], [1, 4]]


def test_a_chain_of_neighbours_is_not_one_group() -> None:
    rows = [unit(degrees) for degrees in range(0, 181, 20)]
    assert max(len(group) for group in grouped(rows, 0.85)) <= 3


def test_the_order_in_which_they_come_makes_no_difference() -> None:
    rows = [unit(degrees) for degrees in (0, 3, 41, 47, 90, 98)]
    there = {frozenset(group) for group in grouped(rows, 0.95)}
    back = {frozenset(5 - row for row in group) for group in grouped(rows[::-1], 0.95)}
    assert there == back == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_one_row_is_a_group_and_none_are_none() -> None:
    assert grouped([unit(7)], 0.5) == [[0]]
    assert grouped([], 0.5) == []
