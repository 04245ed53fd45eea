"""Approving an answer: what the bot said, and somebody who knows says is right, becomes a passage of its own.

Whoever approves must own all that it was made from, or administer; and must be able to read it, which an
administrator need not be. Nobody's readers widen: it is readable where all of its sources are.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database
from auth.errors import OstiaryError
from auth.labels import NOBODY, Policy
from auth.rights import Rights, rights_of
from retrieval.approved import SCHEME, Grounds, MadeFrom, grounds_of
from retrieval.ingestion import Ingestor, Submission

LONGEST_QUESTION, LONGEST_TEXT = 300, 4000
_PUBLIC = "channel"
_MARKS = re.compile(r"\s*\[\d+\]")
# What everybody was told before what its asker was told alone.
_SAID = text(
    "SELECT a.id, a.part, a.label_ids, a.chunk_ids, q.text AS question, q.channel_type, q.asker_slack_id"
    " FROM bot.answer a JOIN bot.question q ON q.workspace_id = a.workspace_id AND q.id = a.question_id"
    f" WHERE a.workspace_id = {WORKSPACE} AND a.question_id = :question_id AND a.message_ts IS NOT NULL"
    "  AND (CAST(:answer_id AS bigint) IS NULL OR a.id = :answer_id)"
    " ORDER BY a.part = 'channel' DESC, a.id DESC"
)
_WORDS = text(f"SELECT text FROM bot.answer WHERE workspace_id = {WORKSPACE} AND id = :id")
_NOT_OWNED = text(
    "SELECT count(*) FROM retrieval.document d LEFT JOIN retrieval.collection c"
    "   ON c.workspace_id = d.workspace_id AND c.id = d.collection_id"
    f" WHERE d.workspace_id = {WORKSPACE} AND d.id = ANY(:ids) AND NOT coalesce(d.owner_id = :person_id, false)"
    "  AND NOT coalesce(d.owner_role = ANY(:roles), false) AND NOT coalesce(c.owner_role = ANY(:roles), false)"
)


class CannotApprove(OstiaryError):
    """An answer that this person cannot approve, or that nobody can; the message says why."""


@dataclass(frozen=True)
class Approvable:
    """An answer that somebody may approve: in whose words, from what.

    `question` is empty where it was asked among people of whom the readers of the answer may be none: whoever
    approves it says it in words of their own.
    """

    answer_id: int
    question: str
    text: str
    made_from: MadeFrom


@dataclass(frozen=True)
class Approved:
    """An answer that is a document now, and who may read it."""

    document_id: int
    title: str
    readers: Policy


class Approvals:
    """The approved answers of one workspace."""

    def __init__(self, database: Database, workspace_id: int, ingestor: Ingestor) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._ingestor = ingestor

    async def approvable(self, question_id: int, user_id: str, shown_id: int | None = None) -> Approvable:
        """The answer to a question, if this person may approve it. Raises CannotApprove, SourcesChanged.

        `shown_id`: the answer's number, where they have it before their eyes; else it must be public, or theirs.
        """
        rights = await rights_of(self._database, self._workspace_id, user_id)
        said = await self._said(question_id, rights, shown_id) if rights else None
        if rights is None or said is None:
            raise CannotApprove(f"There is no answer to question {question_id} that you can read.")
        async with self._database.writing_in(self._workspace_id) as connection:
            grounds = await grounds_of(connection, said.chunk_ids, said.label_ids)
            await _require_right(connection, rights, grounds)
        async with self._database.reading_as(rights.clearance) as reader:
            words = (await reader.execute(_WORDS, {"id": said.id})).scalar()
        if not words:
            raise CannotApprove(
                "The words of this answer are not kept any more. Ask again, then approve that."
            )
        is_theirs = said.asker_slack_id == user_id or said.channel_type == _PUBLIC
        return Approvable(
            said.id,
            said.question[:LONGEST_QUESTION] if is_theirs else "",
            _MARKS.sub("", words),
            MadeFrom(tuple(said.chunk_ids), frozenset(said.label_ids), grounds),
        )

    async def approve(
        self,
        question_id: int,
        user_id: str,
        question: str | None = None,
        answer: str | None = None,
        shown_id: int | None = None,
    ) -> Approved:
        """Store the answer to a question, in other words where some are given. Raises as `approvable` does."""
        found = await self.approvable(question_id, user_id, shown_id)
        question, answer = (question or found.question).strip(), (answer or found.text).strip()
        if not question:
            raise CannotApprove(
                "This was not asked in a public channel. Say the question in words that all readers of the answer"
                " may read."
            )
        if len(question) > LONGEST_QUESTION or len(answer) > LONGEST_TEXT:
            raise CannotApprove(
                f"A question has {LONGEST_QUESTION} characters at most, an answer {LONGEST_TEXT:,}. Shorten it."
            )
        submission = Submission(
            uri=f"{SCHEME}{found.answer_id}",
            name=f"answer-{found.answer_id}.txt",
            data=answer.encode(),
            label_id=0,  # the policy names it
            title=question,
            added_by=user_id,
            actor=user_id,
            policy=found.made_from.grounds.readers,
        )
        outcome = await self._ingestor.ingest(self._workspace_id, submission, entry=found.made_from)
        return Approved(outcome.document_id, outcome.title, found.made_from.grounds.readers)

    async def _said(self, question_id: int, rights: Rights, shown_id: int | None) -> Row[Any] | None:
        """The answer that this person was told, or could have been; what an asker was told alone is theirs."""
        wanted = {"question_id": question_id, "answer_id": shown_id}
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = (await connection.execute(_SAID, wanted)).all()
        for row in rows:
            is_theirs = row.asker_slack_id == rights.person.slack_user_id
            is_shown = row.part == "channel" and (shown_id is not None or row.channel_type == _PUBLIC)
            if (is_theirs or is_shown) and rights.clearance.covers(row.label_ids):
                return row
        return None


async def _require_right(connection: AsyncConnection, rights: Rights, grounds: Grounds) -> None:
    if grounds.readers == NOBODY:
        raise CannotApprove("Nobody may read all that this answer was made from, so nobody would be told it.")
    if rights.is_admin:
        return
    values = {
        "ids": [source.document_id for source in grounds.sources],
        "person_id": rights.person.id,
        "roles": sorted(rights.roles),
    }
    if (await connection.execute(_NOT_OWNED, values)).scalar_one():
        raise CannotApprove(
            "You do not own all that this answer was made from. Its owners, or an administrator, can approve it."
        )
