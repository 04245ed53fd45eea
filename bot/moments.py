"""What could be read at the moment of an answer, and why that answer was not right, if it was not."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, combinations
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audiences import fingerprint
from auth.clearance import Clearance
from auth.history import Labelled, VersionTimes, changes_between, lapses_to_come, state_at, times_of_version
from auth.past import DECIDING, PastState
from auth.rights import Audience

CLOCKS_APART = timedelta(minutes=1)
"""How far the bot's clock may be from the database's."""
JUDGED_WITHIN = timedelta(seconds=10)
"""How long after its moment a last look may have taken."""
SOURCES_DOUBTED = 5


def faults_of_audience(answer: Row[Any]) -> list[str]:
    """Whether those who heard an answer are those whom it was for."""
    audience = _audience(answer)
    if fingerprint(audience) != answer.fingerprint:
        return ["The record of who heard it was altered."]
    if answer.part == "asker" and audience != Audience(frozenset({answer.asker})):
        return ["It was for its asker alone, and others heard it."]
    if answer.asker not in audience.slack_user_ids:
        return ["Its asker is not among those who heard it."]
    return []


def _audience(answer: Row[Any]) -> Audience:
    return Audience(frozenset(answer.members), answer.every_member, answer.complete)


@dataclass(frozen=True)
class _Judged:
    """What those who heard an answer could read, and whether that is what the answer says."""

    clearance: Clearance
    as_said: bool


class Moment:
    """The directory as of one policy version, when that was in force, and which sources were about to lapse."""

    def __init__(self, version: int, state: PastState, times: VersionTimes, lapsing: Sequence[int]) -> None:
        self.version = version
        self.state = state
        self._times = times
        self._lapsing = lapsing
        self._known: dict[tuple[int, int, tuple[int, ...]], Clearance] = {}
        grants = chain.from_iterable(granted.values() for granted in state.granted.values())
        self._expiries = sorted(grant.expires_at for grant in grants if grant.expires_at is not None)

    def faults(self, answer: Row[Any], labelled: Mapping[int, Sequence[Labelled]]) -> list[str]:
        """Why an answer that was checked under this version was not right; it is known who heard it."""
        judged = self._judge(answer)
        return [
            *self._faults_of_time(answer),
            *self._faults_of_clearance(answer, judged),
            *chain.from_iterable(
                self._faults_of_document(answer, document_id, labelled[document_id], judged.clearance)
                for document_id in answer.document_ids
            ),
        ]

    def _faults_of_time(self, answer: Row[Any]) -> list[str]:
        """The version must have been in force when rights were last looked at."""
        if self.version == 0:
            return []  # somebody unknown, who may read nothing: no version decided that
        began, ended = self._times.began, self._times.ended
        if began is None or answer.checked_at + CLOCKS_APART < began:
            return [f"There was no policy version {self.version} yet when it was checked."]
        if ended is not None and ended + CLOCKS_APART < answer.checked_at:
            return [f"Rights had changed: its policy version {self.version} was over when it was checked."]
        return []

    def _faults_of_clearance(self, answer: Row[Any], judged: _Judged) -> list[str]:
        faults = []
        if not judged.as_said:
            faults.append("Its clearance is not what those who heard it could read together.")
        for said, label_ids in (("was made from", answer.label_ids), ("cites", answer.cited_label_ids)):
            beyond = sorted(set(label_ids) - judged.clearance.label_ids)
            if beyond:
                faults.append(
                    f"It {said} what is for {self._policies(beyond)}; not all who heard it could read that."
                )
        return faults

    def _faults_of_document(
        self, answer: Row[Any], document_id: int, over_time: Sequence[Labelled], clearance: Clearance
    ) -> list[str]:
        """By the document's own label at that moment, whatever the answer noted of it."""
        stood = [label for label in over_time if label.policy_version <= self.version]
        labels = [label.label_id for label in stood if label.label_id is not None]
        if not labels:
            return [f"Document {document_id}, which it was made from, was not there yet."]
        last = stood[-1]
        surely_before = last.policy_version < self.version or last.at + CLOCKS_APART < answer.checked_at
        if last.label_id is None and surely_before:
            return [f"Document {document_id}, which it was made from, was deleted before."]
        if not clearance.covers(labels[-1:]):
            readers = self._policies(labels[-1:])
            return [
                f"Document {document_id} was for {readers}; not all who heard the answer could read that."
            ]
        return []

    def _judge(self, answer: Row[Any]) -> _Judged:
        """What those who heard it could read: what the answer says, if that may be so.

        A look takes a while, and the log notes late that a source of roles is too old: what was so a moment later,
        or without the sources that lapsed next, is as true.
        """
        for now in (answer.checked_at, answer.checked_at + JUDGED_WITHIN):
            for without in _subsets(self._lapsing):
                clearance = self._clearance(answer, now, without)
                if clearance.fingerprint == answer.clearance:
                    return _Judged(clearance, as_said=True)
        return _Judged(self._clearance(answer, answer.checked_at, ()), as_said=False)

    def _clearance(self, answer: Row[Any], now: datetime, without: tuple[int, ...]) -> Clearance:
        """Worked out once for each audience between two moments at which some grant ran out."""
        key = (answer.audience_id, bisect_right(self._expiries, now), without)
        if key not in self._known:
            self._known[key] = self.state.audience_clearance(_audience(answer), now, without)
        return self._known[key]

    def _policies(self, label_ids: Sequence[int]) -> str:
        return "; ".join(str(self.state.labels.get(i, f"label {i}, which was not there")) for i in label_ids)


def _subsets(sources: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """None of them, all, and, unless they are many, whatever lies between."""
    if len(sources) > SOURCES_DOUBTED:
        return iter([(), tuple(sources)])
    return chain.from_iterable(combinations(sources, size) for size in range(len(sources) + 1))


async def moment_of(connection: AsyncConnection, version: int, before: Moment | None) -> Moment:
    """History at a version, taken up from an earlier one where there is one."""
    times = await times_of_version(connection, version)
    if before is None:
        state = await state_at(connection, policy_version=version, relations=DECIDING)
    else:
        state = before.state
        async for together in changes_between(connection, state.seq, times.last_seq, DECIDING):
            state.apply_all(together)
    state.seq, state.policy_version = times.last_seq, version
    return Moment(version, state, times, await lapses_to_come(connection, times.last_seq))
