"""Who could read a document, and when: the directory followed from change to change. Decides, reads nothing."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from auth.past import PastState, RecordedChange
from auth.people import Person


@dataclass(frozen=True)
class Could:
    """Somebody could read a document from `since` until just before `until`, by holding these roles."""

    slack_user_id: str
    handle: str
    name: str
    roles: frozenset[str]
    since: datetime
    until: datetime


class Watch:
    """Follows one document through a stretch of history: at its start, after each change, at each expiry."""

    def __init__(self, state: PastState, document_id: int, start: datetime) -> None:
        self._state = state
        self._document_id = document_id
        self._open: dict[int, tuple[Person, frozenset[str], datetime]] = {}
        self._found: list[Could] = []
        self._expiries: list[tuple[datetime, int]] = []
        self._look(state.people, start)

    def follow(self, changes: Sequence[RecordedChange]) -> None:
        """Take over what one transaction changed: what stood in its midst was never in force."""
        moment = changes[-1].at
        self._expire(moment)
        affected = self._affected(changes)
        self._state.apply_all(changes)
        self._look(set(self._state.people) | set(self._open) if affected is None else affected, moment)

    def finish(self, end: datetime) -> list[Could]:
        """Everything that was found, in the order in which it began."""
        self._expire(end)
        for person_id in list(self._open):
            self._close(person_id, end)
        return sorted(self._found, key=lambda could: (could.since, could.handle, could.slack_user_id))

    def _affected(self, changes: Iterable[RecordedChange]) -> set[int] | None:
        """Whose rights these may change; None for everybody's."""
        people = set[int]()
        for change in changes:
            row = change.becomes or change.was or {}
            if change.relation == "person":
                people.add(row["id"])
            elif change.relation == "grant":
                people.add(row["person_id"])
            elif change.relation == "role_source_member":
                person = self._state.by_slack_id.get(row["slack_user_id"])
                people |= {person.id} if person else set()
            elif change.relation != "access_label" or row["id"] == self._label_id:
                return None
        return people

    @property
    def _label_id(self) -> int | None:
        document = self._state.documents.get(self._document_id)
        return document.label_id if document and not document.withdrawn else None

    def _expire(self, until: datetime) -> None:
        while self._expiries and self._expiries[0][0] <= until:
            moment, person_id = heapq.heappop(self._expiries)
            self._look({person_id}, moment)

    def _look(self, people: Iterable[int], moment: datetime) -> None:
        for person_id in people:
            person = self._state.people.get(person_id)
            why = self._why(person, moment) if person else frozenset[str]()
            known = self._open.get(person_id)
            if known is not None and known[1] != why:
                self._close(person_id, moment)
            if person is not None and why and person_id not in self._open:
                self._open[person_id] = (person, why, moment)

    def _why(self, person: Person, moment: datetime) -> frozenset[str]:
        """The roles by which somebody may read the document then; none if they may not."""
        policy = self._state.labels.get(self._label_id) if self._label_id is not None else None
        if policy is None:
            return frozenset()
        ends = [grant.expires_at for grant in self._state.grants_of(person) if grant.expires_at is not None]
        for end in ends:
            if end > moment:
                heapq.heappush(self._expiries, (end, person.id))
        roles = self._state.roles_of(person, moment)
        admitting = [clause.all_of for clause in policy.clauses if clause.admits(roles)]
        return frozenset[str]().union(*admitting)

    def _close(self, person_id: int, moment: datetime) -> None:
        person, roles, since = self._open.pop(person_id)
        if since < moment:
            could = Could(person.slack_user_id, person.handle, person.name, roles, since, moment)
            self._found.append(could)
