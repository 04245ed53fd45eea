"""Rules for the interactive elements of Block Kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Complain = Callable[[str, str], None]  # (json pointer, sentence)

_SELECTS = (
    "users_select", "multi_users_select", "conversations_select", "multi_conversations_select",
    "channels_select", "multi_channels_select", "external_select", "multi_external_select",
)  # fmt: skip
_PLAIN = (
    "datepicker", "timepicker", "datetimepicker", "email_text_input", "url_text_input", "number_input",
    "file_input", "rich_text_input", "workflow_button", "icon_button",
)  # fmt: skip


def check_text(text: Any, where: str, most: int, complain: Complain, *, only_plain: bool = False) -> None:
    """A text object, not empty, of at most `most` characters."""
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        complain(where, "must be a text object")
        return
    kinds = ("plain_text",) if only_plain else ("plain_text", "mrkdwn")
    if text.get("type") not in kinds:
        complain(f"{where}/type", f"must be one of {', '.join(kinds)}")
    if not text["text"]:
        complain(f"{where}/text", "must be more than 0 characters")
    if len(text["text"]) > most:
        complain(f"{where}/text", f"must be less than {most + 1} characters")


def check_length(value: Any, where: str, most: int, complain: Complain) -> None:
    if value is not None and (not isinstance(value, str) or len(value) > most):
        complain(where, f"must be a string of less than {most + 1} characters")


def check_element(element: Any, where: str, complain: Complain) -> None:
    if not isinstance(element, dict):
        complain(where, "must be an object")
        return
    kind = element.get("type")
    check_length(element.get("action_id"), f"{where}/action_id", 255, complain)
    if kind in _RULES:
        _RULES[kind](element, where, complain)
    elif kind not in (*_SELECTS, *_PLAIN, "image"):
        complain(f"{where}/type", f"unsupported type: {kind}")


def _check_button(element: dict[str, Any], where: str, complain: Complain) -> None:
    check_text(element.get("text"), f"{where}/text", 75, complain, only_plain=True)
    check_length(element.get("value"), f"{where}/value", 2000, complain)
    check_length(element.get("url"), f"{where}/url", 3000, complain)
    if element.get("style", "primary") not in ("primary", "danger"):
        complain(f"{where}/style", "must be one of primary, danger")


def _check_options(element: dict[str, Any], where: str, complain: Complain) -> None:
    groups = element.get("option_groups") or [{"options": element.get("options")}]
    for group in groups:
        options = group.get("options")
        if not isinstance(options, list) or not 1 <= len(options) <= 100:
            complain(f"{where}/options", "must hold 1 to 100 options")
            continue
        for index, option in enumerate(options):
            _check_option(option, f"{where}/options/{index}", complain)
    if element.get("placeholder") is not None:
        check_text(element["placeholder"], f"{where}/placeholder", 150, complain, only_plain=True)


def _check_option(option: Any, where: str, complain: Complain) -> None:
    if not isinstance(option, dict):
        complain(where, "must be an object")
        return
    check_text(option.get("text"), f"{where}/text", 75, complain)
    if not isinstance(option.get("value"), str):
        complain(f"{where}/value", "missing required field: value")
    check_length(option.get("value"), f"{where}/value", 150, complain)


def _check_few_options(element: dict[str, Any], where: str, complain: Complain) -> None:
    options = element.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= 10:
        complain(f"{where}/options", "must hold 1 to 10 options")
        return
    for index, option in enumerate(options):
        _check_option(option, f"{where}/options/{index}", complain)


def _check_text_input(element: dict[str, Any], where: str, complain: Complain) -> None:
    most = element.get("max_length", 3000)
    if not isinstance(most, int) or not 1 <= most <= 3000:
        complain(f"{where}/max_length", "must be between 1 and 3000")
    if element.get("placeholder") is not None:
        check_text(element["placeholder"], f"{where}/placeholder", 150, complain, only_plain=True)


def _check_feedback(element: dict[str, Any], where: str, complain: Complain) -> None:
    for side in ("positive_button", "negative_button"):
        button = element.get(side)
        if not isinstance(button, dict):
            complain(f"{where}/{side}", "missing required field")
            continue
        check_text(button.get("text"), f"{where}/{side}/text", 75, complain, only_plain=True)
        check_length(button.get("value"), f"{where}/{side}/value", 2000, complain)


_RULES: dict[str, Callable[[dict[str, Any], str, Complain], None]] = {
    "button": _check_button,
    "static_select": _check_options,
    "multi_static_select": _check_options,
    "overflow": _check_few_options,
    "checkboxes": _check_few_options,
    "radio_buttons": _check_few_options,
    "plain_text_input": _check_text_input,
    "feedback_buttons": _check_feedback,
}
