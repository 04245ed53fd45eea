"""Menus whose options the app provides while a person types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.block_parts import check_grouped_options
from bot.sandbox.state_values import Values

USUAL_QUERY_LENGTH = 3  # Slack asks the app from this many letters on, unless the element says otherwise
Offered = dict[tuple[str, str], list[dict[str, Any]]]  # (block id, action id) -> options


@dataclass
class Held:
    """What one person has chosen in one message, and what its menus offered them."""

    values: Values = field(default_factory=dict)
    offered: Offered = field(default_factory=dict)


class OptionsRefusedError(ValueError):
    """Slack does not show the options that the app answered with."""


def is_long_enough(element: Mapping[str, Any], query: str) -> bool:
    return len(query) >= int(element.get("min_query_length", USUAL_QUERY_LENGTH))


def offered_by(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options in an app's answer, those of groups one after another. No options is an answer too."""
    if answer.get("options") == [] or answer.get("option_groups") == []:
        return []
    complaints: list[str] = []
    found = check_grouped_options(
        dict(answer), "", lambda where, sentence: complaints.append(f"{where} {sentence}")
    )
    if complaints:
        raise OptionsRefusedError(f"The app's options are not shown: {'; '.join(complaints)}.")
    return found
