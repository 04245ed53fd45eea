"""What becomes of ranked candidates: fresh before old where that counts, none twice, adjoining ones as one."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from retrieval.choosing import Choice, choose_passages, freshness, joined, without_repeats
from retrieval.passages import Passage
from retrieval.search import Candidate

TODAY = date(2026, 7, 1)


def candidate(
    chunk_id: int, said: str = "", *, version: int = 0, ordinal: int = 0, **more: object
) -> Candidate:
    vector = np.zeros(384, dtype=np.float32)
    vector[chunk_id] = 1  # unlike every other
    passage = Passage(chunk_id, version, 1, "Title", said or f"Passage {chunk_id}.")
    made = Candidate(passage, vector, version_id=version or chunk_id, ordinal=ordinal)
    return replace(made, **more)  # type: ignore[arg-type]


def scores(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_relevance_halves_with_each_half_life_and_never_ends() -> None:
    aged = [
        candidate(at, half_life_days=30, since=date.fromordinal(TODAY.toordinal() - days))
        for at, days in enumerate((0, 30, 60, 3000), start=1)
    ]
    assert freshness(aged, TODAY, floor=0.1) == pytest.approx([1, 0.5, 0.25, 0.1])


def test_what_is_in_no_fading_collection_never_fades_and_a_date_ahead_counts_as_today() -> None:
    policy = candidate(1, since=date(1999, 1, 1))
    announced = candidate(2, half_life_days=7, since=date(2027, 1, 1))
    assert freshness([policy, announced], TODAY) == pytest.approx([1, 1])


def test_the_newer_news_comes_first_and_the_better_policy() -> None:
    old, new = date(2025, 7, 1), date(2026, 6, 30)
    news = [candidate(1, half_life_days=30, since=old), candidate(2, half_life_days=30, since=new)]
    policies = [candidate(1, since=old), candidate(2, since=new)]
    assert first_of([*news, candidate(3)]) == 2
    assert first_of([*policies, candidate(3)]) == 1


def first_of(candidates: list[Candidate]) -> int:
    question = np.stack([candidate.vector for candidate in candidates]).T @ scores(0.7, 0.7, 0.1)
    return choose_passages(question, candidates, scores(1, 0.8, 0), TODAY, Choice(trade_off=1))[0].chunk_id


def test_of_passages_that_say_the_same_the_newest_stands_in_the_place_of_the_best() -> None:
    said = "Guests park on deck three."
    older, newer, undated = (
        candidate(at, text, passage=Passage(at, at, at, f"Document {at}", text, dated=dated))
        for at, (text, dated) in enumerate(
            (
                (said, date(2024, 1, 1)),
                ("Guests park on the deck three", date(2026, 1, 1)),
                (said.upper(), None),
            ),
            start=1,
        )
    )
    kept, worth = without_repeats([undated, older, newer, candidate(9)], scores(0.9, 0.7, 0.1, 0.5))
    assert [one.passage.chunk_id for one in kept] == [2, 9]
    assert worth == pytest.approx([0.9, 0.5])


@pytest.mark.parametrize("other", ["Leave is 28 days.", "Leave is not 25 days.", "Is leave 25 days."])
def test_passages_that_differ_in_a_word_are_both_kept_however_alike_their_vectors(other: str) -> None:
    first = candidate(1, "Leave is 25 days.")
    second = replace(first, passage=replace(first.passage, chunk_id=2, text=other))
    assert len(without_repeats([first, second], scores(1, 0.5))[0]) == 2


def test_a_few_words_say_the_same_only_under_the_same_heading() -> None:
    def under(chunk_id: int, heading: str) -> Candidate:
        found = candidate(chunk_id, "Not applicable.")
        return replace(found, passage=replace(found.passage, heading_path=(heading,)))

    kept, _ = without_repeats(
        [under(1, "Guests"), under(2, "Staff"), under(3, "Staff")], scores(0.9, 0.8, 0.7)
    )
    assert [found.passage.chunk_id for found in kept] == [1, 2]


def test_chunks_that_adjoin_are_one_passage_that_names_them_all() -> None:
    chosen = [
        candidate(30, "C.", version=5, ordinal=2),
        candidate(7),
        candidate(10, "A.", version=5, ordinal=0),
    ]
    (best, other) = joined([*chosen, candidate(20, "B.", version=5, ordinal=1)])
    assert best.text == "A.\n\nB.\n\nC."
    assert (best.chunk_id, sorted(best.chunk_ids)) == (30, [10, 20, 30])
    assert other.chunk_ids == (7,)


def test_no_more_than_three_chunks_become_one_passage() -> None:
    passages = joined([candidate(10 + at, version=5, ordinal=at) for at in (0, 1, 2, 3, 5, 6, 4)])
    assert [sorted(passage.chunk_ids) for passage in passages] == [[10, 11, 12], [13, 14], [15, 16]]


def test_chunks_of_other_versions_sections_or_labels_stay_apart() -> None:
    first = candidate(1, version=5, ordinal=1)
    others = [
        candidate(2, version=6, ordinal=2),
        candidate(3, version=5, ordinal=3),
        replace(
            candidate(4, version=5, ordinal=2),
            passage=Passage(4, 5, 1, "Title", "Other section.", heading_path=("Elsewhere",)),
        ),
        replace(candidate(5, version=5, ordinal=2), passage=Passage(5, 5, 2, "Title", "Other label.")),
    ]
    for other in others:
        assert len(joined([first, other])) == 2


def test_a_joined_passage_has_the_page_on_which_it_begins() -> None:
    pages = [
        replace(candidate(at, version=5, ordinal=at), passage=Passage(at, 5, 1, "T", f"On {at}.", page=at))
        for at in (3, 2)
    ]
    assert joined(pages)[0].page == 2
