"""Which words of a text carry its meaning."""

import pytest

from bot.answering.words import content_words, figures, is_subsequence, limits, names, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("invoices", "invoice"),
        ("approved", "approve"),
        ("approving", "approves"),
        ("policies", "policy"),
        ("agreements", "agreement"),
        ("stopped", "stop"),
        ("2,000", "2000"),
        ("Northwind's", "northwind"),
        ("Falcon’s", "falcon"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("14", "4"), ("E-4417", "E-4418"), ("accept", "except"), ("4.2", "42")]
)
def test_different_words_and_figures_do_not_share_one(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_function_words_carry_no_meaning_of_their_own() -> None:
    assert content_words("What is the name of the guest network?") == content_words("name guest network")


def test_figures_are_numbers_dates_identifiers_and_number_words() -> None:
    assert figures("Error E-4417 came on 14 May 2026, twelve times") == {
        "e-4417",
        "14",
        "2026",
        stem("twelve"),
        "times",
    } - {"times"}


def test_names_are_capitalised_within_a_sentence() -> None:
    assert names("Every quarter Ines Valdivia reports to HR.") == {stem("Ines"), stem("Valdivia"), stem("HR")}


def test_a_contraction_and_cannot_limit_like_not() -> None:
    assert limits("You can't") == limits("You cannot") == limits("You may not") == {"not"}


def test_a_subsequence_keeps_the_order() -> None:
    assert is_subsequence("ac", "abc")
    assert not is_subsequence("ca", "abc")
