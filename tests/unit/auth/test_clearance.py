"""What a reader, and what a whole audience, may read."""

from hypothesis import given
from hypothesis import strategies as st

from auth.clearance import Clearance, LabelIndex
from auth.labels import NOBODY, Clause, Policy, parse_policy

LABELS = {
    1: parse_policy("everyone"),
    2: parse_policy("finance"),
    3: parse_policy("finance+leadership"),
    4: parse_policy("everyone+!finance"),
    5: NOBODY,
}
MEMBER = frozenset({"everyone"})
ACCOUNTANT = frozenset({"everyone", "finance"})

roles = st.frozensets(st.sampled_from(["everyone", "guest", "finance", "hr", "lead"]))
clauses = st.builds(Clause, roles, roles)
labels_drawn = st.dictionaries(
    st.integers(1, 20), st.builds(Policy, st.frozensets(clauses, max_size=3)), max_size=6
)


class Counting(LabelIndex):
    """Labels that count how often they are evaluated."""

    evaluations = 0

    def readable(self, roles: frozenset[str]) -> frozenset[int]:
        self.evaluations += 1
        return super().readable(roles)


def test_a_reader_sees_the_labels_whose_policy_admits_them() -> None:
    assert LabelIndex(LABELS).readable(MEMBER) == {1, 4}
    assert LabelIndex(LABELS).readable(ACCOUNTANT) == {1, 2}


def test_whoever_holds_nothing_reads_nothing() -> None:
    assert LabelIndex(LABELS).readable(frozenset()) == frozenset()


def test_an_audience_of_nobody_reads_nothing() -> None:
    assert LabelIndex(LABELS).readable_by_all([]) == frozenset()


def test_an_audience_reads_what_every_one_of_it_may_read() -> None:
    assert LabelIndex(LABELS).readable_by_all([MEMBER, ACCOUNTANT]) == {1}


def test_one_person_without_rights_empties_an_audience() -> None:
    assert LabelIndex(LABELS).readable_by_all([ACCOUNTANT, frozenset(), MEMBER]) == frozenset()


def test_an_audience_costs_its_distinct_role_sets_and_not_its_members() -> None:
    index = Counting(LABELS)
    index.readable_by_all([MEMBER, ACCOUNTANT] * 5000)
    assert index.evaluations == 2


def test_a_clearance_covers_what_stands_wholly_under_its_labels() -> None:
    clearance = Clearance(1, frozenset({1, 2}), 7)
    assert clearance.covers([1, 2])
    assert not clearance.covers([1, 3])


def test_an_empty_clearance_covers_no_label() -> None:
    assert not Clearance(1, frozenset(), 7).covers([1])


def test_a_fingerprint_tells_labels_and_workspaces_apart_and_nothing_else() -> None:
    fingerprint = Clearance(1, frozenset({12, 3}), 7).fingerprint
    assert fingerprint == Clearance(1, frozenset({3, 12}), 8).fingerprint
    assert fingerprint != Clearance(1, frozenset({1, 23}), 7).fingerprint
    assert fingerprint != Clearance(2, frozenset({12, 3}), 7).fingerprint
    assert len(fingerprint) == 16
    assert int(fingerprint, 16) >= 0


@given(st.lists(roles, max_size=5), labels_drawn)
def test_no_member_of_an_audience_is_shown_more_than_alone(
    members: list[frozenset[str]], labels: dict[int, Policy]
) -> None:
    together = LabelIndex(labels).readable_by_all(members)
    assert all(together <= LabelIndex(labels).readable(member) for member in members)


@given(st.lists(roles, min_size=1, max_size=5), labels_drawn)
def test_what_every_member_may_read_is_kept_from_no_audience(
    members: list[frozenset[str]], labels: dict[int, Policy]
) -> None:
    shared = {label for label, policy in labels.items() if all(policy.admits(member) for member in members)}
    assert LabelIndex(labels).readable_by_all(members) == shared


@given(st.lists(roles, min_size=1, max_size=5), roles, labels_drawn)
def test_another_member_never_widens_an_audience(
    members: list[frozenset[str]], another: frozenset[str], labels: dict[int, Policy]
) -> None:
    assert LabelIndex(labels).readable_by_all([*members, another]) <= LabelIndex(labels).readable_by_all(
        members
    )
