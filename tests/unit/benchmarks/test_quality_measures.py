"""The measures that retrieval is judged by."""

import numpy as np
import pytest

from tests.benchmarks.quality.measures import interval, ndcg, recall, reciprocal_rank
from tests.benchmarks.quality.sets import Judged, JudgedSet, sampled, spared


def test_the_best_order_has_a_gain_of_one_however_many_are_relevant() -> None:
    assert ndcg(["a", "b", "x"], {"a", "b"}) == 1
    assert ndcg([f"u{n}" for n in range(10)], {f"u{n}" for n in range(30)}) == pytest.approx(1)


def test_a_relevant_passage_gains_less_the_later_it_comes_and_nothing_after_the_tenth() -> None:
    assert ndcg(["x", "a"], {"a"}) == pytest.approx(1 / np.log2(3))
    assert ndcg(["x"] * 10 + ["a"], {"a"}) == 0


def test_reciprocal_rank_is_that_of_the_first_relevant_passage() -> None:
    assert reciprocal_rank(["x", "x", "a", "b"], {"a", "b"}) == pytest.approx(1 / 3)


def test_recall_counts_what_is_relevant_and_not_what_was_found() -> None:
    assert recall(["a", "x"], {"a", "b", "c", "d"}) == 0.25


def test_an_interval_holds_its_mean_and_narrows_with_more_questions() -> None:
    few, many = interval([0.0, 1.0] * 10), interval([0.0, 1.0] * 1000)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5


@pytest.mark.parametrize("name", ["squad2", "covidqa"])
def test_no_question_that_settings_are_chosen_by_is_reported_in_whatever_place_it_stands_again(
    name: str,
) -> None:
    asked = [Judged(f"Question {n % 1300}?", frozenset([str(n)])) for n in range(1400)]
    judged = JudgedSet(name, [], asked, len(asked))
    reported, spare = sampled(judged).questions, spared(judged).questions
    assert len(reported) >= 300
    assert len(spare) >= 500
    assert not {one.text for one in reported} & {one.text for one in spare}


def test_of_a_set_that_is_reported_whole_nothing_is_spared() -> None:
    judged = JudgedSet("cranfield", [], [Judged("Why?", frozenset("a"))], 1)
    assert not spared(judged).questions
