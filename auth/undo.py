"""Undoing: what one transaction changed is put back, from what the audit log says that it was.

The newest first, and only where everything still is as that transaction left it. Every function takes a connection
from `Database.writing_in(workspace_id, actor)`; what is put back is recorded like any change, and can be undone.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event
from auth.database import WORKSPACE
from auth.errors import OstiaryError
from auth.granting import delete_role, read_inheritance, require_roles
from auth.labels import parse_policy
from auth.roles import refuse_cycles

Restore = Callable[[AsyncConnection, Sequence[Event]], Awaitable[None]]
"""Puts back what these events of one relation changed, given newest first. Raises CannotUndo."""

UNDONE = "change.undone"
"""The kind of event that says which change another one undid."""
TOLD_BY_SLACK = frozenset({"person", "role_source_member"})
"""Relations that are as Slack says: they are not put back."""


class CannotUndo(OstiaryError):
    """A change cannot be undone (any more); the message says why."""


@dataclass(frozen=True)
class Relation:
    """A table whose rows can be put back: its key, and the columns that somebody decided about."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def _this_row(self) -> str:
        same = " AND ".join(f"t.{k}::text = CAST(:row AS jsonb) ->> '{k}'" for k in self.key)
        return f"t.workspace_id = {WORKSPACE} AND {same}"

    @property
    def _given(self) -> str:
        return f"jsonb_populate_record(CAST(NULL AS {self.table}), CAST(:row AS jsonb)) AS r"

    @property
    def as_it_stands(self) -> str:
        return f"SELECT to_jsonb(t) AS row FROM {self.table} t WHERE {self._this_row} FOR UPDATE"

    @property
    def put_back(self) -> str:
        names = ", ".join(self.columns)
        given = ", ".join(f"r.{column}" for column in self.columns)
        return (
            f"INSERT INTO {self.table} (workspace_id, {names}) SELECT {WORKSPACE}, {given} FROM {self._given}"
        )

    @property
    def set_back(self) -> str:
        values = ", ".join(f"{column} = r.{column}" for column in self.columns if column not in self.key)
        return f"UPDATE {self.table} t SET {values} FROM {self._given} WHERE {self._this_row}"

    @property
    def take_away(self) -> str:
        return f"DELETE FROM {self.table} t WHERE {self._this_row}"


RELATIONS = {
    "role": Relation("auth.role", ("name",), ("name", "description")),
    "role_inherits": Relation("auth.role_inherits", ("role", "inherits"), ("role", "inherits")),
    "grant": Relation(
        'auth."grant"',
        ("person_id", "role", "source"),
        ("person_id", "role", "source", "granted_by", "reason", "expires_at"),
    ),
    "access_label": Relation("auth.access_label", ("id",), ("id", "policy")),
    # Its name, and when it was read, are Slack's to tell.
    "role_source": Relation("auth.role_source", ("id",), ("id", "kind", "reference", "name", "lives_s")),
    "role_source_role": Relation(
        "auth.role_source_role",
        ("source_id", "role"),
        ("source_id", "role", "guests_too", "mapped_by"),
    ),
}
_NOT_COMPARED = {"role_source": frozenset({"name", "lapsed"})}
_UNDONE_BY = text(
    f"SELECT max(change_id) FROM auth.audit_event WHERE workspace_id = {WORKSPACE} AND kind = '{UNDONE}'"
    " AND seq > :change_id AND details ->> 'change' = CAST(:change_id AS text)"
)
_SOURCE_UNUSED = text(
    f"DELETE FROM auth.role_source s WHERE s.workspace_id = {WORKSPACE} AND s.id = :id AND NOT EXISTS (SELECT FROM"
    " auth.role_source_role r WHERE r.workspace_id = s.workspace_id AND r.source_id = s.id)"
)


async def undone_by(connection: AsyncConnection, change_id: int) -> int | None:
    """The change that undid this one already; None where none did."""
    return (await connection.execute(_UNDONE_BY, {"change_id": change_id})).scalar()


