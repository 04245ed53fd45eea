"""The parts of the generator that need no weights."""

from hypothesis import given
from hypothesis import strategies as st

from bot.answering.generator import _batches, lookahead
from bot.answering.local_model import without_markers


def test_tokens_that_followed_the_last_two_before_are_guessed() -> None:
    assert lookahead([7, 1, 2, 3, 4, 9, 1, 2], 2) == [3, 4]


def test_the_latest_occurrence_counts() -> None:
    assert lookahead([1, 2, 3, 1, 2, 5, 1, 2], 1) == [5]


def test_nothing_is_guessed_where_nothing_was_seen_or_there_is_no_room() -> None:
    assert lookahead([1, 2, 3, 4], 4) == []
    assert lookahead([1, 2, 3, 1, 2], 0) == []
    assert lookahead([1], 4) == []


@given(st.lists(st.integers(1, 700), max_size=30))
def test_batches_hold_every_row_once_and_stay_within_their_size(lengths: list[int]) -> None:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    batches = list(_batches(order, lengths))
    assert [index for batch in batches for index in batch] == order
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 512 for batch in batches)


@given(st.lists(st.sampled_from(["<|im_start|>", "<|im_end|>", "<|im_", "end|>", "start|>", "<|", "hello"])))
def test_no_text_keeps_a_turn_marker_however_it_is_nested(pieces: list[str]) -> None:
    text = without_markers("".join(pieces), ["<|im_start|>", "<|im_end|>"])
    assert "<|im_start|>" not in text
    assert "<|im_end|>" not in text
