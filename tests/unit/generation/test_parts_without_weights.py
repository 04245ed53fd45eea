"""The parts of the local generator that need no weights."""

from hypothesis import given
from hypothesis import strategies as st

from bot.generation.local import _groups
from bot.generation.looking_ahead import agreed, lookahead
from bot.generation.prompting import without_markers
from bot.generation.wording import Pieces


def test_tokens_that_followed_the_last_two_before_are_guessed() -> None:
    assert lookahead([7, 1, 2, 3, 4, 9, 1, 2], 2) == [3, 4]


def test_the_latest_occurrence_counts() -> None:
    assert lookahead([1, 2, 3, 1, 2, 5, 1, 2], 1) == [5]


def test_nothing_is_guessed_where_nothing_was_seen_or_there_is_no_room() -> None:
    assert lookahead([1, 2, 3, 4], 4) == []
    assert lookahead([1, 2, 3, 1, 2], 0) == []
    assert lookahead([1], 4) == []


def test_guesses_hold_until_the_first_that_the_model_would_not_have_said() -> None:
    assert agreed([3, 4, 5], [3, 4, 9, 7]) == 2
    assert agreed([3], [3, 8]) == 1
    assert agreed([], [3]) == 0


@given(st.lists(st.integers(1, 700), max_size=30))
def test_groups_hold_every_row_once_and_stay_within_their_size(lengths: list[int]) -> None:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    groups = list(_groups(order, lengths))
    assert [index for group in groups for index in group] == order
    assert all(len(group) == 1 or sum(lengths[at] for at in group) <= 512 for group in groups)


@given(st.lists(st.sampled_from(["<|im_start|>", "<|im_end|>", "<|im_", "end|>", "start|>", "<|", "hello"])))
def test_no_text_keeps_a_turn_marker_however_it_is_nested(pieces: list[str]) -> None:
    text = without_markers("".join(pieces), ["<|im_start|>", "<|im_end|>"])
    assert "<|im_start|>" not in text
    assert "<|im_end|>" not in text


def said(text: str, cuts: list[int], stop: list[str]) -> str:
    """What is told of a text that comes in parts."""
    pieces, told = Pieces(stop), ""
    for cut in [*sorted(cuts), len(text)]:
        told += pieces.after(text[:cut], last=cut == len(text))
        if pieces.ended:
            break
    return told


def test_a_stop_that_comes_in_two_parts_is_not_begun() -> None:
    pieces = Pieces(["\n\n"])
    assert pieces.after("Yes.\n", last=False) == "Yes."
    assert pieces.after("Yes.\n\nNo", last=False) == ""
    assert pieces.ended


def test_what_might_have_been_a_stop_is_said_when_it_was_none() -> None:
    assert said("one\ntwo\n", [4], ["\n\n"]) == "one\ntwo\n"


@given(
    st.text("ab\n", max_size=12),
    st.lists(st.integers(0, 12), max_size=6),
    st.lists(st.text("ab\n", max_size=4), max_size=3),
)
def test_what_is_said_does_not_depend_on_how_it_comes(text: str, cuts: list[int], stop: list[str]) -> None:
    letter_by_letter = said(text, list(range(len(text))), stop)
    assert said(text, [min(cut, len(text)) for cut in cuts], stop) == letter_by_letter
    assert not any(word in letter_by_letter for word in stop if word)
