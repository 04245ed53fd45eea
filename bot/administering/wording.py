"""Policies, and ends of what was granted, in words."""

from datetime import datetime, time, timedelta

from auth.labels import Clause, Policy
from auth.roles import EVERYONE, GUEST
from bot.administering.effects import listed

_OWN_WORDS = {EVERYONE: "every full member", GUEST: "every guest"}


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
