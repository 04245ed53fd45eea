"""What the bot shows: nothing in an answer comes alive, and sources lead only to the web."""

import html
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering import Answer, CitedSentence
from bot.slack.ingest_words import describe
from bot.slack.intake_views import wished
from bot.slack.views import (
    SECTION_LIMIT,
    _split,
    answer_blocks,
    answer_text,
    escape,
    offer_blocks,
    plain_blocks,
    readers_view,
)
from retrieval.ingestion import Outcome
from retrieval.passages import Passage

ALIVE = ["<@U1>", "<!channel>", "<https://evil.example|payroll>", "<#C1|general>"]


def passage(**changes: Any) -> Passage:
    return Passage(
        **{"chunk_id": 1, "document_id": 1, "label_id": 1, "title": "Leave", "text": "", **changes}
    )


def answer(text: str = "You get 30 days.", *cited: Passage) -> Answer:
    sources = cited or (passage(),)
    sentence = CitedSentence(text, tuple(range(1, len(sources) + 1)), quoted=True)
    return Answer((sentence,), sources, found=True, model="test", seconds={}, confidence=0.9)


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [b["text"]["text"] if b["type"] == "section" else b["elements"][0]["text"] for b in blocks]


def source_line(cited: Passage) -> str:
    return texts(answer_blocks(answer("Yes.", cited)))[-1]


@given(st.text())
def test_escaped_text_holds_nothing_alive_and_is_undone_to_what_it_was(text: str) -> None:
    escaped = escape(text)
    assert "<" not in escaped
    assert ">" not in escaped
    assert re.sub(r"&(amp|lt|gt);", lambda m: html.unescape(m[0]), escaped) == text


def test_text_is_escaped_once() -> None:
    said, _ = texts(answer_blocks(answer("R&D < 5 & > 3")))
    assert said == "R&amp;D &lt; 5 &amp; &gt; 3 [1]"
    assert answer_text(answer("R&D")) == "R&amp;D"
    assert texts(plain_blocks("R&D")) == ["R&amp;D"]


@pytest.mark.parametrize("alive", ALIVE)
def test_mentions_and_links_are_dead_wherever_they_stand(alive: str) -> None:
    sneaky = answer(alive, passage(title=alive, heading_path=(alive,)))
    shown = [
        *texts(answer_blocks(sneaky, note=alive)),
        answer_text(sneaky),
        *texts(plain_blocks(alive)),
        offer_blocks(alive, 1)[0]["text"]["text"],
    ]
    assert all("<" not in text for text in shown)


def test_every_text_is_sent_verbatim_so_that_slack_links_nothing_by_itself() -> None:
    for block in answer_blocks(answer(), note="Note"):
        inner = block["text"] if block["type"] == "section" else block["elements"][0]
        assert inner["verbatim"] is True


def test_a_sentence_names_its_sources_by_number() -> None:
    said, sources = texts(answer_blocks(answer("Yes.", passage(), passage(title="Travel"))))
    assert said == "Yes. [1] [2]"
    assert sources == "[1] Leave\n[2] Travel"


def test_a_note_stands_above_the_answer() -> None:
    assert texts(answer_blocks(answer(), note="Only for you"))[0] == "Only for you"


def test_a_source_shows_heading_page_and_date() -> None:
    cited = passage(heading_path=("Leave", "Parents"), page=3, dated=date(2026, 3, 1))
    assert source_line(cited) == "[1] Leave › Parents, p. 3 · 1 March 2026"


@pytest.mark.parametrize("url", ["https://example.com/leave", "http://example.com/leave?a=1&b=2#top"])
def test_a_source_on_the_web_is_linked(url: str) -> None:
    assert source_line(passage(url=url)) == f"[1] <{url}|Leave>"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "slack://open",
        "data:text/html,x",
        "leave.md",
        "https:",
        "//x.example",
    ],
)
def test_a_source_elsewhere_is_named_and_not_linked(url: str | None) -> None:
    assert source_line(passage(url=url)) == "[1] Leave"


@pytest.mark.parametrize("mark", ["|", ">", "<", " ", "\n", '"'])
def test_no_address_breaks_out_of_its_link(mark: str) -> None:
    line = source_line(passage(url=f"https://example.com/a{mark}b"))
    assert re.fullmatch(r"\[1\] <https://example\.com/[^<>|\s]*\|Leave>", line)


