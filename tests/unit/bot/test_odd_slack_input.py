"""What people and documents may bring to Slack that its blocks, or the database, would not take."""

from typing import Any

import pytest

from bot.answering import Answer, CitedSentence
from bot.slack.ingest_words import title_of_link
from bot.slack.messages import plain_text
from bot.slack.views import SECTION_LIMIT, answer_blocks, readers_view
from retrieval.passages import Passage


def source_lines(url: str) -> list[str]:
    cited = Passage(1, 1, 1, "Ключ" * 200, "Text.", url=url)
    said = (CitedSentence("It is so.", (1,), True),)
    blocks = answer_blocks(Answer(said, (cited,), True, "test", {}, 0.9))
    return [block["elements"][0]["text"] for block in blocks if block["type"] == "context"]


def title_field(title: str) -> dict[str, Any]:
    element: dict[str, Any] = readers_view(title, 1, {"hr": ""})["blocks"][0]["element"]
    return element


def test_a_source_with_an_endless_address_is_named_without_a_link() -> None:
    (line,) = source_lines("https://example.com/" + "ж" * 2000)
    assert len(line) <= SECTION_LIMIT
    assert "<" not in line


def test_a_source_whose_address_is_none_is_named_without_a_link() -> None:
    (line,) = source_lines("https://[nowhere/page")
    assert "<" not in line


@pytest.mark.parametrize("address", ["https://[nowhere", "https://[::1/x"])
def test_an_address_that_is_none_still_has_a_title(address: str) -> None:
    assert title_of_link(address)


def test_the_title_of_an_address_holds_no_password() -> None:
    assert title_of_link("https://ada:hunter2@example.com/a?key=1") == "example.com/a"


def test_a_title_field_begins_empty_rather_than_with_nothing() -> None:
    assert "initial_value" not in title_field("")


def test_a_title_field_begins_with_no_more_than_it_may_hold() -> None:
    assert len(title_field("t" * 5000)["initial_value"]) <= SECTION_LIMIT


def test_characters_that_no_database_stores_are_left_out_of_a_message() -> None:
    assert plain_text("How many\x00 days\ud83d of leave\x1b?") == "How many days of leave?"
