"""A list that answers `how many` is counted; figures are not counted again."""

import pytest

from bot.answering.counting import counted
from bot.answering.grounds import quotes
from bot.answering.units import Unit


def said(question: str, text: str) -> str:
    return counted(question, quotes([Unit(0, text, "Support")]))[0].text


def test_a_list_of_what_is_asked_for_is_counted() -> None:
    levels = "There are these service levels: Bronze; Silver; Gold."
    assert said("How many service levels are there?", levels) == f"3: {levels}"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Which service levels are there?", "There are these service levels: Bronze; Silver; Gold."),
        ("How many customers are there?", "There are these service levels: Bronze; Silver; Gold."),
        ("How many service levels are there?", "Service levels: Bronze for 203 customers; Gold for 38."),
        ("How many service levels are there?", "The service levels are explained in the contract."),
        ("How many service levels are there?", "Service levels: Bronze; Silver; Gold …"),
    ],
)
def test_whatever_else_is_left_as_it_is(question: str, text: str) -> None:
    assert said(question, text) == text
