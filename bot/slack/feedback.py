"""What people think of answers, and which answer it is that they mean: only one that they may still read."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import WORKSPACE, Database
from auth.rights import rights_of

_READ = text(
    "SELECT a.id, a.question_id, a.part, a.label_ids, q.channel_id, q.asker_slack_id,"
    "  CASE WHEN cardinality(a.numbered_chunk_ids) > 0 THEN a.numbered_chunk_ids ELSE a.chunk_ids END AS chunk_ids"
    " FROM bot.answer a JOIN bot.question q ON q.workspace_id = a.workspace_id AND q.id = a.question_id"
    f" WHERE a.workspace_id = {WORKSPACE} AND a.id = :id AND NOT a.taken_back"
)
# The last word of each: a reason belongs to the verdict that it was given with.
_GIVE = text(
    "INSERT INTO bot.feedback (workspace_id, answer_id, slack_user_id, question_id, verdict)"
    f" VALUES ({WORKSPACE}, :answer_id, :user_id, :question_id, :verdict)"
    " ON CONFLICT (workspace_id, answer_id, slack_user_id)"
    " DO UPDATE SET verdict = :verdict, reason = NULL, words = NULL, given_at = now()"
)
_EXPLAIN = text(
    "UPDATE bot.feedback SET reason = :reason, words = :words"
    f" WHERE workspace_id = {WORKSPACE} AND answer_id = :answer_id AND slack_user_id = :user_id"
    "  AND verdict = 'bad'"
)


@dataclass(frozen=True)
class ShownAnswer:
    """An answer that somebody may look at: where it stands, a chunk of each passage cited, their clearance."""

    id: int
    question_id: int
    channel_id: str
    chunk_ids: tuple[int, ...]
    clearance: Clearance


async def find_shown(
    database: Database, workspace_id: int, answer_id: int | None, user_id: str
) -> ShownAnswer | None:
    """An answer by an id that somebody wrote; None unless they may read now all that it was made from.

    What was told to its asker alone is nobody else's.
    """
    if answer_id is None:
        return None
    async with database.writing_in(workspace_id) as connection:
        row = (await connection.execute(_READ, {"id": answer_id})).first()
    rights = await rights_of(database, workspace_id, user_id)
    if row is None or rights is None or not rights.clearance.covers(row.label_ids):
        return None
    if row.part == "asker" and row.asker_slack_id != user_id:
        return None
    return ShownAnswer(row.id, row.question_id, row.channel_id, tuple(row.chunk_ids), rights.clearance)


async def give_feedback(connection: AsyncConnection, answer: ShownAnswer, user_id: str, verdict: str) -> None:
    """Somebody's last word on an answer: good or bad."""
    values = {"answer_id": answer.id, "question_id": answer.question_id, "user_id": user_id}
    await connection.execute(_GIVE, {**values, "verdict": verdict})


async def explain_feedback(
    connection: AsyncConnection, answer: ShownAnswer, user_id: str, reason: str | None, words: str | None
) -> None:
    """Why they found it bad; nothing where they do not find it bad any more."""
    values = {"answer_id": answer.id, "user_id": user_id, "reason": reason, "words": words}
    await connection.execute(_EXPLAIN, values)
