"""The tables of the schema `retrieval`, as SQLAlchemy models.

Text, titles and vectors carry the label of their document in every row, and row-level security on every table
here compares it with the reader's clearance. Vectors stand in a narrow table of their own: text beside them
makes exact scans 2.8 times slower.
"""

from datetime import date, datetime
from typing import Any

from pgvector.sqlalchemy import VECTOR
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
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from auth.tables import Base, created_now

DIMENSIONS = 384
"""Of the vectors in `chunk_vec`; an embedder of other dimensions needs a migration."""


def label_key() -> ForeignKeyConstraint:
    """A row that carries a label."""
    return ForeignKeyConstraint(
        ["workspace_id", "label_id"], ["auth.access_label.workspace_id", "auth.access_label.id"]
    )


def _document_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "document_id"],
        ["retrieval.document.workspace_id", "retrieval.document.id"],
        ondelete="CASCADE",
    )


class Document(Base):
    """Something that was ingested under one name (`uri`), whatever its versions. One label for all of it."""

    __tablename__ = "document"
    __table_args__ = (
        label_key(),
        ForeignKeyConstraint(
            ["workspace_id", "collection_id"],
            ["retrieval.collection.workspace_id", "retrieval.collection.id"],
        ),
        Index(None, "workspace_id", "uri", unique=True),
        Index(None, "workspace_id", "collection_id"),
        Index(None, "workspace_id", "label_id"),
        Index(
            "ix_document_expiring",
            "workspace_id",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL AND withdrawn IS NULL"),
        ),
        ForeignKeyConstraint(["workspace_id", "owner_id"], ["auth.person.workspace_id", "auth.person.id"]),
        ForeignKeyConstraint(["workspace_id", "owner_role"], ["auth.role.workspace_id", "auth.role.name"]),
        CheckConstraint("num_nonnulls(owner_id, owner_role) <= 1", name="owner"),
        CheckConstraint("withdrawn IN ('expired', 'vanished', 'stale')", name="withdrawn"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    label_id: Mapped[int]
    uri: Mapped[str]
    title: Mapped[str]
    department: Mapped[str] = mapped_column(server_default="")
    added_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = created_now()
    collection_id: Mapped[int | None]
    owner_id: Mapped[int | None]
    owner_role: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    withdrawn: Mapped[str | None]
    """Why it does not answer. Its passages have no label then, which is to say that nobody may read them."""


class Collection(Base):
    """Documents that belong together: one label to change for all, an owning role, and a role that it may lend."""

    __tablename__ = "collection"
    __table_args__ = (
        label_key(),
        UniqueConstraint("workspace_id", "name"),
        *(
            ForeignKeyConstraint(["workspace_id", column], ["auth.role.workspace_id", "auth.role.name"])
            for column in ("owner_role", "lent_role")
        ),
        CheckConstraint("lent_for_s > 0", name="lent_for_s"),
        CheckConstraint("half_life_days > 0", name="half_life_days"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    label_id: Mapped[int]
    owner_role: Mapped[str | None]
    lent_role: Mapped[str | None]
    lent_for_s: Mapped[int] = mapped_column(server_default="86400")
    half_life_days: Mapped[int | None]


class Version(Base):
    """One state of a document's content. The current one answers; the others are kept for the record."""

    __tablename__ = "version"
    __table_args__ = (
        label_key(),
        _document_key(),
        Index(
            "ix_version_current",
            "workspace_id",
            "document_id",
            unique=True,
            postgresql_where=text("is_current"),
        ),
        Index("ix_version_document", "workspace_id", "document_id"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    document_id: Mapped[int]
    label_id: Mapped[int]
    is_current: Mapped[bool]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    title: Mapped[str]
    media_type: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="en")
    dated: Mapped[date | None]
    author: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    stated: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """What whoever handed it in stated themselves: its `title`, the day that it is `dated`."""
    size: Mapped[int | None]
    """In bytes."""
    encoder: Mapped[str | None]
    """Which embedder made the vectors of its passages, as `LocalEmbeddings.fingerprint` says; NULL: unknown."""


class ChunkRow(Base):
    """A run of a version's text, sized for the embedder, with its place in the document."""

    __tablename__ = "chunk"
    __table_args__ = (
        label_key(),
        _document_key(),
        ForeignKeyConstraint(
            ["workspace_id", "version_id"],
            ["retrieval.version.workspace_id", "retrieval.version.id"],
            ondelete="CASCADE",
        ),
        Index("ix_chunk_document", "workspace_id", "document_id"),
        Index("ix_chunk_version", "workspace_id", "version_id"),
        Index(
            "ix_chunk_words",
            text("retrieval.word_keys(workspace_id, label_id, words)"),
            postgresql_using="gin",
            postgresql_where=text("is_current"),
            postgresql_with={"fastupdate": "off"},
        ),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    document_id: Mapped[int]
    version_id: Mapped[int]
    label_id: Mapped[int | None]
    is_current: Mapped[bool]
    ordinal: Mapped[int]
    text: Mapped[str]
    heading_path: Mapped[list[str]] = mapped_column(ARRAY(Text))
    page: Mapped[int | None]
    tokens: Mapped[int]
    words: Mapped[Any] = mapped_column(TSVECTOR)
    token_codes: Mapped[bytes | None] = mapped_column(LargeBinary)


class ChunkVector(Base):
    """The vector of a chunk of a current version, L2-normalised, in a table kept narrow."""

    __tablename__ = "chunk_vec"
    __table_args__ = (
        label_key(),
        _document_key(),
        Index("ix_chunk_vec_label", "workspace_id", "label_id"),
        Index("ix_chunk_vec_document", "workspace_id", "document_id"),
        Index(
            "ix_chunk_vec_nearest",
            "emb",
            postgresql_using="hnsw",
            postgresql_with={"m": 16, "ef_construction": 128},
            postgresql_ops={"emb": "vector_ip_ops"},
        ),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int | None]
    document_id: Mapped[int]
    emb: Mapped[Any] = mapped_column(VECTOR(DIMENSIONS))


class LabelCount(Base):
    """How many vectors stand under a label; a trigger keeps it. Decides between exact scan and index.

    `counted` is how many there were when the label's words were counted last.
    """

    __tablename__ = "label_count"
    __table_args__ = (
        label_key(),
        CheckConstraint("chunks >= 0", name="chunks"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)
    chunks: Mapped[int]
    counted: Mapped[int] = mapped_column(server_default="0")


class LabelWord(Base):
    """A word that is common under a label, and in how many of its chunks it stands, as counted on a sample."""

    __tablename__ = "label_word"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "label_id"],
            ["retrieval.label_count.workspace_id", "retrieval.label_count.label_id"],
            ondelete="CASCADE",
        ),
        Index(None, "workspace_id", "label_id"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)
    chunks: Mapped[int]


class Likeness(Base):
    """What a version is alike: a hash of its bytes, and a MinHash signature of its words, cut into bands."""

    __tablename__ = "likeness"
    __table_args__ = (
        label_key(),
        _document_key(),
        ForeignKeyConstraint(
            ["workspace_id", "version_id"],
            ["retrieval.version.workspace_id", "retrieval.version.id"],
            ondelete="CASCADE",
        ),
        Index("ix_likeness_document", "workspace_id", "document_id"),
        Index("ix_likeness_bytes", "workspace_id", "bytes_hash"),
        Index("ix_likeness_bands", "bands", postgresql_using="gin"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int]
    label_id: Mapped[int]
    bytes_hash: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    bands: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class Failure(Base):
    """Something that could not be taken in, and why; under the label that it would have had. Gone once it is in."""

    __tablename__ = "failure"
    __table_args__ = (
        label_key(),
        Index(None, "workspace_id", "uri", unique=True),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    label_id: Mapped[int]
    uri: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default="1")
    failed_at: Mapped[datetime] = created_now()


class Derivation(Base):
    """That something was made from a document elsewhere, and when the document was removed from under it."""

    __tablename__ = "derivation"
    __table_args__ = (
        CheckConstraint("kind IN ('adapter', 'evaluation set')", name="kind"),
        UniqueConstraint("workspace_id", "kind", "name", "document_id"),
        Index("ix_derivation_document", "workspace_id", "document_id"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    document_id: Mapped[int]
    removed_at: Mapped[datetime | None]


class ApprovedSource(Base):
    """That an approved answer was made from a document, in the version and under the label that it had then.

    Triggers make the answer stale by this. The row outlives its source.
    """

    __tablename__ = "approved_source"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "answer_id"],
            ["retrieval.document.workspace_id", "retrieval.document.id"],
            ondelete="CASCADE",
        ),
        Index("ix_approved_source_source", "workspace_id", "source_id"),
        Index("ix_approved_source_label", "workspace_id", "label_id"),
        {"schema": "retrieval"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int]
    label_id: Mapped[int]
