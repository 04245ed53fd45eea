"""The tables of kept sources in the schema `retrieval`, as SQLAlchemy models."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from auth.tables import Base, created_now
from retrieval.tables import label_key


class SourceRow(Base):
    """Where documents come from, again and again: what is read, for whom, how often, and how the last run went."""

    __tablename__ = "source"
    __table_args__ = (
        label_key(),
        ForeignKeyConstraint(
            ["workspace_id", "collection_id"],
            ["retrieval.collection.workspace_id", "retrieval.collection.id"],
        ),
        CheckConstraint(
            "kind IN ('path', 'url', 'sitemap', 'loader', 'slack_channel', 'slack_thread')", name="kind"
        ),
        CheckConstraint("every_s > 0", name="every_s"),
        Index("ix_source_due", "workspace_id", "next_at", postgresql_where=text("NOT paused")),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    reference: Mapped[str]
    arguments: Mapped[Any] = mapped_column(JSONB, server_default="{}")
    label_id: Mapped[int]
    collection_id: Mapped[int | None]
    of_department: Mapped[str] = mapped_column(server_default="")
    every_s: Mapped[int | None]
    paused: Mapped[bool] = mapped_column(server_default="false")
    kept_by: Mapped[str]
    created_at: Mapped[datetime] = created_now()
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    error: Mapped[str | None]
    added: Mapped[int] = mapped_column(server_default="0")
    updated: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    withdrawn: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")


def _source_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "source_id"],
        ["retrieval.source.workspace_id", "retrieval.source.id"],
        ondelete="CASCADE",
    )


class SourceLabel(Base):
    """The readers of what carries this value in the field that a source goes by."""

    __tablename__ = "source_label"
    __table_args__ = (_source_key(), label_key(), {"schema": "retrieval"})

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    label_id: Mapped[int]


class SourceItemRow(Base):
    """Something that a source has, or had: how to ask whether it changed, and what was last made of it.

    `given_label_id` is the label that the source gave its document; NULL: somebody has decided by hand since.
    """

    __tablename__ = "source_item"
    __table_args__ = (
        _source_key(),
        CheckConstraint("state IN ('stored', 'withdrawn', 'failed')", name="state"),
        Index("ix_source_item_uri", "workspace_id", "uri"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    given_label_id: Mapped[int | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    content_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    refused_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    missed: Mapped[int] = mapped_column(server_default="0")
    seen_at: Mapped[datetime | None]
    error: Mapped[str | None]
