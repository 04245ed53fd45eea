"""Undoing as a change among others: previewed, guarded, recorded, and undone itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Event, events_of_change
from auth.clearance import Labels
from auth.labels import Policy, parse_policy
from auth.undo import CannotUndo, undo_events, undone_by, was_and_becomes
from bot.administering.making import Made, OfRoles
from retrieval.cataloguing import forget_unused_labels
from retrieval.restoring import RESTORE
from retrieval.sources.kept import hold_alone
from retrieval.sources.source_readers import labels_given, relabel_back


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
        meanwhile = {}
        for source_id in sorted(_sources(events)):
            await hold_alone(connection, source_id)
            meanwhile[source_id] = await labels_given(connection, source_id)
        await undo_events(connection, events, RESTORE)
        moves = _moves(events) + await _what_came_follows(connection, events, meanwhile)
        await forget_unused_labels(connection, _labels_added(events))
        return Made(moves, _labels_put_back(events), notes=_notes(events))

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


def _moves(events: Sequence[Event]) -> Counter[tuple[int, int]]:
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


def _sources(events: Sequence[Event]) -> set[int]:
    """The kept sources that a change was of."""
    key = {"source": "id", "source_label": "source_id"}
    rows = [(event, *was_and_becomes(event)) for event in events if event.relation in key]
    return {int((was or becomes or {})[key[str(event.relation)]]) for event, was, becomes in rows}


async def _what_came_follows(
    connection: AsyncConnection, events: Sequence[Event], meanwhile: Mapping[int, Mapping[str, int]]
) -> Counter[tuple[int, int]]:
    """What sources brought under the readers that they had `meanwhile` gets those that they have again."""
    moves = Counter[tuple[int, int]]()
    put_back = [int(event.subject) for event in events if event.relation == "document" and event.subject]
    for source_id, labels in meanwhile.items():
        moves += await relabel_back(connection, source_id, labels, put_back, events[0].at)
    return moves


def _notes(events: Sequence[Event]) -> tuple[str, ...]:
    if any(event.kind == "role_source.removed" for event in events):
        return ("The running bot reads the group or channel again; until then it grants nothing.",)
    return ()
