"""What was said before a question where it was asked, as far as those who will hear its answer may know it.

Earlier questions stand in the place itself, to be read by whoever reads there. An earlier answer counts only where
the present clearance opens every label that it was made from and every passage that it cited, as they are labelled
now; and what somebody was told alone never counts for everybody.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import WORKSPACE, Database
from bot import metrics
from bot.answering.follow_ups import leans
from bot.answering.turns import Turn
from bot.slack.questions import Question
from retrieval.locks import FoundRow, LocksDisagree, insist_on
from retrieval.retriever import Library

REMEMBERED = 4
"""Earlier questions that are looked at."""
RECENT = "30 minutes"
"""How long a direct message outside of threads is remembered."""

# Of a thread, what began it and what was asked in it; of a direct message, what was asked beside it not long ago.
_EARLIER = text(
    "SELECT q.id, q.text, q.asker_slack_id FROM bot.question q"
    f" WHERE q.workspace_id = {WORKSPACE} AND q.channel_id = :channel_id AND q.purpose = 'question'"
    "  AND q.id <> :id AND q.message_ts < :message_ts AND q.text <> '' AND q.text <> :text"
    "  AND q.state <> 'dropped'"
    "  AND CASE WHEN CAST(:thread_ts AS text) IS NULL THEN q.thread_ts IS NULL"
    f"    AND q.received_at > now() - interval '{RECENT}'"
    "   ELSE coalesce(q.thread_ts, q.message_ts) = CAST(:thread_ts AS text) END"
    " ORDER BY q.message_ts DESC LIMIT :limit"
)
# The application's lock beside that of row-level security, which compares the same again.
_ANSWERS = text(
    "SELECT a.id, a.workspace_id, a.question_id, a.part, a.text, a.label_ids, a.chunk_ids FROM bot.answer a"
    " WHERE a.workspace_id = :workspace_id AND a.question_id = ANY(:question_ids) AND a.part = ANY(:parts)"
    "  AND a.message_ts IS NOT NULL AND NOT a.taken_back AND a.text <> '' AND cardinality(a.label_ids) > 0"
    "  AND a.label_ids <@ CAST(:label_ids AS bigint[])"
    " ORDER BY a.id"
)
CHANNEL, ASKER = "channel", "asker"


class Conversation:
    """Reads what was said before. One per workspace."""

    def __init__(self, database: Database, workspace_id: int, library: Library) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._library = library

    async def before(self, question: Question, part: str, clearance: Clearance) -> tuple[Turn, ...]:
        """What a question may lean on, the oldest first; nothing where it stands alone anyhow.

        `part` is channel, for everybody in the place, or asker; `clearance` that of whoever will hear the answer.
        """
        if not leans(question.text):
            return ()
        rows = await self._earlier(question)
        mine = {row.id for row in rows if row.asker_slack_id == question.asker_slack_id}
        try:
            answers = await self._answers([row.id for row in rows], clearance, part, mine) if rows else {}
        except (
            LocksDisagree
        ):  # an alarm for those who run the bot; here it is as if nothing had been answered
            metrics.LOCKS_DISAGREE.inc()
            answers = {}
        return tuple(_turn(row, answers.get(row.id)) for row in rows)

    async def _earlier(self, question: Question) -> Sequence[Any]:
        values = {
            "id": question.id,
            "channel_id": question.channel_id,
            "message_ts": question.message_ts,
            "thread_ts": question.thread_ts if question.place.is_direct else question.place.thread_ts,
            "text": question.text,
            "limit": REMEMBERED,
        }
        async with self._database.writing_in(self._workspace_id) as connection:
            return list((await connection.execute(_EARLIER, values)).all())[::-1]

    async def _answers(
        self, question_ids: Sequence[int], clearance: Clearance, part: str, mine: set[int]
    ) -> dict[int, Any]:
        """By question, the answer that may be leant on; what was told to one alone, only for that one."""
        values = {
            "workspace_id": clearance.workspace_id,
            "question_ids": list(question_ids),
            "parts": [CHANNEL] if part == CHANNEL else [CHANNEL, ASKER],
            "label_ids": sorted(clearance.label_ids),
        }
        async with self._database.reading_as(clearance) as reader:
            rows = (await reader.execute(_ANSWERS, values)).all()
        insist_on(clearance, [FoundRow(row.id, row.workspace_id, frozenset(row.label_ids)) for row in rows])
        return {
            row.question_id: row
            for row in rows
            if (row.part == CHANNEL or row.question_id in mine)
            and await self._library.admits(clearance, row.chunk_ids)
        }


def _turn(row: Any, answer: Any | None) -> Turn:
    if answer is None:
        return Turn(row.text)
    return Turn(row.text, answer.text, frozenset(answer.label_ids), tuple(answer.chunk_ids))
