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
from bot.answering import Answer
from bot.slack.places import Place
from retrieval.passages import Passage

# Both unique indexes claim: the event's own id, and the message that it is about.
_CLAIM = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, thread_ts,"
    "  asker_slack_id, asker_team_id, text, purpose)"
    f" VALUES ({WORKSPACE}, :event_id, :channel_id, :channel_type, :message_ts, :thread_ts, :asker_slack_id,"
    "  :asker_team_id, :text, :purpose)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_CLAIMED = (
    "event_id", "channel_id", "channel_type", "message_ts", "thread_ts", "asker_slack_id", "asker_team_id", "text",
    "purpose",
)  # fmt: skip
_CLAIM_ALL = text(
    f"INSERT INTO bot.question (workspace_id, {', '.join(_CLAIMED)})"
    f" SELECT {WORKSPACE}, {', '.join(f'q.{column}' for column in _CLAIMED)}"
    f" FROM unnest({', '.join(f'CAST(:{column} AS text[])' for column in _CLAIMED)})"
    f"  WITH ORDINALITY AS q ({', '.join(_CLAIMED)}, place) ORDER BY q.place"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_READ = text(
    "SELECT id, channel_id, channel_type, message_ts, thread_ts, asker_slack_id, asker_team_id, text, purpose,"
    f"  state, stopped_at IS NOT NULL AS stopped FROM bot.question WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_MOVE = text(
    "UPDATE bot.question SET state = :state,"
    "  answered_at = CASE WHEN :state IN ('answered', 'failed') THEN now() END"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id AND state <> 'dropped'"
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
_KEEP_WORDS = text(
    "UPDATE bot.answer SET text = :text, numbered_chunk_ids = :numbered"
    f" WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part AND message_ts IS NULL"
)
_MARK_BEGUN = text(
    "UPDATE bot.answer SET streamed_ts = :streamed_ts"
    f" WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part AND message_ts IS NULL"
)
# It was seen for a while, by those whom its proof names: the record of that stays.
_TAKE_BACK = text(
    "UPDATE bot.answer SET taken_back = true, message_ts = streamed_ts"
    f" WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part"
    "  AND message_ts IS NULL AND streamed_ts IS NOT NULL"
)
_FORGET_UNSENT = text(
    f"DELETE FROM bot.answer WHERE workspace_id = {WORKSPACE} AND question_id = :question_id AND part = :part"
    " AND message_ts IS NULL AND streamed_ts IS NULL RETURNING id"
)
_KEPT_PARTS = text(
    f"SELECT part, message_ts, streamed_ts FROM bot.answer WHERE workspace_id = {WORKSPACE}"
    " AND question_id = :question_id AND NOT taken_back"
)
_PULSE = text(
    "SELECT q.state, q.text, q.stopped_at IS NOT NULL AS stopped, w.policy_version FROM bot.question q"
    f" JOIN auth.workspace w ON w.id = q.workspace_id WHERE q.workspace_id = {WORKSPACE} AND q.id = :id"
)
_BE_SOLE_SENDER = text(
    "SELECT set_config('lock_timeout', :patience, true),"
    " pg_advisory_xact_lock(hashtextextended('bot.question', :question_id))"
)
_HAS_ASKED = text(
    f"SELECT EXISTS (SELECT FROM bot.question WHERE workspace_id = {WORKSPACE} AND channel_id = :channel_id"
    "  AND coalesce(thread_ts, message_ts) = :thread_ts AND asker_slack_id = :user_id AND state <> 'dropped')"
)
SENDER_PATIENCE = "30s"
REFUSED = "question.refused"
DIGEST = "digest"
ENDED = frozenset({"answered", "failed", "dropped"})


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
    """A question that is stored. `state` is received, sending, answered, failed, or dropped: nobody asks any more.

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
    stopped: bool = False

    @property
    def place(self) -> Place:
        """Where its answer belongs: in the thread that it is in, or begins; a digest begins none."""
        began = self.thread_ts or self.message_ts
        return Place(self.channel_id, self.channel_type, began if self._stands_there else self.thread_ts)

    @property
    def _stands_there(self) -> bool:
        """Whether it is a message in Slack: not what is told at a set time, nor what a command asked."""
        return self.purpose != DIGEST and self.channel_id != self.asker_slack_id


@dataclass(frozen=True)
class Kept:
    """A part that was kept. Its ts in Slack once all of it is there, or that of a stream that was only begun.

    Neither: nobody knows whether it got there.
    """

    message_ts: str | None
    streamed_ts: str | None


@dataclass(frozen=True)
class Pulse:
    """A question, and the version of who may read what, at this moment."""

    state: str
    text: str
    stopped: bool
    policy_version: int


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


async def claim_all(connection: AsyncConnection, questions: Sequence[IncomingQuestion]) -> list[int]:
    """Store questions; the ids of those that are new. Of the same message told of twice, one is stored."""
    columns = {field: [getattr(question, field) for question in questions] for field in _CLAIMED}
    return [row.id for row in await connection.execute(_CLAIM_ALL, columns)]


async def claim(connection: AsyncConnection, question: IncomingQuestion) -> int | None:
    """Store a question; None if it is here already."""
    return (await connection.execute(_CLAIM, vars(question))).scalar()


async def find_question(connection: AsyncConnection, question_id: int) -> Question | None:
    """A question by an id that somebody wrote; None where there is no such question."""
    row = (await connection.execute(_READ, {"id": question_id})).first()
    return Question(**row._mapping) if row else None


async def has_asked(connection: AsyncConnection, channel_id: str, thread_ts: str, user_id: str) -> bool:
    """Whether somebody has asked in a thread."""
    values = {"channel_id": channel_id, "thread_ts": thread_ts, "user_id": user_id}
    return bool((await connection.execute(_HAS_ASKED, values)).scalar())


async def read_question(connection: AsyncConnection, question_id: int) -> Question:
    return Question(**(await connection.execute(_READ, {"id": question_id})).one()._mapping)


async def move(connection: AsyncConnection, question_id: int, state: str) -> None:
    await connection.execute(_MOVE, {"id": question_id, "state": state})


async def keep_answer(connection: AsyncConnection, question: Question, prepared: PreparedAnswer) -> int:
    """Keep an answer before it is sent, with its proof: after a crash one knows that it may be out. Its id."""
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
    answer_id = int((await connection.execute(_KEEP_ANSWER, {**values, **proof})).scalar_one())
    about = {"question": question.id, "answer": answer_id, "audience": audience_id}
    sources = {"labels": labels, "documents": documents, "chunks": chunks}
    heard = {"hearers": fingerprint(prepared.audience), "channel": question.channel_id}
    details = {**about, **proof, **sources, **heard, "asker": question.asker_slack_id}
    await record(connection, ANSWER_SENT, details, person=question.asker_slack_id)
    return answer_id


async def record_refusal(connection: AsyncConnection, question: Question, clearance: Clearance) -> None:
    """Nothing was found that the asker may read."""
    details = {
        "question": question.id,
        "policy_version": clearance.policy_version,
        "clearance": clearance.fingerprint,
    }
    await record(connection, REFUSED, details, person=question.asker_slack_id)


async def mark_begun(connection: AsyncConnection, question_id: int, part: str, streamed_ts: str) -> None:
    """Slack has begun to show this part."""
    values = {"question_id": question_id, "part": part, "streamed_ts": streamed_ts}
    await connection.execute(_MARK_BEGUN, values)


async def mark_sent(
    connection: AsyncConnection, question_id: int, part: str, message_ts: str, said: Answer | None = None
) -> None:
    """Slack has taken this part. `said`: what it came to, where that was not known when it was kept."""
    values = {"question_id": question_id, "part": part}
    if said is not None:
        words = " ".join(sentence.text for sentence in said.sentences)
        told = {"text": words, "numbered": [passage.chunk_id for passage in said.cited]}
        await connection.execute(_KEEP_WORDS, {**values, **told})
    await connection.execute(_MARK_SENT, {**values, "message_ts": message_ts})


async def mark_taken_back(connection: AsyncConnection, question_id: int, part: str) -> None:
    """This part was begun, and does not stand there any more."""
    await connection.execute(_TAKE_BACK, {"question_id": question_id, "part": part})


async def forget_unsent(connection: AsyncConnection, question_id: int, part: str) -> None:
    """This part was kept and is certainly not out."""
    values = {"question_id": question_id, "part": part}
    for answer_id in (await connection.execute(_FORGET_UNSENT, values)).scalars().all():
        await record(connection, ANSWER_UNSENT, {"question": question_id, "answer": answer_id})


async def kept_parts(connection: AsyncConnection, question_id: int) -> Mapping[str, Kept]:
    """Each part that was kept, and how far it got."""
    rows = await connection.execute(_KEPT_PARTS, {"question_id": question_id})
    return {row.part: Kept(row.message_ts, row.streamed_ts) for row in rows}


async def read_pulse(connection: AsyncConnection, question_id: int) -> Pulse:
    """What may have changed while an answer is made: one statement, asked for before every piece of it."""
    return Pulse(**(await connection.execute(_PULSE, {"id": question_id})).one()._mapping)


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
