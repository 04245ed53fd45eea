"""Rules for blocks and views, with Slack's limits."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable
from typing import Any

from bot.sandbox.block_elements import check_element
from bot.sandbox.block_parts import Complain, check_length, check_text
from bot.sandbox.errors import SlackError

MOST_BLOCKS = 50
MOST_VIEW_BLOCKS = 100
MOST_MARKDOWN = 12_000
MOST_MARKDOWN_TOGETHER = 13_200
MOST_VIEW_BYTES = 250_000
_UNCHECKED = (
    "rich_text", "file", "video", "table", "task_card", "plan", "alert", "card", "carousel", "container",
)  # fmt: skip


def check_message_blocks(blocks: Any) -> None:
    """Raise invalid_blocks with the reasons, or msg_blocks_too_long."""
    complaints = _complaints(blocks, MOST_BLOCKS, "/blocks")
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        element = block.get("element") if isinstance(block, dict) else None
        if isinstance(element, dict) and element.get("type") == "file_input":
            complaints.append(f"unsupported type: file_input [json-pointer:/blocks/{index}/element/type]")
    if complaints:
        raise SlackError("invalid_blocks", messages=complaints, errors=complaints)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MOST_MARKDOWN_TOGETHER:
        raise SlackError("msg_blocks_too_long")


def check_view(view: Any, kind: str) -> None:
    """Raise invalid_arguments with the reasons, or view_too_large. `kind` is modal or home."""
    if not isinstance(view, dict) or view.get("type") != kind:
        raise SlackError(
            "invalid_arguments", messages=[f"must provide a view of type {kind} [json-pointer:/view]"]
        )
    if len(json.dumps(view)) > MOST_VIEW_BYTES:
        raise SlackError("view_too_large")
    complaints = _complaints(view.get("blocks"), MOST_VIEW_BLOCKS, "/view/blocks")

    def complain(where: str, sentence: str) -> None:
        complaints.append(f"{sentence} [json-pointer:/view{where}]")

    if kind == "modal":
        _check_modal_frame(view, complain)
    check_length(view.get("private_metadata"), "/private_metadata", 3000, complain)
    check_length(view.get("callback_id"), "/callback_id", 255, complain)
    if complaints:
        raise SlackError("invalid_arguments", messages=complaints)


def _check_modal_frame(view: dict[str, Any], complain: Complain) -> None:
    check_text(view.get("title"), "/title", 24, complain, only_plain=True)
    for part in ("submit", "close"):
        if view.get(part) is not None:
            check_text(view[part], f"/{part}", 24, complain, only_plain=True)
    blocks = view.get("blocks")
    asks = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if asks and view.get("submit") is None:
        complain("/submit", "missing required field: a view with input blocks needs a submit button")


def _complaints(blocks: Any, most: int, root: str) -> list[str]:
    found: list[str] = []

    def complain(where: str, sentence: str) -> None:
        found.append(f"{sentence} [json-pointer:{root}{where}]")

    if not isinstance(blocks, list):
        complain("", "must be an array")
        return found
    if len(blocks) > most:
        complain("", f"no more than {most} items allowed")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        _check_block(block, f"/{index}", complain)
        block_id = block.get("block_id") if isinstance(block, dict) else None
        if block_id is not None and block_id in seen:
            complain(f"/{index}/block_id", "block_id must be unique")
        seen.add(str(block_id))
    return found


def _check_block(block: Any, where: str, complain: Complain) -> None:
    if not isinstance(block, dict):
        complain(where, "must be an object")
        return
    kind = block.get("type")
    check_length(block.get("block_id"), f"{where}/block_id", 255, complain)
    if kind in _RULES:
        _RULES[kind](block, where, complain)
    elif kind not in _UNCHECKED:
        complain(f"{where}/type", f"unsupported type: {kind}")


def _check_section(block: dict[str, Any], where: str, complain: Complain) -> None:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        complain(where, "missing required field: text or fields")
    if block.get("text") is not None:
        check_text(block["text"], f"{where}/text", 3000, complain)
    for index, field in enumerate(fields or []):
        check_text(field, f"{where}/fields/{index}", 2000, complain)
    if len(fields or []) > 10:
        complain(f"{where}/fields", "no more than 10 items allowed")
    if block.get("accessory") is not None:
        check_element(block["accessory"], f"{where}/accessory", complain, "section")


def _check_header(block: dict[str, Any], where: str, complain: Complain) -> None:
    check_text(block.get("text"), f"{where}/text", 150, complain, only_plain=True)


def _check_markdown(block: dict[str, Any], where: str, complain: Complain) -> None:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        complain(f"{where}/text", "must be more than 0 characters")
    elif len(text) > MOST_MARKDOWN:
        complain(f"{where}/text", f"must be less than {MOST_MARKDOWN + 1} characters")


def _check_context(block: dict[str, Any], where: str, complain: Complain) -> None:
    for index, element in enumerate(_elements(block, where, 10, complain)):
        if isinstance(element, dict) and element.get("type") == "image":
            check_length(element.get("alt_text") or "", f"{where}/elements/{index}/alt_text", 2000, complain)
        else:
            check_text(element, f"{where}/elements/{index}", 3000, complain)


def _check_actions(block: dict[str, Any], where: str, complain: Complain) -> None:
    elements = _elements(block, where, 25, complain)
    for index, element in enumerate(elements):
        check_element(element, f"{where}/elements/{index}", complain, "actions")
    _check_action_ids(elements, where, complain)


def _check_action_ids(elements: list[Any], where: str, complain: Complain) -> None:
    """Slack tells the elements of one block apart by their action ids."""
    seen: set[str] = set()
    for index, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if action_id is not None and action_id in seen:
            complain(f"{where}/elements/{index}/action_id", f"`action_id` {action_id} already exists")
        seen.add(str(action_id))


def _check_context_actions(block: dict[str, Any], where: str, complain: Complain) -> None:
    for index, element in enumerate(_elements(block, where, 5, complain)):
        check_element(element, f"{where}/elements/{index}", complain, "context_actions")


def _elements(block: dict[str, Any], where: str, most: int, complain: Complain) -> list[Any]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        complain(f"{where}/elements", f"must hold 1 to {most} items")
        return []
    return elements


def _check_image(block: dict[str, Any], where: str, complain: Complain) -> None:
    if not block.get("image_url") and not block.get("slack_file"):
        complain(where, "missing required field: image_url or slack_file")
    check_length(block.get("image_url"), f"{where}/image_url", 3000, complain)
    if not isinstance(block.get("alt_text"), str):
        complain(f"{where}/alt_text", "missing required field: alt_text")
    check_length(block.get("alt_text"), f"{where}/alt_text", 2000, complain)


def _check_input(block: dict[str, Any], where: str, complain: Complain) -> None:
    check_text(block.get("label"), f"{where}/label", 2000, complain, only_plain=True)
    if block.get("hint") is not None:
        check_text(block["hint"], f"{where}/hint", 2000, complain, only_plain=True)
    check_element(block.get("element"), f"{where}/element", complain, "input")


_RULES: dict[str, Callable[[dict[str, Any], str, Complain], None]] = {
    "section": _check_section,
    "header": _check_header,
    "divider": lambda block, where, complain: None,
    "markdown": _check_markdown,
    "context": _check_context,
    "actions": _check_actions,
    "context_actions": _check_context_actions,
    "image": _check_image,
    "input": _check_input,
}


def with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A copy in which every block has a block id and every element an action id, as Slack returns them."""
    copies = copy.deepcopy(blocks)
    for block in copies:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return copies


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements of one block that can be acted on."""
    if block.get("type") in ("actions", "context_actions"):
        return list(block["elements"])
    single = block.get("accessory") or block.get("element")
    return [single] if isinstance(single, dict) and single.get("type") != "image" else []
