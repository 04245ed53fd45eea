"""Slack's rules for interactive elements, and what their values look like."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.blocks import check_message_blocks, check_view
from bot.sandbox.errors import SlackError
from bot.sandbox.state_values import ValueMistakeError, initial_values, kept_values, state_of
from bot.sandbox.suggestions import OptionsRefusedError, offered_by


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def options(count: int) -> list[dict[str, Any]]:
    return [{"text": plain(f"Option {n}"), "value": str(n)} for n in range(count)]


def element(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "action_id": "a", **more}


def confirm(**more: Any) -> dict[str, Any]:
    dialog = {
        "title": plain("Sure?"),
        "text": plain("It goes."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    return dialog | more


def within(place: str, what: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks with one element in a block of this type."""
    if place == "section":
        return [{"type": "section", "text": plain("x"), "accessory": what}]
    if place == "actions":
        return [{"type": "actions", "elements": [what]}]
    return [{"type": "input", "label": plain("x"), "element": what}]


EVERYWHERE = ("section", "actions", "input")
TAKEN = [
    *[(place, element(f"{kind}_select")) for place in EVERYWHERE for kind in ("users", "channels", "external")],
    *[(place, element("conversations_select", filter={"include": ["private"]})) for place in EVERYWHERE],
    *[(place, element(f"multi_{kind}_select", max_selected_items=2)) for place in ("section", "input") for kind in ("users", "conversations", "channels", "external")],
    *[(place, element("datepicker", initial_date="2026-11-30")) for place in EVERYWHERE],
    *[(place, element("checkboxes", options=options(10))) for place in EVERYWHERE],
    *[(place, element("radio_buttons", options=options(2), initial_option=options(2)[1])) for place in EVERYWHERE],
    *[(place, element("static_select", options=options(100))) for place in EVERYWHERE],
    *[(place, element("overflow", options=options(5))) for place in ("section", "actions")],
    *[(place, element("button", text=plain("x"), confirm=confirm(style="danger"))) for place in ("section", "actions")],
    ("input", element("number_input", is_decimal_allowed=False, min_value="1", max_value="10")),
    ("input", element("static_select", option_groups=[{"label": plain("g"), "options": options(3)}])),
]  # fmt: skip
REFUSED = [
    ("actions", element("multi_users_select"), "unsupported type: multi_users_select"),
    ("actions", element("number_input", is_decimal_allowed=True), "unsupported type: number_input"),
    ("input", element("button", text=plain("x")), "unsupported type: button"),
    ("section", element("slider"), "unsupported type: slider"),
    ("input", element("number_input"), "is_decimal_allowed"),
    ("input", element("number_input", is_decimal_allowed=False, min_value="0.5"), "min_value"),
    ("section", element("overflow", options=options(6)), "1 to 5 options"),
    ("section", element("checkboxes", options=options(11)), "1 to 10 options"),
    ("section", element("static_select", options=options(2), initial_option=options(3)[2]), "match one"),
    ("section", element("static_select", options=[], option_groups=[]), "only one of"),
    ("section", element("external_select", options=options(2)), "invalid additional property: options"),
    ("section", element("external_select", min_query_length=-1), "min_query_length"),
    ("section", element("conversations_select", filter={"include": ["secret"]}), "filter/include"),
    ("section", element("multi_users_select", max_selected_items=0), "max_selected_items"),
    ("section", element("datepicker", initial_date="30.11.2026"), "initial_date"),
    ("section", element("users_select", placeholder=plain("x" * 151)), "less than 151"),
    ("section", element("users_select", action_id="x" * 256), "less than 256"),
    ("section", element("button", text=plain("x"), confirm=confirm(deny=plain("x" * 31))), "confirm/deny"),
    ("section", element("button", text=plain("x"), confirm={"title": plain("x")}), "confirm/text"),
    ("section", element("button", text=plain("x"), confirm=confirm(text=plain("x" * 301))), "less than 301"),
    ("section", element("static_select", options=[{"text": plain("x"), "value": "x" * 151}]), "less than 151"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "what"), TAKEN)
