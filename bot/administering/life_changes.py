"""Changes in the life of documents: until when they answer, and to whom they belong."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.directory import people_with
from auth.granting import require_roles
from bot.administering.making import CannotChange, Made, OfReaders
from bot.administering.removal import NOWHERE
from bot.administering.wording import end_in_words, numbered_documents
from retrieval.cataloguing import collection_called, fade_collection, own_documents, require_documents
from retrieval.withdrawing import Moved, expire_documents

MOST_DAYS = 36_500


@dataclass(frozen=True)
class ExpireDocuments(OfReaders):
    """Let documents answer until a moment, or, with None, for good. One that is past withdraws them at once."""

    document_ids: tuple[int, ...]
    at: datetime | None

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await require_documents(connection, self.document_ids)
        gone, back = await expire_documents(connection, self.document_ids, self.at)
        return Made(_moves(gone, back))

    def in_words(self) -> str:
        those = numbered_documents(self.document_ids)
        return (
            f"let {those} answer until {end_in_words(self.at)}" if self.at else f"let {those} answer for good"
        )


@dataclass(frozen=True)
class FadeCollection(OfReaders):
    """Let what is filed in a collection count less the older it is, half after so many days; or, with None, not."""

    name: str
    half_life_days: int | None

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        if self.half_life_days is not None and not 1 <= self.half_life_days <= MOST_DAYS:
            raise CannotChange(f"What fades is half as fresh after 1 to {MOST_DAYS} days.")
        collection = await collection_called(connection, self.name)
        await fade_collection(connection, collection.id, self.half_life_days)
        return Made()

    def in_words(self) -> str:
        if self.half_life_days is None:
            return f"let nothing in the collection {self.name} fade"
        return f"let what is in the collection {self.name} count half after {self.half_life_days} days"


def _moves(gone: Moved, back: Moved) -> Counter[tuple[int, int]]:
    lost = Counter((label_id, NOWHERE) for label_id in gone.values())
    return lost + Counter((NOWHERE, label_id) for label_id in back.values())


@dataclass(frozen=True)
class OwnDocuments(OfReaders):
    """Say to whom documents belong: a role, a person, or nobody. It opens nothing to them."""

    document_ids: tuple[int, ...]
    role: str | None = None
    person_id: int | None = None
    handle: str = ""
    """For the words alone."""

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await require_documents(connection, self.document_ids)
        if self.role and self.person_id:
            raise CannotChange("A document belongs to one role or to one person.")
        await require_roles(connection, [self.role] if self.role else [])
        if self.person_id and self.person_id not in await people_with(connection, [self.person_id]):
            raise CannotChange("Nobody here is that person. Choose somebody of this workspace.")
        await own_documents(connection, self.document_ids, self.role, self.person_id)
        return Made()

    def in_words(self) -> str:
        person = f"@{self.handle}" if self.handle else f"person {self.person_id}"
        owner = person if self.person_id else self.role or "nobody"
        return f"made {owner} the owner of {numbered_documents(self.document_ids)}"
