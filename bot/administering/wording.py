"""Policies in words."""

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