def test_an_element_is_taken_where_slack_takes_it(place: str, what: dict[str, Any]) -> None:
    check_message_blocks(within(place, what))
    check_view({"type": "home", "blocks": within(place, what)}, "home")


@pytest.mark.parametrize(("place", "what", "reason"), REFUSED)
def test_an_element_is_refused_with_its_reason(place: str, what: dict[str, Any], reason: str) -> None:
    with pytest.raises(SlackError, match="invalid_blocks") as refused:
        check_message_blocks(within(place, what))
    assert reason in " ".join(refused.value.body["response_metadata"]["messages"])


def test_two_elements_of_a_block_have_two_action_ids() -> None:
    twins = [element("button", text=plain("x")), element("button", text=plain("y"))]
    with pytest.raises(SlackError) as refused:
        check_message_blocks([{"type": "actions", "elements": twins}])
    assert "`action_id` a already exists" in " ".join(refused.value.body["errors"])


def test_files_are_asked_for_in_modals_alone() -> None:
    blocks = within("input", element("file_input"))
    check_view({"type": "modal", "title": plain("x"), "submit": plain("x"), "blocks": blocks}, "modal")
    with pytest.raises(SlackError, match="invalid_blocks"):
        check_message_blocks(blocks)


@pytest.mark.parametrize(
    ("what", "given", "state"),
    [
        (element("channels_select"), "C1", {"selected_channel": "C1"}),
        (element("multi_conversations_select"), ["C1", "G1"], {"selected_conversations": ["C1", "G1"]}),
        (element("external_select", options=options(2)), "1", {"selected_option": options(2)[1]}),
        (element("multi_external_select", options=options(2)), ["0"], {"selected_options": options(1)}),
        (element("external_select", initial_option=options(1)[0]), "0", {"selected_option": options(1)[0]}),
        (element("number_input"), "7", {"value": "7"}),
        (element("timepicker"), "09:30", {"selected_time": "09:30"}),
        (element("datetimepicker"), "1628633820", {"selected_date_time": 1628633820}),
    ],
)
def test_a_given_value_takes_slacks_form(what: dict[str, Any], given: Any, state: dict[str, Any]) -> None:
    assert state_of(what, given) == {"type": what["type"], **state}


@pytest.mark.parametrize(
    ("what", "given"),
    [
        (element("multi_users_select", max_selected_items=1), ["U1", "U2"]),
        (element("datepicker"), "2026-02-30"),
        (element("external_select"), "never offered"),
    ],
)
def test_what_a_menu_does_not_offer_cannot_be_chosen(what: dict[str, Any], given: Any) -> None:
    with pytest.raises(ValueMistakeError):
        state_of(what, given)


def test_elements_begin_with_what_the_app_says_and_keep_what_was_chosen() -> None:
    block = within("actions", element("users_select", initial_user="U1"))[0] | {"block_id": "b"}
    assert initial_values([block]) == {"b": {"a": {"type": "users_select", "selected_user": "U1"}}}
    chosen = {"b": {"a": {"type": "users_select", "selected_user": "U2"}}}
    assert kept_values(chosen, [block]) == chosen
    other = within("actions", element("datepicker"))[0] | {"block_id": "b"}
    assert kept_values(chosen, [other]) == {"b": {"a": {"type": "datepicker", "selected_date": None}}}


def test_the_apps_options_are_shown_as_far_as_slack_takes_them() -> None:
    assert offered_by({"options": []}) == []
    assert offered_by({"options": options(2)}) == options(2)
    assert offered_by({"option_groups": [{"label": plain("g"), "options": options(1)}]}) == options(1)
    with pytest.raises(OptionsRefusedError, match="1 to 100 options"):
        offered_by({"options": options(101)})
    with pytest.raises(OptionsRefusedError, match="options"):
        offered_by({})
