"""Clearances: the labels a reader, or a whole audience, may see. Pure decisions over values."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from auth.labels import Clause, Policy
from auth.roles import Inheritance

Labels = Mapping[int, Policy]
"""label id -> its policy."""
REMEMBERED_ROLE_SETS = 1_000
"""A company has few sets of roles, and asks what each may read at every question."""


@dataclass(frozen=True)
class Clearance:
    """What may be read: label ids of one workspace, decided at one version of its policies.

    There is no default and no "all": an empty set of labels reads nothing.
    """

    workspace_id: int
    label_ids: frozenset[int]
    policy_version: int

    def covers(self, label_ids: Iterable[int]) -> bool:
        """Whether everything under `label_ids` may be read."""
        return self.label_ids.issuperset(label_ids)

    def narrowed_to(self, other: "Clearance") -> "Clearance":
        """What both may read. Two clearances of different workspaces share nothing."""
        shared = (
            self.label_ids & other.label_ids if self.workspace_id == other.workspace_id else frozenset[int]()
        )
        return Clearance(self.workspace_id, shared, self.policy_version)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that tell two clearances apart without naming a label."""
        text = f"{self.workspace_id}:{','.join(map(str, sorted(self.label_ids)))}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class LabelIndex:
    """Labels arranged by the roles that they ask for, so that finding what somebody may read costs little.

    Each clause is filed under one of the roles that it needs: whoever lacks that role cannot satisfy it.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        asked = Counter(role for policy in labels.values() for c in policy.clauses for role in c.all_of)
        self._by_role: dict[str, list[tuple[Clause, int]]] = {}
        self._alone: dict[str, set[int]] = {}
        self._remembered = lru_cache(REMEMBERED_ROLE_SETS)(self._found_for)
        for label_id, policy in labels.items():
            for clause in policy.clauses:
                self._file(clause, label_id, asked)

    def _file(self, clause: Clause, label_id: int, asked: Counter[str]) -> None:
        if not clause.all_of:
            return  # it admits nobody
        rarest = min(clause.all_of, key=lambda role: (asked[role], role))
        if len(clause.all_of) == 1 and not clause.none_of:
            self._alone.setdefault(rarest, set()).add(label_id)
        else:
            self._by_role.setdefault(rarest, []).append((clause, label_id))

    def readable(self, roles: frozenset[str]) -> frozenset[int]:
        """The labels that admit somebody who holds `roles`."""
        return self._remembered(roles)

    def _found_for(self, roles: frozenset[str]) -> frozenset[int]:
        found: set[int] = set()
        for role in roles:
            found |= self._alone.get(role, frozenset())
            found.update(label_id for clause, label_id in self._by_role.get(role, ()) if clause.admits(roles))
        return frozenset(found)

    def readable_by_all(self, role_sets: Iterable[frozenset[str]]) -> frozenset[int]:
        """The labels that admit every member of an audience, given the roles of each.

        Costs what the distinct role sets cost, not the members. An audience of nobody may read nothing.
        """
        distinct = set(role_sets)
        if not distinct:
            return frozenset()
        return frozenset.intersection(*(self.readable(roles) for roles in distinct))


@dataclass(frozen=True)
class Standing:
    """What may be decided from at one moment: inheritance, labels, and the version they were read at."""

    workspace_id: int
    inheritance: Inheritance
    index: LabelIndex
    policy_version: int

    def clearance(self, roles: frozenset[str]) -> Clearance:
        return Clearance(self.workspace_id, self.index.readable(roles), self.policy_version)

    def audience_clearance(self, role_sets: Iterable[frozenset[str]]) -> Clearance:
        return Clearance(self.workspace_id, self.index.readable_by_all(role_sets), self.policy_version)
