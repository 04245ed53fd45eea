"""Slack's limits on blocks and views."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.blocks import check_message_blocks, check_view, with_ids
from bot.sandbox.errors import SlackError


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def select(count: int) -> dict[str, Any]:
    options = [{"text": plain(str(n)), "value": str(n)} for n in range(count)]
    return {"type": "static_select", "action_id": "a", "options": options}


AT_THE_LIMIT: dict[str, list[dict[str, Any]]] = {
    "fifty blocks": [{"type": "divider"}] * 50,
    "a section of 3000": [section("x" * 3000)],
    "a header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "markdown of 12000": [{"type": "markdown", "text": "x" * 12_000}],
    "a button of 75": [
        {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": plain("x" * 75)}]}
    ],
    "a hundred options": [{"type": "actions", "elements": [select(100)]}],
}
BEYOND: dict[str, tuple[list[dict[str, Any]], str]] = {
    "fifty-one blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
    "a section of 3001": ([section("x" * 3001)], "/blocks/0/text/text"),
    "an empty section": ([section("")], "must be more than 0 characters"),
    "a section of nothing": ([{"type": "section"}], "text or fields"),
    "a header of 151": ([{"type": "header", "text": plain("x" * 151)}], "less than 151"),
    "a header in mrkdwn": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "plain_text"),
    "markdown of 12001": ([{"type": "markdown", "text": "x" * 12_001}], "less than 12001"),
    "a button of 76": (
        [{"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": plain("x" * 76)}]}],
        "/blocks/0/elements/0/text/text",
    ),
    "a button's value of 2001": (
        [
            {
                "type": "actions",
                "elements": [{"type": "button", "action_id": "a", "text": plain("x"), "value": "x" * 2001}],
            }
        ],
        "/value",
    ),
    "too many options": ([{"type": "actions", "elements": [select(101)]}], "1 to 100 options"),
    "no elements": ([{"type": "actions", "elements": []}], "1 to 25 items"),
    "an unknown block": ([{"type": "marquee"}], "unsupported type: marquee"),
    "a block that is a word": (["section"], "must be an object"),  # type: ignore[list-item]
    "two blocks with one id": (
        [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
        "must be unique",
    ),
    "an image without words": ([{"type": "image", "image_url": "https://x"}], "alt_text"),
}


@pytest.mark.parametrize("case", AT_THE_LIMIT)
def test_blocks_at_slacks_limits_are_taken(case: str) -> None:
    check_message_blocks(AT_THE_LIMIT[case])


@pytest.mark.parametrize("case", BEYOND)
def test_blocks_beyond_slacks_limits_are_refused_with_the_reason(case: str) -> None:
    blocks, reason = BEYOND[case]
    with pytest.raises(SlackError) as refused:
        check_message_blocks(blocks)
    assert refused.value.error == "invalid_blocks"
    assert reason in " ".join(refused.value.body["response_metadata"]["messages"])


def test_markdown_blocks_share_one_allowance() -> None:
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message_blocks([{"type": "markdown", "text": "x" * 7_000}] * 2)


def modal(**changes: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Title"), "blocks": []} | changes


INPUT = {
    "type": "input",
    "label": plain("Words"),
    "element": {"type": "plain_text_input", "action_id": "words"},
}


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text"),
        (modal(title=None), "/view/title"),
        (modal(blocks=[INPUT]), "/view/submit"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(blocks=[{"type": "divider"}] * 101), "no more than 100"),
        (modal(type="home"), "type modal"),
    ],
)
def test_a_modal_is_refused_with_its_reason(view: dict[str, Any], reason: str) -> None:
    with pytest.raises(SlackError) as refused:
        check_view(view, "modal")
    assert refused.value.error == "invalid_arguments"
    assert reason in " ".join(refused.value.body["response_metadata"]["messages"])


def test_a_view_may_not_be_larger_than_slack_takes() -> None:
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(blocks=[section("x" * 2_900)] * 100), "modal")


def test_ids_are_given_where_they_lack_and_kept_where_they_stand() -> None:
    button = {"type": "button", "text": plain("x")}
    given: list[dict[str, Any]] = [
        {"type": "actions", "block_id": "mine", "elements": [button]},
        {"type": "divider"},
    ]
    filled = with_ids(given)
    assert filled[0]["block_id"] == "mine"
    assert filled[0]["elements"][0]["action_id"]
    assert filled[1]["block_id"]
    assert "action_id" not in button
