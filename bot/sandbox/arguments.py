"""The arguments of one Web API call, however they were encoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.errors import SlackError


class Arguments:
    """JSON bodies carry values, forms carry strings: both read alike here."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def text(self, name: str, default: str = "") -> str:
        return str(self.values.get(name, default))

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", messages=[f"missing required field: {name}"])
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true")

    def whole(self, name: str, default: int) -> int:
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", messages=[f"{name} must be an integer"]) from None

    def json(self, name: str) -> Any:
        """A list or object, given as such or as a JSON string; None when absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise SlackError(
                f"invalid_{name}_format" if name in ("blocks", "metadata") else "invalid_arguments"
            ) from None

    def several(self, name: str) -> list[str]:
        """A comma-separated list, or a JSON one."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [item.strip() for item in str(value or "").split(",") if item.strip()]