async def undo_events(
    connection: AsyncConnection, events: Sequence[Event], elsewhere: Mapping[str, Restore]
) -> None:
    """Put back what the events of one transaction changed. `elsewhere` restores relations of other rooms.

    A label that was added stays, as far as this is concerned: it decides nothing until something stands under it.
    Raises CannotUndo, RoleCycle, RoleInUse or UnknownRole; then nothing may be kept.
    """
    changes = [event for event in events if event.relation and event.relation not in TOLD_BY_SLACK]
    if not changes:
        raise CannotUndo("Nothing in this change can be undone: it is no change of roles or readers.")
    for relation, together in groupby(reversed(changes), key=lambda event: event.relation):
        restore = elsewhere.get(str(relation), _restore)
        try:
            await restore(connection, tuple(together))
        except IntegrityError as error:
            raise changed_since(str(relation)) from error
    refuse_cycles(await read_inheritance(connection))


async def _restore(connection: AsyncConnection, events: Sequence[Event]) -> None:
    for event in events:
        relation = RELATIONS.get(event.relation or "")
        if relation is None:
            raise CannotUndo(f"What happened to the {event.relation} in this change cannot be undone.")
        await restore_row(connection, event, relation)
        was, _ = was_and_becomes(event)
        if event.relation == "access_label" and was is not None:
            await require_roles(connection, parse_policy(was["policy"]).roles)


async def restore_row(connection: AsyncConnection, event: Event, relation: Relation) -> None:
    """Put one row back as it was. Raises CannotUndo if it is not as this event left it."""
    was, becomes = was_and_becomes(event)
    await _require_unchanged(connection, event, relation)
    if was is None:
        await _take_away(connection, event, relation)
    else:
        statement = relation.put_back if becomes is None else relation.set_back
        await connection.execute(text(statement), {"row": json.dumps(was)})


def was_and_becomes(event: Event) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The row before and after; None where there was none. Raises CannotUndo where its details are withdrawn."""
    if event.details is None:
        raise CannotUndo("What it changed is no longer in the audit log: its time to be kept is over.")
    return event.details["was"], event.details["becomes"]


async def _require_unchanged(connection: AsyncConnection, event: Event, relation: Relation) -> None:
    was, becomes = was_and_becomes(event)
    row = json.dumps(becomes or was)
    stands = (await connection.execute(text(relation.as_it_stands), {"row": row})).scalar()
    ignored = _NOT_COMPARED.get(event.relation or "", frozenset())
    expected = {k: v for k, v in (becomes or {}).items() if k not in ignored}
    if (stands is None) != (becomes is None) or any((stands or {}).get(k) != v for k, v in expected.items()):
        raise changed_since(event.relation or "")


async def _take_away(connection: AsyncConnection, event: Event, relation: Relation) -> None:
    _, becomes = was_and_becomes(event)
    assert becomes is not None
    if event.relation == "access_label":
        return
    if event.relation == "role":
        await delete_role(connection, becomes["name"])
    elif event.relation == "role_source":
        await connection.execute(_SOURCE_UNUSED, {"id": becomes["id"]})
    else:
        await connection.execute(text(relation.take_away), {"row": json.dumps(becomes)})


def changed_since(relation: str) -> CannotUndo:
    """Why a row of this relation is not put back: it is not as the change left it."""
    what = {
        "role": "a role",
        "role_inherits": "what a role brings",
        "grant": "a grant",
        "access_label": "the readers of a label",
        "role_source": "a mapped group, channel or flag",
        "role_source_role": "what a group, channel or flag is mapped to",
        "collection": "a collection",
        "document": "a document",
        "source": "a source",
        "source_label": "who may read what of a source",
    }.get(relation, relation)
    return CannotUndo(
        f"It cannot be undone any more: {what} was changed since. Undo the later change first, or make the change"
        " that you want by itself."
    )
