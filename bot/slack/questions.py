"""Questions in PostgreSQL: claimed once however often Slack delivers them, and what became of them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance
from auth.directory import WORKSPACE
from bot.slack.places import Place

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
    "  clearance, model, message_ts)"
    f" VALUES ({WORKSPACE}, :question_id, :part, :text, :label_ids, :chunk_ids, :policy_version, :clearance,"
    "  :model, :message_ts)"
)


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
        thread = self.thread_ts if self.channel_type == "im" else self.thread_ts or self.message_ts
        return Place(self.channel_id, self.channel_type, thread)


@dataclass(frozen=True)
class SentAnswer:
    """What was sent, and the proof that it was right."""

    part: str
    text: str
    label_ids: Collection[int]
    chunk_ids: Collection[int]
    clearance: Clearance
    model: str
    message_ts: str | None


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


async def keep_answer(connection: AsyncConnection, question_id: int, sent: SentAnswer) -> None:
    await connection.execute(
        _KEEP_ANSWER,
        {
            "question_id": question_id,
            "part": sent.part,
            "text": sent.text,
            "label_ids": sorted(sent.label_ids),
            "chunk_ids": sorted(sent.chunk_ids),
            "policy_version": sent.clearance.policy_version,
            "clearance": sent.clearance.fingerprint,
            "model": sent.model,
            "message_ts": sent.message_ts,
        },
    )
