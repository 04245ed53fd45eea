"""What was typed and chosen in a modal, as Slack sends it back. Anybody could have written it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from auth.errors import OstiaryError


class NotFilledIn(OstiaryError):
    """A field does not hold what it must; the message says what, and stands at the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Entered:
    """The state of a view, by the names of its fields."""

    def __init__(self, state: Mapping[str, Any] | None) -> None:
        values = (state or {}).get("values")
        self._fields: dict[str, Mapping[str, Any]] = {}
        for block_id, elements in (values if isinstance(values, dict) else {}).items():
            first = next(iter(elements.values()), None) if isinstance(elements, dict) else None
            if isinstance(first, dict):
                self._fields[block_id.partition("@")[0]] = first

    def text(self, name: str) -> str:
        """In one line. What is typed into a form is no markup: it is kept as it is."""
        return storable(str(self._of(name).get("value") or ""))

    def option(self, name: str) -> str:
        return _value(self._of(name).get("selected_option"))

    def options(self, name: str) -> tuple[str, ...]:
        chosen = self._of(name).get("selected_options")
        return tuple(filter(None, map(_value, chosen if isinstance(chosen, list) else [])))

    def ticked(self, name: str) -> bool:
        return bool(self.options(name))

    def person(self, name: str) -> str:
        return str(self._of(name).get("selected_user") or "")

    def channel(self, name: str) -> str:
        return str(self._of(name).get("selected_conversation") or "")

    def day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(str(self._of(name).get("selected_date")))
        except ValueError:
            return None

    def required(self, name: str, found: str, sentence: str) -> str:
        """`found`, which the field `name` must hold. Raises NotFilledIn."""
        if not found:
            raise NotFilledIn(name, sentence)
        return found

    def _of(self, name: str) -> Mapping[str, Any]:
        return self._fields.get(name, {})


def storable(text: str) -> str:
    """Text without control characters and halves of characters, which PostgreSQL refuses, in one line."""
    kept = "".join(c for c in text if c.isprintable() or c.isspace())
    return " ".join(kept.split())


def _value(option: object) -> str:
    return str(option.get("value") or "") if isinstance(option, dict) else ""
