"""Every answer that was sent carries a proof that it was right for whoever heard it. Here the proofs are checked.

From the audit log the directory is put together as it was when the answer was last looked at before sending, the
clearance of those who heard it is worked out anew, and everything the answer was made from must lie within it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import ANSWER_SENT, ANSWER_UNSENT, withdrawn_before
from auth.database import WORKSPACE, Database
from auth.history import Labelled, began, labels_over_time
from bot.moments import CLOCKS_APART, Moment, faults_of_audience, moment_of

PAGE = 500

_SENT = text(f"""
    SELECT a.id, a.question_id, a.part, a.label_ids, a.cited_label_ids, a.document_ids, a.chunk_ids, a.model,
        a.policy_version, a.clearance, a.audience_id, a.checked_at, a.created_at, q.asker_slack_id AS asker,
        h.members, h.every_member, h.complete, h.fingerprint, e.details
    FROM bot.answer a
        JOIN bot.question q ON q.workspace_id = a.workspace_id AND q.id = a.question_id
        LEFT JOIN auth.audience h ON h.workspace_id = a.workspace_id AND h.id = a.audience_id
        LEFT JOIN (
            SELECT (details ->> 'answer')::bigint AS answer_id, jsonb_agg(details ORDER BY seq) AS details
            FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND kind = '{ANSWER_SENT}' GROUP BY 1
        ) e ON e.answer_id = a.id
    WHERE a.workspace_id = {WORKSPACE} AND a.message_ts IS NOT NULL
        AND (CAST(:since AS timestamptz) IS NULL OR coalesce(a.checked_at, a.created_at) >= :since)
    ORDER BY a.policy_version, a.id
""")


# The log is only ever added to; what it says was sent must be there, unless it also says that it did not get out.
_GONE = text(f"""
    SELECT (e.details ->> 'answer')::bigint AS answer_id, (e.details ->> 'question')::bigint AS question_id
    FROM auth.audit_event e
    WHERE e.workspace_id = {WORKSPACE} AND e.kind = '{ANSWER_SENT}' AND e.details IS NOT NULL
        AND (CAST(:since AS timestamptz) IS NULL OR e.at >= :since)
        AND NOT EXISTS (SELECT FROM bot.answer a
            WHERE a.workspace_id = e.workspace_id AND a.id = (e.details ->> 'answer')::bigint)
        AND NOT EXISTS (SELECT FROM auth.audit_event u
            WHERE u.workspace_id = e.workspace_id AND u.kind = '{ANSWER_UNSENT}'
                AND u.details -> 'answer' = e.details -> 'answer')
    ORDER BY e.seq
""")


@dataclass(frozen=True)
class Wrong:
    """An answer that was not right for its audience, or cannot be shown to have been: why, in sentences."""

    answer_id: int
    question_id: int
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"Answer {self.answer_id} (to question {self.question_id}): {' '.join(self.reasons)}"


@dataclass(frozen=True)
class Report:
    """How many answers were checked, which are wrong, and how many are older than the proofs or their details."""

    checked: int
    wrong: tuple[Wrong, ...]
    unproven: int = 0
    """Sent by a version that kept no proofs yet."""
    withdrawn: int = 0
    """Whose events lost their details, their time being over; all else of them was checked."""


async def check_answers(database: Database, workspace_id: int, since: datetime | None = None) -> Report:
    """Check every answer that was sent (since a moment, if given) against the rights of its own moment."""
    async with database.deciding_in(workspace_id) as connection:
        checker = _Checker(connection)
        await checker.begin()
        async for page in _pages(connection, since):
            await checker.check(page)
        checker.add_gone((await connection.execute(_GONE, {"since": since})).all())
    return checker.report()


async def _pages(connection: AsyncConnection, since: datetime | None) -> AsyncIterator[Sequence[Row[Any]]]:
    answers = await connection.stream(_SENT, {"since": since}, execution_options={"yield_per": PAGE})
    async for page in answers.partitions():
        yield page


class _Checker:
    """Follows history from version to version, and judges each answer where it stands."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._began: datetime | None = None
        self._allowed: datetime | None = None
        self._moment: Moment | None = None
        self._checked = self._unproven = self._withdrawn = 0
        self._wrong: list[Wrong] = []

    async def begin(self) -> None:
        self._began = await began(self._connection)
        self._allowed = await withdrawn_before(self._connection)

    async def check(self, answers: Sequence[Row[Any]]) -> None:
        documents = {document_id for answer in answers for document_id in answer.document_ids}
        labelled = await labels_over_time(self._connection, documents)
        for answer in answers:
            reasons = await self._reasons(answer, labelled)
            if reasons:
                self._wrong.append(Wrong(answer.id, answer.question_id, tuple(reasons)))

    def add_gone(self, answers: Sequence[Row[Any]]) -> None:
        reason = "The log says that it was sent, and its record was removed."
        self._wrong += [Wrong(gone.answer_id, gone.question_id, (reason,)) for gone in answers]

    def report(self) -> Report:
        return Report(self._checked, tuple(self._wrong), self._unproven, self._withdrawn)

    async def _reasons(self, answer: Row[Any], labelled: Mapping[int, Sequence[Labelled]]) -> list[str]:
        if answer.checked_at is None:
            if self._began is not None and answer.created_at < self._began:
                self._unproven += 1
                return []
            self._checked += 1
            return ["It was sent without a last look at the rights of those who hear it."]
        self._checked += 1
        if answer.members is None:
            return ["It is not known who heard it.", *self._faults_of_event(answer)]
        moment = await self._at(answer.policy_version)
        return [
            *faults_of_audience(answer),
            *self._faults_of_event(answer),
            *moment.faults(answer, labelled),
        ]

    async def _at(self, version: int) -> "Moment":
        if self._moment is None or self._moment.version != version:
            self._moment = await moment_of(self._connection, version, self._moment)
        return self._moment

    def _faults_of_event(self, answer: Row[Any]) -> list[str]:
        if not answer.details:
            if self._allowed is not None and answer.checked_at - CLOCKS_APART < self._allowed:
                self._withdrawn += 1
                return []
            return ["The audit log has no event of its sending."]
        kept = {
            "question": answer.question_id,
            "part": answer.part,
            "audience": answer.audience_id,
            "asker": answer.asker,
            "clearance": answer.clearance,
            "policy_version": answer.policy_version,
            "labels": answer.label_ids,
            "documents": answer.document_ids,
            "chunks": answer.chunk_ids,
            "model": answer.model,
        }
        unlike = sorted({name for said in answer.details for name in kept if said.get(name) != kept[name]})
        return [f"The event of its sending says otherwise of: {', '.join(unlike)}."] if unlike else []
