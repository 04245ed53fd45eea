"""Undoing as a change among others: previewed, guarded, recorded, and undone itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event, events_of_change
from auth.clearance import Labels
from auth.labels import Policy, parse_policy
from auth.undo import CannotUndo, undo_events, undone_by, was_and_becomes
from bot.administering.effects import Moves
from bot.administering.making import Made, OfRoles
from retrieval.cataloguing import forget_unused_labels
from retrieval.restoring import RESTORE


@dataclass(frozen=True)
class UndoChange(OfRoles):
    """Put back what one transaction changed, where nothing of it was changed since."""

    change_id: int

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        events = await events_of_change(connection, self.change_id)
        if not events:
            raise CannotUndo(f"There is no change {self.change_id} in the audit log.")
        by = await undone_by(connection, self.change_id)
        if by is not None:
            raise CannotUndo(f"Change {self.change_id} was undone already, by change {by}.")
        await undo_events(connection, events, RESTORE)
        await forget_unused_labels(connection, _labels_added(events))
        return Made(_moves(events), _labels_put_back(events), notes=_notes(events))

    def in_words(self) -> str:
        return f"undid change {self.change_id}"


def _labels_added(events: Sequence[Event]) -> list[int]:
    return [int(event.subject) for event in events if event.kind == "access_label.added" and event.subject]


def _labels_put_back(events: Sequence[Event]) -> Labels:
    """The readers that labels have again: those which each one's first event found."""
    readers: dict[int, Policy] = {}
    for event in events:
        if event.relation == "access_label" and (was := was_and_becomes(event)[0]) is not None:
            readers.setdefault(was["id"], parse_policy(was["policy"]))
    return readers


def _moves(events: Sequence[Event]) -> Moves:
    """Back from where each document's last event left it to where its first one found it."""
    ends: dict[int, int] = {}
    starts: dict[int, int] = {}
    for event in events:
        if event.relation == "document":
            was, becomes = was_and_becomes(event)
            assert was is not None
            assert becomes is not None
            starts.setdefault(was["id"], was["label_id"])
            ends[was["id"]] = becomes["label_id"]
    return Counter((ends[d], starts[d]) for d in ends if ends[d] != starts[d])


def _notes(events: Sequence[Event]) -> tuple[str, ...]:
    if any(event.kind == "role_source.removed" for event in events):
        return ("The running bot reads the group or channel again; until then it grants nothing.",)
    return ()
