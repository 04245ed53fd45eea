"""What a chosen or typed value looks like in `actions` and in `state.values`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any

from bot.sandbox.blocks import elements_of

Given = str | Sequence[str] | None
Values = dict[str, dict[str, Any]]  # block id -> action id -> state
_STATELESS = ("button", "workflow_button", "overflow", "feedback_buttons", "icon_button", "image")
_SEVERAL_OPTIONS = ("checkboxes", "multi_static_select", "multi_external_select")
_ONE_OPTION = ("static_select", "radio_buttons", "external_select")


class ValueMistakeError(ValueError):
    """The value cannot be given to this element."""


def action_of(block: Mapping[str, Any], element: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """The entry of `actions` for a click or a choice."""
    head = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] in ("button", "workflow_button"):
        kept = {name: element[name] for name in ("text", "value", "style", "confirm") if name in element}
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
    """The state of one element, in Slack's words. People and conversations are given by their ids."""
    kind = str(element["type"])
    many = [given] if isinstance(given, str) else list(given or [])
    most = element.get("max_selected_items", len(many))
    if len(many) > most:
        raise ValueMistakeError(f"At most {most} can be chosen, not {len(many)}.")
    return {"type": kind} | _state(element, kind, many)


def _state(element: Mapping[str, Any], kind: str, many: list[str]) -> dict[str, Any]:
    one = many[0] if many else None
    if kind in _SEVERAL_OPTIONS:
        return {"selected_options": [_option(element, value) for value in many]}
    if kind in _ONE_OPTION:
        return {"selected_option": _option(element, one) if one else None}
    if kind.startswith("multi_"):
        plural = kind.removeprefix("multi_").removesuffix("_select")
        return {f"selected_{plural}": many}
    if kind.endswith("s_select"):
        return {f"selected_{kind.removesuffix('s_select')}": one}
    if kind in ("datepicker", "timepicker", "datetimepicker"):
        return _moment(kind, one or None)
    if kind == "file_input":
        return {"files": [{"id": file_id} for file_id in many]}
    return {"value": one or None}


def _moment(kind: str, given: str | None) -> dict[str, Any]:
    try:
        if kind == "datepicker":
            return {"selected_date": date.fromisoformat(given).isoformat() if given else None}
        if kind == "timepicker":
            return {"selected_time": time.fromisoformat(given).strftime("%H:%M") if given else None}
        return {"selected_date_time": int(given) if given else None}
    except ValueError:
        raise ValueMistakeError(f"The {kind} offers no {given!r}.") from None


def _option(element: Mapping[str, Any], value: str) -> dict[str, Any]:
    for option in options_of(element):
        if option["value"] == value:
            return dict(option)
    choices = ", ".join(option["value"] for option in options_of(element))
    raise ValueMistakeError(f"There is no option {value!r}; choose one of: {choices}.")


def options_of(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its options, grouped ones too. A menu that the app fills shows what was chosen in it at first."""
    grouped = [option for group in element.get("option_groups") or [] for option in group["options"]]
    found = [*(element.get("options") or []), *grouped]
    if "external_select" in element["type"]:
        first = [element["initial_option"]] if element.get("initial_option") else []
        found += [*first, *(element.get("initial_options") or [])]
    return found


def initial_state(element: Mapping[str, Any]) -> dict[str, Any]:
    """What an element holds before anybody touches it."""
    empty = state_of(element, None)
    for name in empty:
        initial = f"initial_{name.removeprefix('selected_')}"
        if initial in element:
            return empty | {name: element[initial]}
    return empty


def initial_values(blocks: Iterable[dict[str, Any]]) -> Values:
    """Of every element that holds something, as Slack sends it along with each action."""
    values: Values = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] not in _STATELESS:
                values.setdefault(block["block_id"], {})[element["action_id"]] = initial_state(element)
    return values


def kept_values(values: Values, blocks: Iterable[dict[str, Any]]) -> Values:
    """Slack keeps what was typed or chosen where block id, action id and type stay the same."""
    kept = initial_values(blocks)
    for block_id, actions in kept.items():
        for action_id, state in actions.items():
            held = values.get(block_id, {}).get(action_id)
            if held is not None and held.get("type", state["type"]) == state["type"]:
                actions[action_id] = held
    return kept


def is_empty(state: Mapping[str, Any]) -> bool:
    return not any(value for name, value in state.items() if name != "type")
