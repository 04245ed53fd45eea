"""What a chosen or typed value looks like in `actions` and in `view.state.values`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Given = str | Sequence[str] | None


class ValueMistakeError(ValueError):
    """The value cannot be given to this element."""


def action_of(block: Mapping[str, Any], element: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """The entry of `actions` for a click or a choice."""
    head = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] == "button":
        kept = {name: element[name] for name in ("text", "value", "style") if name in element}
        return head | kept
    if element["type"] == "feedback_buttons":
        return head | _feedback(element, given)
    if element["type"] == "overflow":
        return head | {"selected_option": _option(element, str(given))}
    return head | state_of(element, given)


def _feedback(element: Mapping[str, Any], given: Given) -> dict[str, Any]:
    for side in ("positive_button", "negative_button"):
        button = element[side]
        if given in (button.get("value"), side.removesuffix("_button"), None):
            return {"value": button.get("value", ""), "text": button["text"]}
    raise ValueMistakeError(f"The feedback buttons have no value {given!r}.")


def state_of(element: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """The state of one element, in Slack's words."""
    kind = str(element["type"])
    many = [given] if isinstance(given, str) else list(given or [])
    one = many[0] if many else None
    head = {"type": kind}
    if kind in ("checkboxes", "multi_static_select"):
        return head | {"selected_options": [_option(element, value) for value in many]}
    if kind in ("static_select", "radio_buttons"):
        return head | {"selected_option": _option(element, one) if one else None}
    if kind.startswith("multi_"):
        plural = kind.removeprefix("multi_").removesuffix("_select")
        return head | {f"selected_{plural}": many}
    if kind.endswith("s_select"):
        return head | {f"selected_{kind.removesuffix('s_select')}": one}
    if kind in ("datepicker", "timepicker"):
        return head | {f"selected_{kind.removesuffix('picker')}": one}
    if kind == "file_input":
        return head | {"files": [{"id": file_id} for file_id in many]}
    return head | {"value": one or None}


def _option(element: Mapping[str, Any], value: str) -> dict[str, Any]:
    for option in _options(element):
        if option["value"] == value:
            return dict(option)
    choices = ", ".join(option["value"] for option in _options(element))
    raise ValueMistakeError(f"There is no option {value!r}; choose one of: {choices}.")


def _options(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    grouped = [option for group in element.get("option_groups") or [] for option in group["options"]]
    return [*(element.get("options") or []), *grouped]


def initial_state(element: Mapping[str, Any]) -> dict[str, Any]:
    """What an element holds before anybody touches it."""
    kind = str(element["type"])
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": list(element.get("initial_options") or [])}
    if kind in ("static_select", "radio_buttons"):
        return {"type": kind, "selected_option": element.get("initial_option")}
    if "initial_value" in element:
        return {"type": kind, "value": element["initial_value"]}
    return state_of(element, None)


def is_empty(state: Mapping[str, Any]) -> bool:
    return not any(value for name, value in state.items() if name != "type")
