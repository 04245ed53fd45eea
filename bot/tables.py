"""The tables of the schema `bot`, as SQLAlchemy models: questions, answers, requests to ingest."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth.tables import Base, created_now


class QuestionRow(Base):
    """A question as it came, stored before Slack is told "ok".

    One row however often Slack delivers it: claimed by event id, and by the message it stands in, since a
    mention in a channel arrives as two events. `sending` means that an answer may already be out.
    """

    __tablename__ = "question"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'sending', 'answered', 'failed', 'dropped')", name="state"),
        CheckConstraint("purpose IN ('question', 'share', 'digest')", name="purpose"),
        Index("ix_question_event", "workspace_id", "event_id", unique=True),
        Index("ix_question_message", "workspace_id", "channel_id", "message_ts", unique=True),
        Index(
            "ix_question_open",
            "workspace_id",
            "received_at",
            postgresql_where=text("state IN ('received', 'sending')"),
        ),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    event_id: Mapped[str]
    channel_id: Mapped[str]
    channel_type: Mapped[str]
    message_ts: Mapped[str]
    thread_ts: Mapped[str | None]
    asker_slack_id: Mapped[str]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="received")
    received_at: Mapped[datetime] = created_now()
    answered_at: Mapped[datetime | None]
    asker_team_id: Mapped[str | None]
    purpose: Mapped[str] = mapped_column(server_default="question")
    stopped_at: Mapped[datetime | None]


class AnswerRow(Base):
    """What was sent, to whom, and the proof that it was right: every label it was made from.

    `streamed_ts` without `message_ts`: it was begun, and has not come to its end. `taken_back`: what was seen of it
    does not stand there any more. `numbered_chunk_ids`: a chunk of each passage that it cites, [1] first.
    """

    __tablename__ = "answer"
    __table_args__ = (
        CheckConstraint("part IN ('channel', 'asker')", name="part"),
        ForeignKeyConstraint(
            ["workspace_id", "question_id"],
            ["bot.question.workspace_id", "bot.question.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "audience_id"], ["auth.audience.workspace_id", "auth.audience.id"]
        ),
        Index("ix_answer_question", "workspace_id", "question_id"),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    question_id: Mapped[int]
    part: Mapped[str]
    text: Mapped[str]
    label_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    chunk_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    policy_version: Mapped[int]
    clearance: Mapped[str]
    model: Mapped[str]
    message_ts: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    document_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    cited_label_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    audience_id: Mapped[int | None]
    checked_at: Mapped[datetime | None]
    streamed_ts: Mapped[str | None]
    taken_back: Mapped[bool] = mapped_column(server_default="false")
    numbered_chunk_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class FeedbackRow(Base):
    """What somebody thinks of an answer: their last word on it. It goes with the answer, and with its question."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("verdict IN ('good', 'bad')", name="verdict"),
        CheckConstraint("reason IN ('not in sources', 'wrong', 'outdated', 'other')", name="reason"),
        ForeignKeyConstraint(
            ["workspace_id", "answer_id"], ["bot.answer.workspace_id", "bot.answer.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "question_id"],
            ["bot.question.workspace_id", "bot.question.id"],
            ondelete="CASCADE",
        ),
        Index("ix_feedback_question", "workspace_id", "question_id"),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(primary_key=True)
    slack_user_id: Mapped[str] = mapped_column(primary_key=True)
    question_id: Mapped[int]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    words: Mapped[str | None]
    given_at: Mapped[datetime] = created_now()


class DigestRow(Base):
    """A digest that is sent to a channel every day or week: what came in since the last one, for who hears it then.

    `told_until` is up to when it was told what came in; `asked_since` and `question_id` are those of the last run.
    """

    __tablename__ = "digest"
    __table_args__ = (
        CheckConstraint("every IN ('daily', 'weekly')", name="every"),
        UniqueConstraint("workspace_id", "channel_id", "topic"),
        Index("ix_digest_due", "workspace_id", "next_at"),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    channel_id: Mapped[str]
    topic: Mapped[str]
    every: Mapped[str]
    set_up_by: Mapped[str]
    created_at: Mapped[datetime] = created_now()
    next_at: Mapped[datetime]
    told_until: Mapped[datetime] = created_now()
    asked_since: Mapped[datetime | None]
    question_id: Mapped[int | None]


class GapMarkRow(Base):
    """What became of a question that found nothing: answered or dismissed, with all that were marked at once.

    `marked_with` is the number that the gap had, the id of one of its questions.
    """

    __tablename__ = "gap_mark"
    __table_args__ = (
        CheckConstraint("mark IN ('answered', 'dismissed')", name="mark"),
        ForeignKeyConstraint(
            ["workspace_id", "question_id"],
            ["bot.question.workspace_id", "bot.question.id"],
            ondelete="CASCADE",
        ),
        Index("ix_gap_mark_marked_with", "workspace_id", "marked_with"),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str]
    marked_with: Mapped[int]
    marked_by: Mapped[str]
    marked_at: Mapped[datetime] = created_now()


class IngestionRequestRow(Base):
    """A document that an admin asked to have ingested from Slack, and who may read it.

    `state` runs waiting (readers not chosen yet) -> accepted -> done, failed or cancelled. `content` is text and
    is emptied once the request has ended; a URL or file is fetched when the request is worked on. `shown_in` is the
    message that tells how far it is.
    """

    __tablename__ = "ingestion_request"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('url', 'text', 'file', 'message', 'thread', 'channel', 'again')",
            name="kind",
        ),
        CheckConstraint("state IN ('waiting', 'accepted', 'done', 'failed', 'cancelled')", name="state"),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    locator: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    readers: Mapped[str | None]
    requested_by: Mapped[str]
    channel_id: Mapped[str]
    event_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="waiting")
    created_at: Mapped[datetime] = created_now()
    file_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    collection_id: Mapped[int | None]
    dated: Mapped[date | None]
    expires_at: Mapped[datetime | None]
    shown_in: Mapped[str | None]


class JobNote(Base):
    """How far the job of this id has come, and why it failed; gone once it is done. Jobs are Procrastinate's."""

    __tablename__ = "job_note"
    __table_args__ = ({"schema": "bot"},)

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(server_default="")
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int] = mapped_column(server_default="0")
    reason: Mapped[str | None]
    noted_at: Mapped[datetime] = created_now()


class LoanRequest(Base):
    """A question passed on to the owner of a collection, who may lend its asker a role for a while."""

    __tablename__ = "loan_request"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'declined')", name="state"),
        UniqueConstraint("workspace_id", "question_id", "collection_id"),
        ForeignKeyConstraint(
            ["workspace_id", "question_id"],
            ["bot.question.workspace_id", "bot.question.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "collection_id"],
            ["retrieval.collection.workspace_id", "retrieval.collection.id"],
            ondelete="CASCADE",
        ),
        {"schema": "bot"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    question_id: Mapped[int]
    collection_id: Mapped[int]
    lent_role: Mapped[str]
    lent_for_s: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="waiting")
    decided_by: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()


class HeardRequest(Base):
    """A signed request of Slack's, in HTTP mode: whether what it asked for is stored, or is being stored."""

    __tablename__ = "heard_request"
    __table_args__ = ({"schema": "bot"},)

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    signature: Mapped[str] = mapped_column(primary_key=True)
    done: Mapped[bool] = mapped_column(server_default="false")
    heard_at: Mapped[datetime] = created_now()
