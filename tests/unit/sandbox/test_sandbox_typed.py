"""What a person types becomes Slack's text; what an app says is searched for pings and links."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.recorders import Recorders, pings_in
from bot.sandbox.typed import rich_text, slack_text

PEOPLE = {"ostiary": "U0BOT", "jo.doe": "U0JO", "ann": "U0ANN"}
CHANNELS = {"general": "C0GENERAL"}


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@ostiary hi", "<@U0BOT> hi"),
        ("ask @jo.doe.", "ask <@U0JO>."),
        ("mail ann@ostiary now", "mail ann@ostiary now"),
        ("@nobody", "@nobody"),
        ("@here and @channel", "<!here> and <!channel>"),
        ("see #general, #nowhere", "see <#C0GENERAL|general>, #nowhere"),
        ("https://x.example/?a=1&b=2", "<https://x.example/?a=1&amp;b=2>"),
        ("<@U0ANN> hello", "<@U0ANN> hello"),
        ("<@U0STRANGER>", "&lt;@U0STRANGER&gt;"),
        ("<!channel>", "&lt;!channel&gt;"),
    ],
)
def test_typed_words_are_marked_and_escaped(typed: str, text: str) -> None:
    assert slack_text(typed, PEOPLE, CHANNELS) == text


def test_the_rich_text_beside_it_says_the_same() -> None:
    elements = rich_text("<@U0BOT> a &lt; b <https://x.example>")[0]["elements"][0]["elements"]
    assert elements == [
        {"type": "user", "user_id": "U0BOT"},
        {"type": "text", "text": " a < b "},
        {"type": "link", "url": "https://x.example"},
    ]


def test_pings_of_every_kind_are_found() -> None:
    text = "<@U0ANN> <@U0JO|jo> <!here> <!channel|x> <!everyone> <!subteam^S0ENG|@eng> <!date^1^x|y>"
    assert sorted(pings_in(text)) == [
        ("channel", "channel"),
        ("everyone", "everyone"),
        ("here", "here"),
        ("subteam", "S0ENG"),
        ("user", "U0ANN"),
        ("user", "U0JO"),
    ]


def test_plain_text_neither_pings_nor_links() -> None:
    heard = Recorders()
    block = {"type": "header", "text": {"type": "plain_text", "text": "<!channel> https://x.example"}}
    heard.hear_message("U0BOT", "C0GENERAL", "1.000001", "", [block], unfurl=True)
    assert heard.notifications == []
    assert heard.unfurls == []


def test_links_are_found_in_markdown_and_deep_in_blocks() -> None:
    heard = Recorders()
    blocks: list[dict[str, Any]] = [
        {"type": "markdown", "text": "see [this](https://x.example/a?b=c)"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<https://y.example|y>"}]},
    ]
    heard.hear_message("U0BOT", "C0GENERAL", "1.000001", "", blocks, unfurl=True)
    assert [unfurl.url for unfurl in heard.unfurls] == ["https://x.example/a?b=c", "https://y.example"]
