"""The tables of the schema `auth`, as SQLAlchemy models. Every one leads with workspace_id."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

WORKSPACE_KEY = "auth.workspace.id"


class Base(DeclarativeBase):
    """All models of Ostiary share one metadata, so that migrations can be compared with them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text, int: BigInteger, datetime: DateTime(timezone=True)}  # noqa: RUF012


def created_now() -> Any:
    """A column that says when the row came to be."""
    return mapped_column(server_default=func.now())


class Workspace(Base):
    """A Slack workspace. `policy_version` grows with every change to who may read what."""

    __tablename__ = "workspace"
    __table_args__ = {"schema": "auth"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    team_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    policy_version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = created_now()
    labels_version: Mapped[int] = mapped_column(server_default="1")
    policy_changed_at: Mapped[datetime] = created_now()


class PersonRow(Base):
    """Somebody in a workspace, as Slack tells it."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slack_user_id"),
        Index(None, "workspace_id", "handle"),
        CheckConstraint(
            "kind IN ('member', 'guest', 'single_channel_guest', 'outsider', 'bot')", name="kind"
        ),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slack_user_id: Mapped[str]
    handle: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default="true")
    seen_at: Mapped[datetime] = created_now()
    is_workspace_admin: Mapped[bool] = mapped_column(server_default="false")
    is_workspace_owner: Mapped[bool] = mapped_column(server_default="false")


class RoleRow(Base):
    """A role that can be granted and named in labels."""

    __tablename__ = "role"
    __table_args__ = (
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9_-]{0,62}$' AND name <> 'nobody'", name="name"),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str] = mapped_column(server_default="")


class RoleInherits(Base):
    """Whoever holds `role` also holds `inherits`."""

    __tablename__ = "role_inherits"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "role"], ["auth.role.workspace_id", "auth.role.name"]),
        ForeignKeyConstraint(["workspace_id", "inherits"], ["auth.role.workspace_id", "auth.role.name"]),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    inherits: Mapped[str] = mapped_column(primary_key=True)


class GrantRow(Base):
    """A role given to a person by somebody, for a reason, perhaps until a time."""

    __tablename__ = "grant"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "person_id"], ["auth.person.workspace_id", "auth.person.id"]),
        ForeignKeyConstraint(["workspace_id", "role"], ["auth.role.workspace_id", "auth.role.name"]),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True, server_default="hand")
    granted_by: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    granted_at: Mapped[datetime] = created_now()
    expires_at: Mapped[datetime | None]


class ChannelRow(Base):
    """A conversation as it was last read from Slack: for the command line, never to answer in Slack from."""

    __tablename__ = "channel"
    __table_args__ = {"schema": "auth"}  # noqa: RUF012

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_public: Mapped[bool]
    is_shared: Mapped[bool]
    members: Mapped[list[str]] = mapped_column(ARRAY(Text))
    read_at: Mapped[datetime] = created_now()


class AccessLabel(Base):
    """An interned policy in its canonical spelling; documents point at it by id."""

    __tablename__ = "access_label"
    __table_args__ = (UniqueConstraint("workspace_id", "policy"), {"schema": "auth"})

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    policy: Mapped[str]


def _in_source() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "source_id"],
        ["auth.role_source.workspace_id", "auth.role_source.id"],
        ondelete="CASCADE",
    )


class RoleSourceRow(Base):
    """A Slack user group, a channel or a workspace flag whose members hold roles while `read_at` is recent."""

    __tablename__ = "role_source"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "reference"),
        CheckConstraint("kind IN ('user_group', 'channel', 'flag')", name="kind"),
        CheckConstraint("lives_s > 0", name="lives_s"),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    reference: Mapped[str]
    name: Mapped[str]
    read_at: Mapped[datetime | None]
    lives_s: Mapped[int]
    lapsed: Mapped[bool] = mapped_column(server_default="true")
    left_at: Mapped[datetime | None]


class RoleSourceMember(Base):
    """Somebody in a user group or channel. Those of a flag are told by the person's own columns."""

    __tablename__ = "role_source_member"
    __table_args__ = (_in_source(), Index(None, "workspace_id", "slack_user_id"), {"schema": "auth"})

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    slack_user_id: Mapped[str] = mapped_column(primary_key=True)


class RoleSourceRole(Base):
    """A role that members of a source hold; guests among them only where `guests_too` says so."""

    __tablename__ = "role_source_role"
    __table_args__ = (
        _in_source(),
        ForeignKeyConstraint(["workspace_id", "role"], ["auth.role.workspace_id", "auth.role.name"]),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    guests_too: Mapped[bool] = mapped_column(server_default="false")
    mapped_by: Mapped[str]
    mapped_at: Mapped[datetime] = created_now()


class AudienceRow(Base):
    """Who an answer was sent to, interned by fingerprint: many answers go to the same people."""

    __tablename__ = "audience"
    __table_args__ = (UniqueConstraint("workspace_id", "fingerprint"), {"schema": "auth"})

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    fingerprint: Mapped[str]
    members: Mapped[list[str]] = mapped_column(ARRAY(Text))
    every_member: Mapped[bool]
    complete: Mapped[bool]


class AuditEvent(Base):
    """Something that happened, chained to what happened before. Only ever added to, by a trigger's hand.

    `relation` and `subject` name the row whose change it records; `change_id` is the first `seq` of its
    transaction. `details` may be withdrawn when their time is over; their hash stays.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(
            "ix_audit_event_state",
            "workspace_id",
            "relation",
            "subject",
            "seq",
            postgresql_where=text("relation IS NOT NULL"),
        ),
        Index(
            "ix_audit_event_answer",
            "workspace_id",
            text("(details -> 'answer')"),
            postgresql_where=text("kind = 'answer.sent'"),
        ),
        Index(
            "ix_audit_event_unsent",
            "workspace_id",
            text("(details -> 'answer')"),
            postgresql_where=text("kind = 'answer.unsent'"),
        ),
        Index(
            "ix_audit_event_documents",
            text("(details -> 'documents')"),
            postgresql_using="gin",
            postgresql_where=text("relation IS NULL"),
        ),
        Index("ix_audit_event_person", "workspace_id", "person", "seq"),
        Index("ix_audit_event_document", "workspace_id", "document_id", "seq"),
        Index("ix_audit_event_actor", "workspace_id", "actor", "seq"),
        Index("ix_audit_event_change", "workspace_id", "change_id"),
        Index("ix_audit_event_version", "workspace_id", "policy_version", "seq"),
        {"schema": "auth"},
    )

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    kind: Mapped[str]
    relation: Mapped[str | None]
    subject: Mapped[str | None]
    person: Mapped[str | None]
    document_id: Mapped[int | None]
    policy_version: Mapped[int]
    change_id: Mapped[int]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    details_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(Base):
    """The last link of a workspace's chain."""

    __tablename__ = "audit_head"
    __table_args__ = {"schema": "auth"}  # noqa: RUF012

    workspace_id: Mapped[int] = mapped_column(ForeignKey(WORKSPACE_KEY), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
