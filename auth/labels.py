"""Access labels: who may read a document, as a policy over roles. Pure values and decisions.

A policy admits whoever satisfies any of its clauses; a clause asks for all of some roles and none of others.
Written `finance+leadership,hr`: a comma means "or", a plus "and", an exclamation mark "but not".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from auth.errors import OstiaryError
from auth.roles import EVERYONE

_ROLE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class UnreadablePolicy(OstiaryError):
    """A policy was written in a way that names no readers; the message says how to write one."""


@dataclass(frozen=True)
class Clause:
    """All of these roles, and none of those. Without a role to hold it admits nobody."""

    all_of: frozenset[str]
    none_of: frozenset[str] = frozenset()

    def admits(self, roles: frozenset[str]) -> bool:
        return bool(self.all_of) and self.all_of <= roles and not (self.none_of & roles)

    def __str__(self) -> str:
        return "+".join([*sorted(self.all_of), *(f"!{role}" for role in sorted(self.none_of))])


@dataclass(frozen=True)
class Policy:
    """Any of these clauses. Without a clause it admits nobody."""

    clauses: frozenset[Clause]

    def admits(self, roles: frozenset[str]) -> bool:
        return any(clause.admits(roles) for clause in self.clauses)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that the policy mentions."""
        return frozenset[str]().union(*(clause.all_of | clause.none_of for clause in self.clauses))

    def but_not(self, excluded: frozenset[str]) -> "Policy":
        """The same policy for everybody who holds none of `excluded`."""
        return Policy(frozenset(Clause(c.all_of, c.none_of | excluded) for c in self.clauses))

    def and_also(self, other: "Policy") -> "Policy":
        """Whoever both admit, and nobody else."""
        both = (
            Clause(one.all_of | another.all_of, one.none_of | another.none_of)
            for one in self.clauses
            for another in other.clauses
            if one.all_of and another.all_of  # without a role to hold a clause admits nobody
        )
        return Policy(frozenset(clause for clause in both if not clause.all_of & clause.none_of))

    def __str__(self) -> str:
        """The canonical spelling: two equal policies are written alike. `nobody` for the empty one."""
        return ",".join(sorted(str(clause) for clause in self.clauses)) or "nobody"


NOBODY = Policy(frozenset())
FOR_EVERYONE = Policy(frozenset({Clause(frozenset({EVERYONE}))}))


def conjunction(policies: Iterable[Policy]) -> Policy:
    """Whoever each of these admits; of none, nobody. Clauses that another one makes superfluous are left out."""
    met: Policy | None = None
    for policy in policies:
        met = policy if met is None else _without_superfluous(met.and_also(policy))
    return met or NOBODY


def _without_superfluous(policy: Policy) -> Policy:
    return Policy(
        frozenset(
            clause
            for clause in policy.clauses
            if not any(
                other != clause and other.all_of <= clause.all_of and other.none_of <= clause.none_of
                for other in policy.clauses
            )
        )
    )


def is_role_name(text: str) -> bool:
    """Whether a role can be called this: policies must be able to name it, and `nobody` is taken."""
    return _ROLE_NAME.fullmatch(text) is not None and text != "nobody"


def parse_policy(text: str) -> Policy:
    """Read `finance+leadership,hr+!contractor`. Raises UnreadablePolicy with what to write instead."""
    if text.strip() == "nobody":
        return NOBODY
    return Policy(frozenset(_parse_clause(part, text) for part in text.split(",")))


def _parse_clause(part: str, whole: str) -> Clause:
    all_of: set[str] = set()
    none_of: set[str] = set()
    for word in part.split("+"):
        name = word.strip().lower()
        excluded = name.startswith("!")
        name = name.removeprefix("!").strip()
        if not is_role_name(name):
            raise UnreadablePolicy(_how_to_write(whole))
        (none_of if excluded else all_of).add(name)
    if not all_of:
        raise UnreadablePolicy(_how_to_write(whole))
    return Clause(frozenset(all_of), frozenset(none_of))


def _how_to_write(text: str) -> str:
    return (
        f"The readers {text!r} could not be understood. Name roles separated by commas (any of them), "
        "joined by + where all are needed, with ! before a role that must not be held: finance+leadership,hr."
    )
