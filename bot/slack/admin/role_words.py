"""`/roles` in words: what was typed, as a value."""

import html
import re
from dataclasses import dataclass
from datetime import date

from auth.errors import OstiaryError
from bot.slack.messages import plain_text

_PERSON = r"(?P<person><@[^>]+>|@?[^\s<>@]+)"
_GRANT = re.compile(rf"grant\s+(?P<role>\S+)\s+{_PERSON}(?P<rest>(?:\s.*)?)", re.IGNORECASE | re.DOTALL)
_REVOKE = re.compile(rf"revoke\s+(?P<role>\S+)\s+{_PERSON}", re.IGNORECASE)
_WHO = re.compile(r"who\s+(?P<role>\S+)", re.IGNORECASE)
_MAY_READ = re.compile(rf"may-read\s+{_PERSON}", re.IGNORECASE)
_UNTIL = re.compile(r"(?:^|\s)until\s+(\d{4}-\d{2}-\d{2})(?=\s|$)", re.IGNORECASE)
_BECAUSE = re.compile(r"\s*because:?\s+(\S.*)", re.IGNORECASE | re.DOTALL)


class NotUnderstood(OstiaryError):
    """A command was typed in a way that says nothing; the message says how to write it."""


@dataclass(frozen=True)
class GrantWords:
    role: str
    person: str
    reason: str = ""
    until: date | None = None


@dataclass(frozen=True)
class RevokeWords:
    role: str
    person: str


@dataclass(frozen=True)
class WhoWords:
    role: str


@dataclass(frozen=True)
class MayReadWords:
    person: str


def parse(text: str) -> GrantWords | RevokeWords | WhoWords | MayReadWords:
    """Raises NotUnderstood."""
    typed = text.strip()
    if found := _GRANT.fullmatch(typed):
        reason, until = _reason_and_end(found["rest"])
        return GrantWords(_role(found["role"]), found["person"], reason, until)
    if found := _REVOKE.fullmatch(typed):
        return RevokeWords(_role(found["role"]), found["person"])
    if found := _WHO.fullmatch(typed):
        return WhoWords(_role(found["role"]))
    if found := _MAY_READ.fullmatch(typed):
        return MayReadWords(found["person"])
    raise NotUnderstood("I did not understand that. `/roles help` shows what can be written.")


def _role(word: str) -> str:
    return html.unescape(word).lower()


def _reason_and_end(rest: str) -> tuple[str, date | None]:
    """`because she counts until 2026-12-31`, in either order."""
    found = _UNTIL.search(rest)
    until = _day(found[1]) if found else None
    left = f"{rest[: found.start()]} {rest[found.end() :]}" if found else rest
    if not left.strip():
        return "", until
    because = _BECAUSE.fullmatch(left.rstrip())
    if because is None:
        raise NotUnderstood(
            f"I did not understand {plain_text(left)!r}. After the person, write `because` and a reason, and"
            " `until` and the last day, as in: because she counts until 2026-12-31."
        )
    return plain_text(because[1]), until


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise NotUnderstood(f"There is no day {written}. Write it as 2026-12-31.") from None
