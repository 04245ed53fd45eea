"""The door's keys: every change of who may read what goes through here, and every look at it.

Whoever changes anything must administer at that moment: it is asked within the transaction of the change. What is
shown tells who may read a document, never what it says: an administrator reads under a clearance like everybody.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from auth.clearance import Clearance, Standing
from auth.database import WORKSPACE, Database
from auth.directory import find_people
from auth.errors import OstiaryError
from auth.granting import read_inheritance
from auth.holding import held_at, is_held_for_good
from auth.people import Person
from auth.rights import read_standing, rights_of
from auth.roles import ADMIN
from auth.undo import UNDONE
from bot.administering.describing import Described, FailureEntry, describe_document, failures_there
from bot.administering.effects import Effect
from bot.administering.explaining import Explanation, explain_reading
from bot.administering.kept_sources import SourceEntry, names_of_channels, source_told
from bot.administering.making import Change
from bot.administering.overviews import (
    CollectionEntry,
    DocumentEntry,
    Holder,
    LabelEntry,
    Readable,
    RoleSummary,
    collections_there,
    found_by,
    holders_of,
    labels_there,
    readable_to,
    roles_there,
    shown,
    titles_for,
    titles_readable_by_both,
)
from bot.administering.pictures import effect_between, held_after, held_before
from bot.administering.undoing import UndoChange
from bot.digests import ScheduledDigest, list_digests
from retrieval.cataloguing import Filter, document_with, list_documents
from retrieval.failing import dismiss_failures
from retrieval.sources.kept import Source, list_sources, source_with

COMMAND_LINE = "command line"
"""Who acts where somebody works on the machine itself; no Slack user id has a space in it."""

# One change at a time in a workspace: two that are each right alone may close a circle of roles, or leave nobody
# to administer, together.
_ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock(hashtextextended('administering', {WORKSPACE}))")
_RECORD_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")
_CHANGE_ID = text("SELECT NULLIF(current_setting('ostiary.change', true), '')::bigint")


class NotAllowed(OstiaryError):
    """Somebody who does not administer asked for a change; the message says who can let them."""


class LastAdministrator(OstiaryError):
    """After a change nobody could administer any more; the message says what to do first."""


@dataclass(frozen=True)
class Done:
    """What a change did, and its number; None where it changed nothing."""

    effect: Effect
    change_id: int | None

    @property
    def undoable_id(self) -> int | None:
        """The number to undo it by; None where there is nothing to undo, or no way to."""
        return None if self.effect.for_good else self.change_id


class Administration:
    """One workspace as its administrators see and change it. Safe to use concurrently."""

    def __init__(self, database: Database, workspace_id: int) -> None:
        self._database = database
        self._workspace_id = workspace_id

    async def may_administer(self, actor: str) -> bool:
        """Whether `actor`, a Slack user id or COMMAND_LINE, may administer at this moment."""
        if actor == COMMAND_LINE:
            return True
        rights = await rights_of(self._database, self._workspace_id, actor)
        return rights is not None and rights.is_admin

    async def preview(self, change: Change, actor: str) -> Effect:
        """Who would gain or lose what: the change is made, looked at, and taken back. Raises NotAllowed."""
        async with self._changing(actor) as connection, connection.begin_nested() as trial:
            effect = await self._make(connection, change, actor)
            await trial.rollback()
        return effect

    async def carry_out(self, change: Change, actor: str) -> Done:
        """Make a change and say what it did. Raises NotAllowed, LastAdministrator, or what the change refuses."""
        async with self._changing(actor) as connection:
            effect = await self._make(connection, change, actor)
            await connection.execute(_RECORD_NOW)
            change_id = (await connection.execute(_CHANGE_ID)).scalar()
            if change_id is not None and isinstance(change, UndoChange):
                await record(connection, UNDONE, {"change": change.change_id})
        return Done(effect, change_id)

    async def undo(self, change_id: int, actor: str) -> Done:
        """Put back what a change changed. Raises CannotUndo where something of it was changed since."""
        return await self.carry_out(UndoChange(change_id), actor)

    async def roles(self) -> list[RoleSummary]:
        """Every role, by name."""
        async with self._looking() as (connection, standing):
            return await roles_there(connection, standing)

    async def holders(self, role: str) -> list[Holder]:
        """Who holds a role now, by name, and by which ways. Raises UnknownRole."""
        async with self._looking() as (connection, standing):
            return await holders_of(connection, standing, role)

    async def readable_by(self, person: Person, as_seen_by: Clearance | None = None) -> Readable:
        """What a person holds and may read; titles only where `as_seen_by` covers them too."""
        async with self._looking() as (connection, standing):
            readable = await readable_to(connection, standing, person)
        if as_seen_by is None:
            return readable
        titles = await titles_readable_by_both(self._database, readable, as_seen_by)
        return Readable(readable.person, readable.roles, readable.labels, titles)

    async def explain(self, person: Person, document_id: int) -> Explanation:
        """Why a person can, or cannot, read a document. Raises UnknownDocument."""
        async with self._looking() as (connection, standing):
            return await explain_reading(connection, standing, person, document_id)

    async def documents(
        self,
        viewer: Clearance | None,
        words: str = "",
        limit: int = 20,
        offset: int = 0,
        *,
        which: Filter | None = None,
        source: str = "",
    ) -> list[DocumentEntry]:
        """Documents by id: titles and addresses under the viewer's clearance, ids and readers of all.

        `words` are sought in what the viewer may read, and in names of collections. None for a viewer is the
        machine itself: it shows addresses, which its owner can list anyway, and no titles. `source` is what an
        address begins with.
        """
        found = await found_by(self._database, self._workspace_id, viewer, words, source)
        async with self._looking() as (connection, standing):
            entries = await list_documents(connection, found, "" if source else words, limit, offset, which)
        titles = await titles_for(self._database, viewer, entries)
        return [shown(entry, titles, standing, at_the_machine=viewer is None) for entry in entries]

    async def document(self, viewer: Clearance | None, document_id: int) -> DocumentEntry:
        """One document, with its title only if the viewer may read it. Raises UnknownDocument."""
        async with self._looking() as (connection, standing):
            entry = await document_with(connection, document_id)
        titles = await titles_for(self._database, viewer, [entry])
        return shown(entry, titles, standing, at_the_machine=viewer is None)

    async def describe(self, viewer: Clearance | None, document_id: int) -> Described:
        """The versions of a document, and what it is like; as far as the viewer may read it. None: the machine."""
        return await describe_document(self._database, self._workspace_id, viewer, document_id)

    async def failures(
        self, viewer: Clearance | None, actor: str, limit: int, offset: int = 0
    ) -> list[FailureEntry]:
        """What could not be taken in, the newest first."""
        async with self._looking() as (connection, _):
            return await failures_there(connection, viewer, actor, limit, offset)

    async def dismiss(self, failure_ids: Sequence[int], actor: str) -> int:
        """Let go of failures that need no more doing; returns how many there were. Raises NotAllowed."""
        async with self._changing(actor) as connection:
            return await dismiss_failures(connection, failure_ids)

    async def sources(self, viewer: Clearance | None) -> list[SourceEntry]:
        """Every source that is kept, in the order in which they were; names as far as the viewer may be told."""
        async with self._looking() as (connection, standing):
            return await _told(connection, standing, await list_sources(connection), viewer)

    async def source(self, viewer: Clearance | None, source_id: int) -> SourceEntry:
        """One source that is kept. Raises UnknownSource."""
        async with self._looking() as (connection, standing):
            found = [await source_with(connection, source_id)]
            return (await _told(connection, standing, found, viewer))[0]

    async def digests(self) -> list[ScheduledDigest]:
        """Every digest that is sent again and again, in the order in which they were set up."""
        async with self._looking() as (connection, _):
            return await list_digests(connection)

    async def collections(self) -> list[CollectionEntry]:
        """Every collection, by name."""
        async with self._looking() as (connection, standing):
            return await collections_there(connection, standing)

    async def labels(self) -> list[LabelEntry]:
        """Every label, those with the most documents first."""
        async with self._looking() as (connection, standing):
            return await labels_there(connection, standing)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[tuple[AsyncConnection, Standing]]:
        """All of it as it was at one moment."""
        async with self._database.deciding_in(self._workspace_id) as connection:
            yield connection, await read_standing(self._database, connection, self._workspace_id)

    @asynccontextmanager
    async def _changing(self, actor: str) -> AsyncIterator[AsyncConnection]:
        async with self._database.writing_in(self._workspace_id, actor) as connection:
            await connection.execute(_ONE_AT_A_TIME)
            await _require_administrator(connection, actor)
            yield connection

    async def _make(self, connection: AsyncConnection, change: Change, actor: str) -> Effect:
        now, reach = datetime.now(UTC), change.reach
        standing = await read_standing(self._database, connection, self._workspace_id)
        before = await held_before(connection, standing, now, reach)
        at_stake = reach.roles and actor != COMMAND_LINE and await is_held_for_good(connection, ADMIN, now)
        made = await change.make(connection, actor)
        after = await held_after(connection, before, now, reach, made)
        if at_stake and not await is_held_for_good(connection, ADMIN, now):
            raise LastAdministrator(
                f"Then nobody would hold {ADMIN} for good, and sooner or later nobody could undo it in Slack."
                " Give it to somebody else first, without an end, or do this with the `ostiary` command line."
            )
        return await effect_between(connection, standing.index, before, after, made)


async def _told(
    connection: AsyncConnection, standing: Standing, sources: Sequence[Source], viewer: Clearance | None
) -> list[SourceEntry]:
    channels = await names_of_channels(connection)
    return [source_told(source, standing.index.labels, channels, viewer) for source in sources]


async def _require_administrator(connection: AsyncConnection, actor: str) -> None:
    if actor == COMMAND_LINE:
        return
    person = (await find_people(connection, [actor])).get(actor)
    inheritance = await read_inheritance(connection)
    held = await held_at(connection, inheritance, datetime.now(UTC), person) if person else {}
    if person is None or ADMIN not in held.get(person.id, ()):
        raise NotAllowed(
            f"Only people who hold the role {ADMIN} can do this. Ask one of them, or whoever runs Ostiary, who can"
            " give it with `ostiary admin grant`."
        )
