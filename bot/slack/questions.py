"""Questions in PostgreSQL: claimed once however often Slack delivers them, and what became of them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audiences import fingerprint, intern_audience
from auth.audit import ANSWER_SENT, ANSWER_UNSENT, record
from auth.clearance import Clearance
from auth.database import WORKSPACE, Database
from auth.rights import Audience
from bot.slack.places import DIRECT, Place
from retrieval.passages import Passage

# Both unique indexes claim: the event's own id, and the message that it is about.
_CLAIM = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, thread_ts,"
    "  asker_slack_id, asker_team_id, text, purpose)"
    f" VALUES ({WORKSPACE}, :event_id, :channel_id, :channel_type, :message_ts, :thread_ts, :asker_slack_id,"
    "  :asker_team_id, :text, :purpose)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT id, channel_id, channel_type, message_ts, thread_ts, asker_slack_id, asker_team_id, text, purpose,"
    f"  state FROM bot.question WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_MOVE = text(
    "UPDATE bot.question SET state = :state,"
    "  answered_at = CASE WHEN :state IN ('answered', 'failed') THEN now() END"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_KEEP_ANSWER = text(
    "INSERT INTO bot.answer (workspace_id, question_id, part, text, label_ids, cited_label_ids, chunk_ids,"
    "  document_ids, policy_version, clearance, model, audience_id, checked_at)"
    f" VALUES ({WORKSPACE}, :question_id, :part, :text, :label_ids, :cited_label_ids, :chunk_ids,"
    "  :document_ids, :policy_version, :clearance, :model, :audience_id, :checked_at) RETURNING id"
)
_MARK_SENT = text(
    "UPDATE bot.answer SET message_ts = :message_ts"
    f" WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part AND message_ts IS NULL"
)
_FORGET_UNSENT = text(
    f"DELETE FROM bot.answer WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part"
    " AND message_ts IS NULL RETURNING id"
)
_KEPT_PARTS = text(
    f"SELECT part, message_ts FROM bot.answer WHERE workspace_id = {WORKSPACE} AND question_id = :question_id"
)
_BE_SOLE_SENDER = text(
    "SELECT set_config('lock_timeout', :patience, true),"
    " pg_advisory_xact_lock(hashtextextended('bot.question', :question_id))"
)
SENDER_PATIENCE = "30s"
REFUSED = "question.refused"
DIGEST = "digest"
ENDED = frozenset({"answered", "failed"})


@dataclass(frozen=True)
class IncomingQuestion:
    """A question as an event brought it. `asker_team_id` is the team its author belongs to, if Slack said."""

    event_id: str
    channel_id: str
    channel_type: str
    message_ts: str
    thread_ts: str | None
    asker_slack_id: str
    text: str
    asker_team_id: str | None = None
    purpose: str = "question"


@dataclass(frozen=True)
class Question:
    """A question that is stored. `state` is received, sending, answered or failed.

    `purpose` is question, or share: what its asker was told alone is asked again for everybody in the place; or
    digest, which nobody asked: what is new is told in a channel, at a set time.
    """

    id: int
    channel_id: str
    channel_type: str
    message_ts: str
    thread_ts: str | None
    asker_slack_id: str
    asker_team_id: str | None
    text: str
    purpose: str
    state: str

    @property
    def place(self) -> Place:
        """Where its answer belongs: in a channel the thread under it, in a direct message beside it."""
        if self.purpose == DIGEST:
            return Place(self.channel_id, self.channel_type, None)
        thread = self.thread_ts if self.channel_type == DIRECT else self.thread_ts or self.message_ts
        return Place(self.channel_id, self.channel_type, thread)


@dataclass(frozen=True)
class PreparedAnswer:
    """What is about to be sent, and the proof that it is right: who hears it, and what they may read.

    `part` is channel or asker. `clearance` is that of `audience` at `checked_at`, the last look before sending.
    """

    part: str
    text: str
    label_ids: Collection[int]
    cited: Sequence[Passage]
    clearance: Clearance
    audience: Audience
    checked_at: datetime
    model: str


async def claim(connection: AsyncConnection, question: IncomingQuestion) -> int | None:
    """Store a question; None if it is here already."""
    return (await connection.execute(_CLAIM, vars(question))).scalar()


async def find_question(connection: AsyncConnection, question_id: int) -> Question | None:
    """A question by an id that somebody wrote; None where there is no such question."""
    row = (await connection.execute(_READ, {"id": question_id})).first()
    return Question(**row._mapping) if row else None


async def read_question(connection: AsyncConnection, question_id: int) -> Question:
    return Question(**(await connection.execute(_READ, {"id": question_id})).one()._mapping)


async def move(connection: AsyncConnection, question_id: int, state: str) -> None:
    await connection.execute(_MOVE, {"id": question_id, "state": state})


async def keep_answer(connection: AsyncConnection, question: Question, prepared: PreparedAnswer) -> None:
    """Keep an answer before it is sent, with its proof: after a crash one knows that it may be out."""
    proof = {
        "part": prepared.part,
        "policy_version": prepared.clearance.policy_version,
        "clearance": prepared.clearance.fingerprint,
        "model": prepared.model,
    }
    labels = sorted(prepared.label_ids)
    chunks = sorted(chunk_id for passage in prepared.cited for chunk_id in passage.chunk_ids)
    documents = sorted({passage.document_id for passage in prepared.cited})
    audience_id = await intern_audience(connection, prepared.audience)
    values = {
        "question_id": question.id,
        "text": prepared.text,
        "label_ids": labels,
        "cited_label_ids": sorted({passage.label_id for passage in prepared.cited}),
        "chunk_ids": chunks,
        "document_ids": documents,
        "audience_id": audience_id,
        "checked_at": prepared.checked_at,
    }
    answer_id = (await connection.execute(_KEEP_ANSWER, {**values, **proof})).scalar_one()
    about = {"question": question.id, "answer": answer_id, "audience": audience_id}
    sources = {"labels": labels, "documents": documents, "chunks": chunks}
    heard = {"hearers": fingerprint(prepared.audience), "channel": question.channel_id}
    details = {**about, **proof, **sources, **heard, "asker": question.asker_slack_id}
    await record(connection, ANSWER_SENT, details, person=question.asker_slack_id)


async def record_refusal(connection: AsyncConnection, question: Question, clearance: Clearance) -> None:
    """Nothing was found that the asker may read."""
    details = {
        "question": question.id,
        "policy_version": clearance.policy_version,
        "clearance": clearance.fingerprint,
    }
    await record(connection, REFUSED, details, person=question.asker_slack_id)


async def mark_sent(connection: AsyncConnection, question_id: int, part: str, message_ts: str) -> None:
    """Slack has taken this part."""
    values = {"question_id": question_id, "part": part, "message_ts": message_ts}
    await connection.execute(_MARK_SENT, values)


async def forget_unsent(connection: AsyncConnection, question_id: int, part: str) -> None:
    """This part was kept and is certainly not out."""
    values = {"question_id": question_id, "part": part}
    for answer_id in (await connection.execute(_FORGET_UNSENT, values)).scalars().all():
        await record(connection, ANSWER_UNSENT, {"question": question_id, "answer": answer_id})


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
