"""The directory as it was at some moment, put together from the audit log. Decides as the present does.

Each change that the log recorded says what a row was and what it became; applied in their order, from the
beginning or from a moment on, they give the directory again. Nothing here looks at a database.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from auth.clearance import Clearance, LabelIndex, Standing
from auth.labels import Policy, parse_policy
from auth.people import GUESTS, Grant, Person, PersonKind, roles_held
from auth.rights import Audience, nothing
from auth.roles import EVERYONE, Inheritance
from auth.sources import SourceKind

Row = Mapping[str, Any]
DECIDING = frozenset(
    {
        "person",
        "grant",
        "role_inherits",
        "access_label",
        "role_source",
        "role_source_member",
        "role_source_role",
    }
)
"""What decides who may read a label. What decides which label a document has is `document` alone."""
REMEMBERED = DECIDING | {"role", "collection", "document"}
"""Every relation whose changes the log records."""


@dataclass(frozen=True)
class RecordedChange:
    """What one event says of one row. `change_id` is the same for all that one transaction changed."""

    seq: int
    at: datetime
    policy_version: int
    change_id: int
    relation: str
    subject: str
    was: Row | None
    becomes: Row | None


@dataclass(frozen=True)
class PastDocument:
    """A document as the log knows it: no title and no text."""

    id: int
    label_id: int
    uri: str
    collection_id: int | None
    withdrawn: bool = False


@dataclass(frozen=True)
class PastSource:
    """A group, a channel or a flag that roles came from. One that is not noted as lapsed counts as fresh."""

    id: int
    kind: SourceKind
    reference: str
    name: str
    lapsed: bool


@dataclass
class PastState:
    """The directory as it was right after event `seq`; `apply` takes it further."""

    workspace_id: int
    seq: int = 0
    policy_version: int = 0
    roles: dict[str, str] = field(default_factory=dict)
    """role -> its description."""
    people: dict[int, Person] = field(default_factory=dict)
    labels: dict[int, Policy] = field(default_factory=dict)
    documents: dict[int, PastDocument] = field(default_factory=dict)
    collections: dict[int, str] = field(default_factory=dict)
    """collection id -> its name."""
    sources: dict[int, PastSource] = field(default_factory=dict)
    granted: dict[int, dict[str, Grant]] = field(default_factory=dict)
    """person id -> what they were given by hand, by file or on loan."""
    members: dict[str, set[int]] = field(default_factory=dict)
    """Slack user id -> the sources they are in."""
    mapped: dict[int, dict[str, bool]] = field(default_factory=dict)
    """source id -> role -> whether guests hold it too."""
    inherited: set[tuple[str, str]] = field(default_factory=set)

    def apply(self, change: RecordedChange) -> None:
        """Take over what one event says."""
        row = change.becomes if change.becomes is not None else change.was
        if row is not None:
            _APPLIED[change.relation](self, row, change.becomes is None)
        self.seq, self.policy_version = change.seq, change.policy_version
        for derived in _DERIVED.get(change.relation, ()):
            self.__dict__.pop(derived, None)

    def apply_all(self, changes: Iterable[RecordedChange]) -> None:
        for change in changes:
            self.apply(change)

    @cached_property
    def by_slack_id(self) -> Mapping[str, Person]:
        return {person.slack_user_id: person for person in self.people.values()}

    @cached_property
    def inheritance(self) -> Inheritance:
        links: dict[str, frozenset[str]] = {}
        for role, inherits in self.inherited:
            links[role] = links.get(role, frozenset()) | {inherits}
        return links

    @cached_property
    def index(self) -> LabelIndex:
        return LabelIndex(self.labels)

    @property
    def standing(self) -> Standing:
        return Standing(self.workspace_id, self.inheritance, self.index, self.policy_version)

    def grants_of(self, person: Person, without: Collection[int] = ()) -> list[Grant]:
        """Everything that a person was given, in force or not, but for what comes from the sources `without`."""
        grants = list(self.granted.get(person.id, {}).values())
        joined = self.members.get(person.slack_user_id, set())
        for source in self.sources.values():
            if source.lapsed or source.id in without:
                continue
            if source.id in joined or _has_flag(person, source):
                grants += [Grant(role, None, too) for role, too in self.mapped.get(source.id, {}).items()]
        return grants

    def roles_of(self, person: Person, now: datetime, without: Collection[int] = ()) -> frozenset[str]:
        """The roles that somebody held."""
        return roles_held(person, self.grants_of(person, without), self.inheritance, now)

    def audience_clearance(
        self, audience: Audience, now: datetime, without: Collection[int] = ()
    ) -> Clearance:
        """What every single one of an audience could read. Anybody unknown in it: nothing."""
        named = [self.by_slack_id.get(slack_user_id) for slack_user_id in audience.slack_user_ids]
        known = {person for person in named if person is not None}
        if not audience.complete or len(known) != len(named):
            return nothing(self.workspace_id)
        role_sets = set[frozenset[str]]()
        if audience.every_member:
            known |= {p for p in self.people.values() if p.active and p.kind is PersonKind.MEMBER}
            role_sets.add(frozenset({EVERYONE}))
        role_sets |= {self.roles_of(person, now, without) for person in known}
        return self.standing.audience_clearance(role_sets)


def _has_flag(person: Person, source: PastSource) -> bool:
    if source.kind is not SourceKind.FLAG:
        return False
    return {
        "admin": person.is_workspace_admin,
        "owner": person.is_workspace_owner,
        "member": person.kind is PersonKind.MEMBER,
        "guest": person.kind in GUESTS,
    }.get(source.reference, False)


def _person(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.people.pop(row["id"], None)
        return
    facts = {**row, "workspace_id": state.workspace_id, "kind": PersonKind(row["kind"])}
    state.people[row["id"]] = Person(**{name: facts[name] for name in Person.__dataclass_fields__})


def _grant(state: PastState, row: Row, gone: bool) -> None:
    given = state.granted.setdefault(row["person_id"], {})
    way = f"{row['role']}:{row['source']}"
    if gone:
        given.pop(way, None)
        return
    expires_at = row["expires_at"] and datetime.fromisoformat(row["expires_at"])
    given[way] = Grant(row["role"], expires_at)


def _inherits(state: PastState, row: Row, gone: bool) -> None:
    link = (row["role"], row["inherits"])
    (state.inherited.discard if gone else state.inherited.add)(link)


def _role(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.roles.pop(row["name"], None)
    else:
        state.roles[row["name"]] = row["description"]


def _label(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.labels.pop(row["id"], None)
    else:
        state.labels[row["id"]] = parse_policy(row["policy"])


def _source(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.sources.pop(row["id"], None)
        return
    kind = SourceKind(row["kind"])
    state.sources[row["id"]] = PastSource(row["id"], kind, row["reference"], row["name"], row["lapsed"])


def _member(state: PastState, row: Row, gone: bool) -> None:
    joined = state.members.setdefault(row["slack_user_id"], set())
    (joined.discard if gone else joined.add)(row["source_id"])


def _mapping(state: PastState, row: Row, gone: bool) -> None:
    roles = state.mapped.setdefault(row["source_id"], {})
    if gone:
        roles.pop(row["role"], None)
    else:
        roles[row["role"]] = row["guests_too"]


def _collection(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.collections.pop(row["id"], None)
    else:
        state.collections[row["id"]] = row["name"]


def _document(state: PastState, row: Row, gone: bool) -> None:
    if gone:
        state.documents.pop(row["id"], None)
        return
    document = PastDocument(
        row["id"], row["label_id"], row["uri"], row.get("collection_id"), bool(row.get("withdrawn"))
    )
    state.documents[row["id"]] = document


_APPLIED = {
    "person": _person,
    "grant": _grant,
    "role_inherits": _inherits,
    "role": _role,
    "access_label": _label,
    "role_source": _source,
    "role_source_member": _member,
    "role_source_role": _mapping,
    "collection": _collection,
    "document": _document,
}
# What was worked out of a relation is worked out again once it changed.
_DERIVED = {"person": ("by_slack_id",), "role_inherits": ("inheritance",), "access_label": ("index",)}
