"""Changes of who may read what: of documents, of collections, and of labels in one place."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.granting import read_inheritance, require_roles
from auth.labelling import change_label, intern_label
from auth.labels import Policy
from auth.people import PersonKind, roles_from
from auth.roles import ADMIN
from bot.administering.making import CannotChange, Made, OfReaders
from bot.administering.wording import numbered_documents
from retrieval.cataloguing import (
    collection_called,
    define_collection,
    documents_in,
    file_documents,
    label_collection,
    list_collections,
    require_documents,
    under_other_labels,
)
from retrieval.relabelling import relabel_documents


@dataclass(frozen=True)
class RelabelDocuments(OfReaders):
    """Give documents other readers."""

    document_ids: tuple[int, ...]
    policy: Policy

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await require_documents(connection, self.document_ids)
        return await _relabel(connection, self.document_ids, self.policy)

    def in_words(self) -> str:
        return f"gave {numbered_documents(self.document_ids)} the readers {self.policy}"


@dataclass(frozen=True)
class RelabelCollection(OfReaders):
    """Give a collection, and every document in it, other readers. `name` is for the words alone."""

    collection_id: int
    policy: Policy
    name: str = ""

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        collection = await collection_called(connection, self.collection_id)
        await _require_lendable(connection, self.policy, collection.lent_role)
        return await _relabel_all(connection, collection.id, self.policy)

    def in_words(self) -> str:
        name = self.name or self.collection_id
        return f"gave the collection {name} and all of its documents the readers {self.policy}"


@dataclass(frozen=True)
class ChangeLabel(OfReaders):
    """Give a label other readers, in one place: whatever stands under it follows. `was` is for the words alone."""

    label_id: int
    policy: Policy
    was: Policy | None = None

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await change_label(connection, self.label_id, self.policy)
        notes = await _no_longer_opened(connection, self.label_id, self.policy)
        return Made(labels={self.label_id: self.policy}, notes=notes)

    def in_words(self) -> str:
        those = f"for {self.was}" if self.was is not None else f"under label {self.label_id}"
        return f"gave everything {those} the readers {self.policy}"


@dataclass(frozen=True)
class DefineCollection(OfReaders):
    """Make a collection, or change the one of this name; its documents follow its readers.

    With an `owner_role` and a `lent_role`, whoever may not read it can ask its owners, who lend that role.
    """

    name: str
    policy: Policy
    owner_role: str | None = None
    lent_role: str | None = None
    lent_for: timedelta = timedelta(days=1)

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        if not self.name.strip():
            raise CannotChange("A collection needs a name.")
        if self.lent_for < timedelta(minutes=1):
            raise CannotChange("A role is lent for a minute at least.")
        await _require_owned(connection, self.owner_role, self.lent_role)
        await _require_lendable(connection, self.policy, self.lent_role)
        label_id = await intern_label(connection, self.policy)
        collection_id = await define_collection(
            connection, self.name.strip(), label_id, self.owner_role, self.lent_role, self.lent_for
        )
        return await _relabel_all(connection, collection_id, self.policy)

    def in_words(self) -> str:
        return f"defined the collection {self.name}, for the readers {self.policy}"


@dataclass(frozen=True)
class FileDocuments(OfReaders):
    """Put documents into a collection, or take them out. Their own readers stay as they are. `name`: for words."""

    document_ids: tuple[int, ...]
    collection_id: int | None
    name: str = ""

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await require_documents(connection, self.document_ids)
        if self.collection_id is None:
            await file_documents(connection, self.document_ids, None)
            return Made()
        collection = await collection_called(connection, self.collection_id)
        await file_documents(connection, self.document_ids, collection.id)
        others = await under_other_labels(connection, self.document_ids, collection.label_id)
        return Made(notes=(_keeps_readers(others, collection.name),) if others else ())

    def in_words(self) -> str:
        if self.collection_id is None:
            return f"took {numbered_documents(self.document_ids)} out of any collection"
        return f"filed {numbered_documents(self.document_ids)} in the collection {self.name or self.collection_id}"


async def _relabel(connection: AsyncConnection, document_ids: Collection[int], policy: Policy) -> Made:
    label_id = await intern_label(connection, policy)
    moved = await relabel_documents(connection, document_ids, label_id)
    return Made({(was, label_id): documents for was, documents in moved.items()}, {label_id: policy})


async def _relabel_all(connection: AsyncConnection, collection_id: int, policy: Policy) -> Made:
    await label_collection(connection, collection_id, await intern_label(connection, policy))
    return await _relabel(connection, await documents_in(connection, collection_id), policy)


async def _require_owned(connection: AsyncConnection, owner_role: str | None, lent_role: str | None) -> None:
    await require_roles(connection, [role for role in (owner_role, lent_role) if role])
    if (owner_role is None) != (lent_role is None):
        raise CannotChange(
            "To let people ask for a collection, name both the role that owns it and the role that is lent."
        )


async def _require_lendable(connection: AsyncConnection, policy: Policy, lent_role: str | None) -> None:
    """A lent role that opens nothing would be lent in vain, and one that brings administration is not to lend."""
    if lent_role is None:
        return
    inheritance = await read_inheritance(connection)
    held = roles_from(PersonKind.MEMBER, [lent_role], inheritance)
    if ADMIN in held:
        raise CannotChange(f"The role {lent_role} brings {ADMIN}: it cannot be lent.")
    if not policy.admits(held):
        raise CannotChange(
            f"Whoever is lent the role {lent_role} still could not read what is for {policy}. Lend a role that"
            f" these readers name, or add it to them: {policy},{lent_role}."
        )


async def _no_longer_opened(connection: AsyncConnection, label_id: int, policy: Policy) -> tuple[str, ...]:
    inheritance = await read_inheritance(connection)
    return tuple(
        f"The collection {collection.name} lends the role {collection.lent_role}, which does not open it any more."
        for collection in await list_collections(connection)
        if collection.label_id == label_id
        and collection.lent_role is not None
        and not policy.admits(roles_from(PersonKind.MEMBER, [collection.lent_role], inheritance))
    )


def _keeps_readers(documents: int, name: str) -> str:
    those = "1 of them keeps" if documents == 1 else f"{documents} of them keep"
    return (
        f"{those} other readers than the collection's own. To give all of {name} the same readers, change the"
        " readers of the collection."
    )
