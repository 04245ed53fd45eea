"""Removing documents for good, with a receipt of what went with them."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE
from bot.administering.making import Made, OfReaders
from bot.administering.wording import capitalised, counted, listed, numbered_documents
from retrieval.cataloguing import forget_unused_labels, require_documents
from retrieval.removing import Removed, remove_documents

NOWHERE = 0
"""Stands for the readers of what is not there any more: no label has this id, and nobody may read it."""
# The record of who was told what stays; what was said goes with the documents that it was made from.
_EMPTY = text(
    f"UPDATE bot.answer SET text = '' WHERE workspace_id = {WORKSPACE} AND document_ids && CAST(:ids AS bigint[])"
    " RETURNING message_ts"
)
# So does what people wrote of such an answer: they may have repeated it.
_FORGET_FEEDBACK = text(
    f"DELETE FROM bot.feedback f USING bot.answer a WHERE f.workspace_id = {WORKSPACE}"
    " AND a.workspace_id = f.workspace_id AND a.id = f.answer_id AND a.document_ids && CAST(:ids AS bigint[])"
)


@dataclass(frozen=True)
class RemoveDocuments(OfReaders):
    """Remove documents, approved answers made from them, and what was kept of others. This cannot be undone."""

    document_ids: tuple[int, ...]

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        await require_documents(connection, self.document_ids)
        removed = await remove_documents(connection, self.document_ids)
        gone = {"ids": sorted({*self.document_ids, *removed.answers})}
        emptied = (await connection.execute(_EMPTY, gone)).all()
        await connection.execute(_FORGET_FEEDBACK, gone)
        await forget_unused_labels(connection, list(removed.under))
        moves = {(label_id, NOWHERE): documents for label_id, documents in removed.under.items()}
        sent = sum(row.message_ts is not None for row in emptied)
        return Made(moves, notes=_receipt(removed, len(emptied), sent), for_good=True)

    def in_words(self) -> str:
        return f"removed {numbered_documents(self.document_ids)} for good"


def _receipt(removed: Removed, emptied: int, sent: int) -> tuple[str, ...]:
    of_answers = f", and the text of {counted(emptied, 'answer')} made from them" if emptied else ""
    went = (
        f"That is {counted(removed.versions, 'version')}, {counted(removed.chunks, 'passage')} and"
        f" {counted(removed.vectors, 'vector')}{of_answers}."
    )
    approved = (
        f"{counted(len(removed.answers), 'approved answer')} made from it went with it."
        if removed.answers
        else ""
    )
    stands = f"{counted(sent, 'message')} in Slack may still quote them: delete those there." if sent else ""
    return tuple(sentence for sentence in (went, approved, stands, _of_derived(removed)) if sentence)


def _of_derived(removed: Removed) -> str:
    if not removed.derived:
        return "No adapter or evaluation set is on record as made from it."
    named = listed([f"the {kind} {name}" for kind, name in sorted(removed.derived)])
    return f"{capitalised(named)} was made from it and is marked: make it anew without what was removed."
