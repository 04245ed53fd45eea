"""Filling in a modal."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.state_values import Given, ValueMistakeError, initial_state, is_empty, state_of
from bot.sandbox.views import View

REQUIRED = "Please complete this required field."


def fill_form(view: View, values: Mapping[str, Given]) -> dict[str, str]:
    """Write the values into the view's state. Returns block id -> complaint for required fields left empty."""
    inputs = [block for block in view.body["blocks"] if block["type"] == "input"]
    names = {name for block in inputs for name in (block["block_id"], block["element"]["action_id"])}
    if unknown := set(values) - names:
        raise ValueMistakeError(
            f"The view has no field {', '.join(sorted(unknown))}; it has {sorted(names)}."
        )
    missing: dict[str, str] = {}
    for block in inputs:
        element = block["element"]
        key = next((name for name in (element["action_id"], block["block_id"]) if name in values), None)
        kept = view.values.get(block["block_id"], {}).get(element["action_id"])
        state = state_of(element, values[key]) if key is not None else kept or initial_state(element)
        view.values[block["block_id"]] = {element["action_id"]: state}
        if is_empty(state) and not block.get("optional"):
            missing[block["block_id"]] = REQUIRED
    return missing