def test_no_title_breaks_out_of_its_link() -> None:
    line = source_line(passage(title="a|b><@U1>", url="https://example.com/"))
    assert line == "[1] <https://example.com/|a¦b&gt;&lt;@U1&gt;>"


def test_a_long_text_is_cut_between_words_and_loses_none() -> None:
    said = " ".join(f"word{number}" for number in range(2000))
    parts = _split(said)
    assert len(parts) > 1
    assert all(len(part) <= SECTION_LIMIT for part in parts)
    assert " ".join(parts).split() == said.split()


def test_an_empty_text_has_no_parts() -> None:
    assert _split("") == []


def test_no_cut_goes_through_an_entity_even_without_spaces() -> None:
    for shift in range(6):
        parts = _split("x" * shift + "&amp;" * 1500)
        assert all(len(part) <= SECTION_LIMIT for part in parts)
        assert all(re.fullmatch(r"x*(&amp;)*", part) for part in parts)


def test_no_cut_goes_through_an_entity_among_words() -> None:
    parts = _split("R&amp;D " * 1000)
    assert all(set(part.split()) == {"R&amp;D"} for part in parts)


def test_no_cut_goes_through_the_link_of_a_source() -> None:
    cited = [passage(title="A long title " * 9, url=f"https://example.com/{n}") for n in range(40)]
    for part in texts(answer_blocks(answer("Yes.", *cited)))[1:]:
        assert part.count("<") == part.count(">")


def test_a_modal_carries_the_request_and_offers_the_roles() -> None:
    view = readers_view("Leave", 7, {"finance": "Money people", "hr": ""})
    options = view["blocks"][1]["element"]["options"]
    assert view["private_metadata"] == "7"
    assert [option["value"] for option in options] == ["finance", "hr"]
    assert "description" not in options[1]


def test_a_modal_offers_no_more_roles_than_slack_takes() -> None:
    view = readers_view("Leave", 7, {f"role{n}": "d" * 200 for n in range(150)})
    options = view["blocks"][1]["element"]["options"]
    assert len(options) == 100
    assert all(len(option["description"]["text"]) <= 75 for option in options)


def test_a_modal_offers_everyone_and_guests_first() -> None:
    view = readers_view("Leave", 7, {"board": "", "everyone": "", "guest": "", "hr": ""})
    options = view["blocks"][1]["element"]["options"]
    assert [option["value"] for option in options] == ["everyone", "guest", "board", "hr"]


def test_a_long_description_of_a_role_is_cut_between_words() -> None:
    words = "People who " + "keep the books, " * 9
    option = readers_view("Leave", 7, {"finance": words})["blocks"][1]["element"]["options"][0]
    assert (
        option["description"]["text"]
        == "People who keep the books, keep the books, keep the books, keep the books…"
    )


def test_a_document_with_a_title_of_its_own_needs_none_in_the_modal() -> None:
    field = readers_view("leave.md", 7, {"hr": ""}, has_own_title=True)["blocks"][0]
    assert field["optional"] is True
    assert "initial_value" not in field["element"]
    assert "leave.md" in field["hint"]["text"]
    assert "optional" not in readers_view("Leave", 7, {"hr": ""})["blocks"][0]


def test_a_modal_opened_by_a_button_carries_the_message_that_the_button_is_in() -> None:
    assert readers_view("Leave", 7, {"hr": ""}, offer_ts="17.5")["private_metadata"] == "7 17.5"


@pytest.mark.parametrize(
    ("chunks", "said"), [(1, "1 passage can"), (2, "2 passages can"), (0, "0 passages can")]
)
def test_passages_are_counted_in_words(chunks: int, said: str) -> None:
    assert said in describe(Outcome(1, "Leave", chunks, "added"), "hr")


def test_a_choice_of_readers_is_read_from_what_was_submitted() -> None:
    state = {
        "values": {
            "title": {"title": {"value": " Leave "}},
            "readers": {"readers": {"selected_options": [{"value": "hr"}, {"value": "finance"}]}},
            "rule": {"rule": {"selected_option": {"value": "all"}}},
        }
    }
    wish = wished(state)
    assert (wish.title, wish.chosen.readers) == ("Leave", "finance+hr")
