"""Who waits, and whose turn it is."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generation.generator import LineFull
from bot.generation.line import Line


def line_of(*joining: str, places: int = 100) -> Line[str]:
    """Each `a1` joins as a thing of `a`."""
    line: Line[str] = Line(places)
    for thing in joining:
        line.join(thing[0], thing)
    return line


def test_ten_questions_of_one_do_not_keep_another_waiting() -> None:
    assert line_of("a1", "a2", "a3", "a4", "b1").in_turn() == ["a1", "b1", "a2", "a3", "a4"]


def test_whoever_had_a_turn_goes_to_the_end_of_the_round() -> None:
    line = line_of("a1", "a2", "b1")
    assert line.next() == "a1"
    line.join("c", "c1")
    assert line.in_turn() == ["b1", "a2", "c1"]


def test_what_is_not_wanted_keeps_its_place() -> None:
    line = line_of("a1", "b1")
    assert line.next(lambda item: item == "b1") == "b1"
    assert line.next(lambda item: item == "b1") is None
    assert line.in_turn() == ["a1"]


def test_a_full_line_refuses_with_a_sentence() -> None:
    with pytest.raises(LineFull, match="Ask again in a minute"):
        line_of("a1", "b1", "c1", places=2)


def test_in_a_full_line_whoever_has_most_makes_room_for_whoever_has_nothing() -> None:
    line = line_of("a1", "a2", "a3", places=3)
    assert line.join("b", "b1") == "a3"
    assert line.in_turn() == ["a1", "b1", "a2"]


def test_nobody_makes_room_for_somebody_who_has_as_much() -> None:
    line = line_of("a1", "a2", "b1", "b2", places=4)
    with pytest.raises(LineFull):
        line.join("b", "b3")
    assert line.in_turn() == ["a1", "b1", "a2", "b2"]


def test_what_steps_in_front_is_next() -> None:
    line = line_of("a1", "b1", "b2", places=3)
    line.step_in_front("b", "b0")
    assert line.in_turn() == ["b0", "a1", "b1", "b2"]


def test_whoever_leaves_is_not_served() -> None:
    line = line_of("a1", "b1")
    line.leave("a", "a1")
    line.leave("a", "a1")
    line.leave("nobody", "n1")
    assert [line.next(), line.next(), len(line)] == ["b1", None, 0]


@given(st.lists(st.sampled_from("abcd"), max_size=24))
def test_turns_come_in_the_order_that_was_shown_and_nobody_gets_two_ahead(askers: list[str]) -> None:
    numbers = Counter[str]()
    line: Line[str] = Line(100)
    for asker in askers:
        numbers[asker] += 1
        line.join(asker, f"{asker}{numbers[asker]}")
    shown = line.in_turn()
    served = [line.next() for _ in shown]
    assert served == shown
    for count in range(len(served)):
        had = Counter(str(item)[0] for item in served[:count])
        waiting = [asker for asker in numbers if had[asker] < numbers[asker]]
        assert all(max(had.values(), default=0) - had[asker] <= 1 for asker in waiting)
