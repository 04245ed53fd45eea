"""Clearances: the labels a reader, or a whole audience, may see. Pure decisions over values."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auth.labels import Policy

Labels = Mapping[int, Policy]
"""label id -> its policy."""


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

    @property
    def fingerprint(self) -> str:
        """16 hex digits that tell two clearances apart without naming a label."""
        text = f"{self.workspace_id}:{','.join(map(str, sorted(self.label_ids)))}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def readable_labels(roles: frozenset[str], labels: Labels) -> frozenset[int]:
    """The labels that admit somebody who holds `roles`."""
    return frozenset(label_id for label_id, policy in labels.items() if policy.admits(roles))


def audience_labels(role_sets: Iterable[frozenset[str]], labels: Labels) -> frozenset[int]:
    """The labels that admit every member of an audience, given the roles of each.

    Costs what the distinct role sets cost, not the members. An audience of nobody may read nothing.
    """
    distinct = set(role_sets)
    if not distinct:
        return frozenset()
    return frozenset.intersection(*(readable_labels(roles, labels) for roles in distinct))
