"""Numbers, lists, policies, times and ends of what was granted, in words."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from auth.labels import Clause, Policy
from auth.roles import EVERYONE, GUEST

_OWN_WORDS = {EVERYONE: "every full member", GUEST: "every guest"}


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def counted(number: int, what: str, plural: str = "") -> str:
    """`1 document`, `2,000 documents`; `plural` where an s is not enough."""
    return f"1 {what}" if number == 1 else f"{number:,} {plural or what + 's'}"


def capitalised(words: str) -> str:
    """The same words at the beginning of a sentence."""
    return f"{words[:1].upper()}{words[1:]}"


def numbered_documents(document_ids: Sequence[int]) -> str:
    """`document 7`, `documents 7, 8`, `12 documents`."""
    if len(document_ids) > 5:
        return f"{len(document_ids)} documents"
    numbers = ", ".join(map(str, document_ids))
    return f"document{'s' if len(document_ids) != 1 else ''} {numbers}"


def size_in_words(size: int) -> str:
    """`812 bytes`, `12 KB`, `3.4 MB`."""
    if size < 1024:
        return counted(size, "byte")
    return f"{size / 1024:.0f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"


def span_in_words(span: timedelta) -> str:
    """`2 days`, `12 hours`, `90 minutes`; what is left of a minute is dropped."""
    minutes = int(span.total_seconds()) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour")):
        if minutes and minutes % size == 0:
            return counted(minutes // size, unit)
    return counted(minutes, "minute")


def often_in_words(span: timedelta) -> str:
    """`every 12 hours`, `every hour`."""
    return f"every {span_in_words(span).removeprefix('1 ')}"


def policy_in_words(policy: Policy) -> str:
    """`finance and leadership, or hr but not contractor`; `nobody` for the empty one."""
    clauses = sorted(policy.clauses, key=str)
    return ", or ".join(clause_in_words(clause) for clause in clauses) or "nobody"


def clause_in_words(clause: Clause) -> str:
    """`every full member but not contractor`."""
    held = listed([_OWN_WORDS.get(role, role) for role in sorted(clause.all_of)])
    barred = listed([_OWN_WORDS.get(role, role) for role in sorted(clause.none_of)])
    return f"{held} but not {barred}" if barred else held


def end_in_words(moment: datetime) -> str:
    """`the end of 3 March 2026` for the midnight after it, else `3 March 2026, 14:00 UTC`. Aware, in UTC."""
    if moment.timetz().replace(tzinfo=None) == time():
        return f"the end of {moment - timedelta(days=1):%-d %B %Y}"
    return f"{moment:%-d %B %Y, %H:%M} UTC"
