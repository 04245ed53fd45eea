"""What people write, as Slack sends it."""

from typing import Any

import pytest

from bot.slack.messages import first_link, is_written_by_a_person, mentions, plain_text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("<@U1> how much leave do I get?", "how much leave do I get?"),
        ("<@U1|ada> ask <!here> and <!subteam^S1|@hr>", "ask and"),
        ("see <#C1|general> or <#C2>", "see #general or"),
        ("read <https://example.com/a|the handbook>", "read the handbook"),
        ("read <https://example.com/a?b=1&amp;c=2>", "read https://example.com/a?b=1&c=2"),
        ("is 1 &lt; 2 &amp;&amp; 3 &gt; 2?", "is 1 < 2 && 3 > 2?"),
        ("  two\n\nlines\t", "two lines"),
        ("", ""),
    ],
)
def test_a_message_is_reduced_to_its_words(sent: str, words: str) -> None:
    assert plain_text(sent) == words


def test_entities_are_undone_once_and_what_they_spell_is_no_mention() -> None:
    assert plain_text("what does &lt;@U1&gt; mean?") == "what does <@U1> mean?"
    assert plain_text("&amp;lt;") == "&lt;"


@pytest.mark.parametrize(
    ("sent", "url"),
    [
        ("https://example.com/a", "https://example.com/a"),
        (" <https://example.com/a?b=1&amp;c=2> ", "https://example.com/a?b=1&c=2"),
        ("<http://example.com|example.com>", "http://example.com"),
    ],
)
def test_a_message_that_is_a_link_and_no_more_gives_its_address(sent: str, url: str) -> None:
    assert first_link(sent) == url


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "hello",
        "see <https://example.com>",
        "<https://example.com> and <https://example.org>",
        "https://example.com and more",
        "<mailto:ada@example.com|ada@example.com>",
        "file:///etc/passwd",
        "<javascript:alert(1)>",
        "<@U1>",
    ],
)
def test_anything_else_is_no_link(sent: str) -> None:
    assert first_link(sent) is None


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast"])
def test_what_somebody_wrote_is_a_message(subtype: str | None) -> None:
    assert is_written_by_a_person({"user": "U1", "subtype": subtype})


@pytest.mark.parametrize(
    "event",
    [
        {"user": "U1", "subtype": "message_changed"},
        {"user": "U1", "subtype": "message_deleted"},
        {"user": "U1", "subtype": "channel_join"},
        {"user": "U1", "subtype": "bot_message"},
        {"user": "U1", "bot_id": "B1"},
        {"text": "nobody said this"},
    ],
)
def test_edits_joins_and_bots_are_not(event: dict[str, Any]) -> None:
    assert not is_written_by_a_person(event)


def test_a_mention_is_of_that_very_user() -> None:
    assert mentions({"text": "hi <@U1>"}, "U1")
    assert not mentions({"text": "hi <@U12>"}, "U1")
    assert not mentions({"text": None}, "U1")
    assert not mentions({"text": "hi &lt;@U1&gt;"}, "U1")
