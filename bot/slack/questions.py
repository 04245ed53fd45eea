"""Questions in PostgreSQL: claimed once however often Slack delivers them, and what became of them."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.database import WORKSPACE, Database
from bot.slack.places import DIRECT, Place

# Both unique indexes claim: the event's own id, and the message that it is about.
_CLAIM = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, thread_ts,"
    "  asker_slack_id, text)"
    f" VALUES ({WORKSPACE}, :event_id, :channel_id, :channel_type, :message_ts, :thread_ts, :asker, :text)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT id, channel_id, channel_type, message_ts, thread_ts, asker_slack_id, text, state FROM bot.question"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_MOVE = text(
    "UPDATE bot.question SET state = :state,"
    "  answered_at = CASE WHEN :state IN ('answered', 'failed') THEN now() END"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_KEEP_ANSWER = text(
    "INSERT INTO bot.answer (workspace_id, question_id, part, text, label_ids, chunk_ids, policy_version,"
    "  clearance, model)"
    f" VALUES ({WORKSPACE}, :question_id, :part, :text, :label_ids, :chunk_ids, :policy_version, :clearance,"
    "  :model)"
)
_MARK_SENT = text(
    "UPDATE bot.answer SET message_ts = :message_ts"
    f" WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part AND message_ts IS NULL"
)
_FORGET_UNSENT = text(
    f"DELETE FROM bot.answer WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part"
    " AND message_ts IS NULL"
)
_KEPT_PARTS = text(
    f"SELECT part, message_ts FROM bot.answer WHERE workspace_id = {WORKSPACE} AND question_id = :question_id"
)
_BE_SOLE_SENDER = text(
    "SELECT set_config('lock_timeout', :patience, true),"
    " pg_advisory_xact_lock(hashtextextended('bot.question', :question_id))"
)
SENDER_PATIENCE = "30s"
ENDED = frozenset({"answered", "failed"})


@dataclass(frozen=True)
class IncomingQuestion:
    """A question as an event brought it."""

    event_id: str
    channel_id: str
    channel_type: str
    message_ts: str
    thread_ts: str | None
    asker_slack_id: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question that is stored. `state` is received, sending, answered or failed."""

    id: int
    channel_id: str
    channel_type: str
    message_ts: str
    thread_ts: str | None
    asker_slack_id: str
    text: str
    state: str

    @property
    def place(self) -> Place:
        """Where its answer belongs: in a channel the thread under it, in a direct message beside it."""
        thread = self.thread_ts if self.channel_type == DIRECT else self.thread_ts or self.message_ts
        return Place(self.channel_id, self.channel_type, thread)


@dataclass(frozen=True)
class PreparedAnswer:
    """What is about to be sent, and the proof that it is right. `part` is channel or asker."""

    part: str
    text: str
    label_ids: Collection[int]
    chunk_ids: Collection[int]
    clearance: Clearance
    model: str


async def claim(connection: AsyncConnection, question: IncomingQuestion) -> int | None:
    """Store a question; None if it is here already."""
    values = {
        "event_id": question.event_id,
        "channel_id": question.channel_id,
        "channel_type": question.channel_type,
        "message_ts": question.message_ts,
        "thread_ts": question.thread_ts,
        "asker": question.asker_slack_id,
        "text": question.text,
    }
    return (await connection.execute(_CLAIM, values)).scalar()


async def read_question(connection: AsyncConnection, question_id: int) -> Question:
    return Question(**(await connection.execute(_READ, {"id": question_id})).one()._mapping)


async def move(connection: AsyncConnection, question_id: int, state: str) -> None:
    await connection.execute(_MOVE, {"id": question_id, "state": state})


async def keep_answer(connection: AsyncConnection, question_id: int, prepared: PreparedAnswer) -> None:
    """Keep an answer before it is sent: after a crash one knows that it may be out."""
    await connection.execute(
        _KEEP_ANSWER,
        {
            "question_id": question_id,
            "part": prepared.part,
            "text": prepared.text,
            "label_ids": sorted(prepared.label_ids),
            "chunk_ids": sorted(prepared.chunk_ids),
            "policy_version": prepared.clearance.policy_version,
            "clearance": prepared.clearance.fingerprint,
            "model": prepared.model,
        },
    )


async def mark_sent(connection: AsyncConnection, question_id: int, part: str, message_ts: str) -> None:
    """Slack has taken this part."""
    values = {"question_id": question_id, "part": part, "message_ts": message_ts}
    await connection.execute(_MARK_SENT, values)


async def forget_unsent(connection: AsyncConnection, question_id: int, part: str) -> None:
    """This part was kept and is certainly not out."""
    await connection.execute(_FORGET_UNSENT, {"question_id": question_id, "part": part})


async def kept_parts(connection: AsyncConnection, question_id: int) -> Mapping[str, str | None]:
    """Each part that was kept, and its ts in Slack; None where nobody knows whether it got there."""
    rows = await connection.execute(_KEPT_PARTS, {"question_id": question_id})
    return {row.part: row.message_ts for row in rows}


@asynccontextmanager
async def sole_sender(database: Database, workspace_id: int, question_id: int) -> AsyncIterator[Question]:
    """Hold a question while its answer is sent, and read it as it is then.

    A worker that was taken for dead may wake up beside the one that has its work now. PostgreSQL lets go of
    the hold when the process that has it dies. Raises OperationalError when another holds on for too long.
    """
    async with database.writing_in(workspace_id) as connection:
        values = {"patience": SENDER_PATIENCE, "question_id": question_id}
        await connection.execute(_BE_SOLE_SENDER, values)
        yield await read_question(connection, question_id)
