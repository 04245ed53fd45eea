"""Rules for the parts that blocks and elements are made of: texts, options, confirmation dialogs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Complain = Callable[[str, str], None]  # (json pointer, sentence)
Element = dict[str, Any]
MOST_OPTIONS = 100


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


def check_whole(value: Any, where: str, least: int, most: int, complain: Complain) -> None:
    """A whole number within bounds, where there is one."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        complain(where, f"must be a whole number between {least} and {most}")


def check_placeholder(element: Element, where: str, complain: Complain) -> None:
    if element.get("placeholder") is not None:
        check_text(element["placeholder"], f"{where}/placeholder", 150, complain, only_plain=True)


def check_confirm(element: Element, where: str, complain: Complain) -> None:
    """The dialog that asks again before an action."""
    dialog = element.get("confirm")
    if dialog is None:
        return
    where = f"{where}/confirm"
    if not isinstance(dialog, dict):
        complain(where, "must be an object")
        return
    check_text(dialog.get("title"), f"{where}/title", 100, complain, only_plain=True)
    check_text(dialog.get("text"), f"{where}/text", 300, complain)
    for answer in ("confirm", "deny"):
        check_text(dialog.get(answer), f"{where}/{answer}", 30, complain, only_plain=True)
    if dialog.get("style", "primary") not in ("primary", "danger"):
        complain(f"{where}/style", "must be one of primary, danger")


def check_option(option: Any, where: str, complain: Complain, *, only_plain: bool = True) -> None:
    if not isinstance(option, dict):
        complain(where, "must be an object")
        return
    check_text(option.get("text"), f"{where}/text", 75, complain, only_plain=only_plain)
    if not isinstance(option.get("value"), str):
        complain(f"{where}/value", "missing required field: value")
    check_length(option.get("value"), f"{where}/value", 150, complain)
    check_length(option.get("url"), f"{where}/url", 3000, complain)
    if option.get("description") is not None:
        check_text(option["description"], f"{where}/description", 75, complain, only_plain=only_plain)


def check_options(
    options: Any, where: str, most: int, complain: Complain, *, only_plain: bool = True
) -> list[Element]:
    """One to `most` options; returns those that are objects."""
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        complain(f"{where}/options", f"must hold 1 to {most} options")
        return []
    for index, option in enumerate(options):
        check_option(option, f"{where}/options/{index}", complain, only_plain=only_plain)
    return [option for option in options if isinstance(option, dict)]


def check_grouped_options(holder: Element, where: str, complain: Complain) -> list[Element]:
    """`options` or `option_groups`, not both; returns all options."""
    groups = holder.get("option_groups")
    if groups is None:
        return check_options(holder.get("options"), where, MOST_OPTIONS, complain)
    if holder.get("options") is not None:
        complain(where, "only one of options and option_groups may be given")
    if not isinstance(groups, list) or not 1 <= len(groups) <= MOST_OPTIONS:
        complain(f"{where}/option_groups", f"must hold 1 to {MOST_OPTIONS} groups")
        return []
    found: list[Element] = []
    for index, group in enumerate(groups):
        place = f"{where}/option_groups/{index}"
        if not isinstance(group, dict):
            complain(place, "must be an object")
            continue
        check_text(group.get("label"), f"{place}/label", 75, complain, only_plain=True)
        found += check_options(group.get("options"), place, MOST_OPTIONS, complain)
    return found


def check_initial(element: Element, options: list[Element], where: str, complain: Complain) -> None:
    """What is chosen at first must be among the options, letter by letter."""
    several = element.get("initial_options")
    if several is not None and (not isinstance(several, list) or not several):
        complain(f"{where}/initial_options", "must hold at least 1 option")
        several = None
    one = element.get("initial_option")
    for option in [*(several or []), *([one] if one is not None else [])]:
        if option not in options:
            complain(where, "initial option must match one of the options")
