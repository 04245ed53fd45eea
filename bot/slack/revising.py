"""What people do to a question after they have asked it: they edit it, take it back, or stop its answer."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

# Once a part of its answer stands there, a question is what was answered: whoever wants another answer asks again.
_EDIT = text(
    "UPDATE bot.question q SET text = :text"
    f" WHERE q.workspace_id = {WORKSPACE} AND q.channel_id = :channel_id AND q.message_ts = :message_ts"
    "  AND q.asker_slack_id = :user_id AND q.state IN ('received', 'sending') AND q.text <> :text"
    "  AND NOT EXISTS (SELECT FROM bot.answer a WHERE a.workspace_id = q.workspace_id AND a.question_id = q.id"
    "   AND a.message_ts IS NOT NULL AND NOT a.taken_back)"
)
_DROP = text(
    "UPDATE bot.question SET state = 'dropped'"
    f" WHERE workspace_id = {WORKSPACE} AND channel_id = :channel_id AND message_ts = :message_ts"
    "  AND state IN ('received', 'sending') RETURNING id"
)
_STOP = text(
    "UPDATE bot.question SET stopped_at = now()"
    f" WHERE workspace_id = {WORKSPACE} AND channel_id = :channel_id"
    "  AND coalesce(thread_ts, message_ts) = :thread_ts AND asker_slack_id = :user_id"
    "  AND state IN ('received', 'sending') AND stopped_at IS NULL RETURNING id"
)


async def edit(
    connection: AsyncConnection, channel_id: str, message_ts: str, user_id: str, words: str
) -> None:
    """A question that is not answered yet is another one now. Only its asker edits it."""
    values = {"channel_id": channel_id, "message_ts": message_ts, "user_id": user_id, "text": words}
    await connection.execute(_EDIT, values)


async def drop(connection: AsyncConnection, channel_id: str, message_ts: str) -> list[int]:
    """Nobody asks any more. The ids of the questions that this ends."""
    values = {"channel_id": channel_id, "message_ts": message_ts}
    return list((await connection.execute(_DROP, values)).scalars())


async def stop(connection: AsyncConnection, channel_id: str, thread_ts: str, user_id: str) -> list[int]:
    """Somebody wants no more of the answers to what they asked in a thread. The ids of those questions."""
    values = {"channel_id": channel_id, "thread_ts": thread_ts, "user_id": user_id}
    return list((await connection.execute(_STOP, values)).scalars())
