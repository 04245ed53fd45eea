"""Rules for the interactive elements of Block Kit: where each may stand, and what it must hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.block_parts import (
    Complain,
    Element,
    check_confirm,
    check_grouped_options,
    check_initial,
    check_length,
    check_options,
    check_placeholder,
    check_text,
    check_whole,
)

_ANYWHERE = ("section", "actions", "input")
# Slack takes menus of several choices nowhere in an actions block.
_PLACES = {
    "button": ("section", "actions"),
    "workflow_button": ("section", "actions"),
    "overflow": ("section", "actions"),
    "checkboxes": _ANYWHERE,
    "radio_buttons": _ANYWHERE,
    "datepicker": _ANYWHERE,
    "timepicker": _ANYWHERE,
    "datetimepicker": ("actions", "input"),
    **{f"{what}_select": _ANYWHERE for what in ("static", "external", "users", "conversations", "channels")},
    **{
        f"multi_{what}_select": ("section", "input")
        for what in ("static", "external", "users", "conversations", "channels")
    },
    **{
        f"{what}_input": ("input",)
        for what in ("plain_text", "number", "email_text", "url_text", "rich_text", "file")
    },
    "feedback_buttons": ("context_actions",),
    "icon_button": ("context_actions",),
    "image": ("section", "context"),
}


def check_element(element: Any, where: str, complain: Complain, place: str) -> None:
    """`place` is the type of the block that holds the element."""
    if not isinstance(element, dict):
        complain(where, "must be an object")
        return
    kind = str(element.get("type"))
    if place not in _PLACES.get(kind, ()):
        complain(f"{where}/type", f"unsupported type: {kind}")
        return
    check_length(element.get("action_id"), f"{where}/action_id", 255, complain)
    check_placeholder(element, where, complain)
    check_confirm(element, where, complain)
    if kind in _RULES:
        _RULES[kind](element, where, complain)


def _check_button(element: Element, where: str, complain: Complain) -> None:
    check_text(element.get("text"), f"{where}/text", 75, complain, only_plain=True)
    check_length(element.get("value"), f"{where}/value", 2000, complain)
    check_length(element.get("url"), f"{where}/url", 3000, complain)
    check_length(element.get("accessibility_label"), f"{where}/accessibility_label", 75, complain)
    if element.get("style", "primary") not in ("primary", "danger"):
        complain(f"{where}/style", "must be one of primary, danger")


def _check_static(element: Element, where: str, complain: Complain) -> None:
    check_initial(element, check_grouped_options(element, where, complain), where, complain)
    _check_several(element, where, complain)


def _check_several(element: Element, where: str, complain: Complain) -> None:
    check_whole(element.get("max_selected_items"), f"{where}/max_selected_items", 1, 10_000, complain)


def _check_external(element: Element, where: str, complain: Complain) -> None:
    check_whole(element.get("min_query_length"), f"{where}/min_query_length", 0, 10_000, complain)
    _check_several(element, where, complain)
    for name in ("options", "option_groups"):
        if element.get(name) is not None:
            complain(f"{where}/{name}", f"invalid additional property: {name}")


def _check_conversations(element: Element, where: str, complain: Complain) -> None:
    _check_several(element, where, complain)
    filtered = element.get("filter")
    if filtered is None:
        return
    kinds = filtered.get("include") if isinstance(filtered, dict) else []
    allowed = ("im", "mpim", "private", "public")
    if kinds is not None and (not isinstance(kinds, list) or not kinds or not set(kinds) <= set(allowed)):
        complain(f"{where}/filter/include", f"must hold some of {', '.join(allowed)}")


def _check_overflow(element: Element, where: str, complain: Complain) -> None:
    check_options(element.get("options"), where, 5, complain)


def _check_ticks(element: Element, where: str, complain: Complain) -> None:
    options = check_options(element.get("options"), where, 10, complain, only_plain=False)
    check_initial(element, options, where, complain)


def _check_text_input(element: Element, where: str, complain: Complain) -> None:
    check_whole(element.get("max_length"), f"{where}/max_length", 1, 3000, complain)
    check_whole(element.get("min_length"), f"{where}/min_length", 0, 3000, complain)
    check_length(element.get("initial_value"), f"{where}/initial_value", 3000, complain)


def _check_number(element: Element, where: str, complain: Complain) -> None:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        complain(f"{where}/is_decimal_allowed", "missing required field: is_decimal_allowed")
    number = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    for name in ("initial_value", "min_value", "max_value"):
        value = element.get(name)
        if value is not None and not (isinstance(value, str) and re.fullmatch(number, value)):
            complain(f"{where}/{name}", "must be a number, written as a string")


def _initial_of(name: str, pattern: str, example: str) -> Callable[[Element, str, Complain], None]:
    def check(element: Element, where: str, complain: Complain) -> None:
        value = element.get(name)
        if value is not None and not re.fullmatch(pattern, str(value)):
            complain(f"{where}/{name}", f"must look like {example}")

    return check


def _check_file_input(element: Element, where: str, complain: Complain) -> None:
    check_whole(element.get("max_files"), f"{where}/max_files", 1, 10, complain)


def _check_feedback(element: Element, where: str, complain: Complain) -> None:
    for side in ("positive_button", "negative_button"):
        button = element.get(side)
        if not isinstance(button, dict):
            complain(f"{where}/{side}", "missing required field")
            continue
        check_text(button.get("text"), f"{where}/{side}/text", 75, complain, only_plain=True)
        check_length(button.get("value"), f"{where}/{side}/value", 2000, complain)


_RULES: dict[str, Callable[[Element, str, Complain], None]] = {
    "button": _check_button,
    "static_select": _check_static,
    "multi_static_select": _check_static,
    "external_select": _check_external,
    "multi_external_select": _check_external,
    "conversations_select": _check_conversations,
    "multi_conversations_select": _check_conversations,
    "multi_users_select": _check_several,
    "multi_channels_select": _check_several,
    "overflow": _check_overflow,
    "checkboxes": _check_ticks,
    "radio_buttons": _check_ticks,
    "plain_text_input": _check_text_input,
    "number_input": _check_number,
    "datepicker": _initial_of("initial_date", r"\d{4}-\d\d-\d\d", "2026-11-30"),
    "timepicker": _initial_of("initial_time", r"\d\d:\d\d", "17:30"),
    "datetimepicker": _initial_of("initial_date_time", r"\d{10}", "1628633820"),
    "file_input": _check_file_input,
    "feedback_buttons": _check_feedback,
}
