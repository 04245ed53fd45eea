"""Filling in a modal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.state_values import Given, ValueMistakeError, initial_state, is_empty, state_of
from bot.sandbox.views import View

REQUIRED = "Please complete this required field."


def fill_form(view: View, values: Mapping[str, Given]) -> dict[str, str]:
    """Write the values into the view's state. Returns block id -> complaint, as Slack's own client complains.

    It complains of required fields left empty, and of values that a field does not take.
    """
    inputs = input_blocks(view)
    names = {name for block in inputs for name in (block["block_id"], block["element"]["action_id"])}
    if unknown := set(values) - names:
        raise ValueMistakeError(
            f"The view has no field {', '.join(sorted(unknown))}; it has {sorted(names)}."
        )
    complaints: dict[str, str] = {}
    for block in inputs:
        element = with_offered(view.offered, block, block["element"])
        key = next((name for name in (element["action_id"], block["block_id"]) if name in values), None)
        kept = view.values.get(block["block_id"], {}).get(element["action_id"])
        state = state_of(element, values[key]) if key is not None else kept or initial_state(element)
        view.values[block["block_id"]] = {element["action_id"]: state}
        if complaint := _complaint(block, element, state):
            complaints[block["block_id"]] = complaint
    return complaints


def input_blocks(view: View) -> list[dict[str, Any]]:
    return [block for block in view.body["blocks"] if block["type"] == "input"]


def with_offered(
    offered: Mapping[tuple[str, str], list[dict[str, Any]]], block: Mapping[str, Any], element: dict[str, Any]
) -> dict[str, Any]:
    """A menu that the app fills offers what the app answered last."""
    if "external_select" not in element["type"]:
        return element
    return element | {"options": offered.get((block["block_id"], element["action_id"]), [])}


def _complaint(block: Mapping[str, Any], element: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    if is_empty(state):
        return "" if block.get("optional") else REQUIRED
    value = str(state.get("value"))
    if element["type"] == "plain_text_input":
        return _length_complaint(element, value)
    if element["type"] == "number_input":
        return _number_complaint(element, value)
    if element["type"] == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and not re.fullmatch(r"https?://\S+", value):
        return "Please enter a valid URL."
    return ""


def _length_complaint(element: Mapping[str, Any], value: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter at most {most} characters." if len(value) > most else ""


def _number_complaint(element: Mapping[str, Any], value: str) -> str:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, value):
        return "Please enter a valid number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""
