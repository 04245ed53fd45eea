"""Who gains or loses how many documents by a change. Pure: two states of the directory in, an effect out.

People are grouped by the roles that they held before and hold after, so that 10,000 people cost what their
distinct role sets cost; documents by their labels before and after, so that a million cost what their labels cost.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from auth.clearance import LabelIndex, Labels
from auth.people import Person
from bot.administering.wording import counted, listed

Roles = frozenset[str]
Moves = Mapping[tuple[int, int], int]
"""(label before, label after) -> how many documents went from one to the other."""


@dataclass(frozen=True)
class Shift:
    """How many documents somebody gains, or loses."""

    person: Person
    documents: int


@dataclass(frozen=True)
class Effect:
    """What a change does to people, the most affected first, `notes` besides, and whether it can be undone."""

    gained: tuple[Shift, ...]
    lost: tuple[Shift, ...]
    notes: tuple[str, ...] = ()
    for_good: bool = False

    def in_words(self, limit: int = 5) -> str:
        """`2 people gain documents: @ada (3 documents); @ben (1 document).`, each list cut at `limit`."""
        parts = [
            _in_words(shifts, verb, limit)
            for shifts, verb in ((self.gained, "gain"), (self.lost, "lose"))
            if shifts
        ]
        end = ["This cannot be undone."] if self.for_good else []
        return " ".join([*(parts or ["Nobody gains or loses a document."]), *self.notes, *end])


@dataclass(frozen=True)
class Sides:
    """The labels before a change, those that it made or gave other readers, and the documents that it moved."""

    before: LabelIndex
    altered: Labels
    moves: Moves

    def readable(self, before: Roles, after: Roles) -> tuple[frozenset[int], frozenset[int]]:
        """What these roles may read before and after; of touched labels alone where the roles are the same."""
        if before == after:
            first, second = self._touched
            return first.readable(before), second.readable(after)
        unaltered = self.before.readable(after) - self.altered.keys()
        return self.before.readable(before), unaltered | self._altered.readable(after)

    @cached_property
    def _altered(self) -> LabelIndex:
        return LabelIndex(self.altered)

    @cached_property
    def _touched(self) -> tuple[LabelIndex, LabelIndex]:
        """The labels that the change altered, or moved documents between, before and after it."""
        known = self.before.labels
        were = {i: known[i] for i in {*self.altered}.union(*self.moves) if i in known}
        return LabelIndex(were), LabelIndex({**were, **self.altered})


def labels_at_stake(pairs: Iterable[tuple[Roles, Roles]], sides: Sides) -> frozenset[int]:
    """The labels that somebody may read only before, or only after: documents under them must be counted."""
    stake: set[int] = set()
    for before, after in set(pairs):
        first, second = sides.readable(before, after)
        stake |= first ^ second
    return frozenset(stake)


def weigh(
    pairs: Iterable[tuple[Roles, Roles]], sides: Sides, staying: Mapping[int, int]
) -> dict[tuple[Roles, Roles], tuple[int, int]]:
    """How many documents each pair of roles before and after gains and loses; only where it is any.

    `staying` counts the documents that stand under a label before and after, for each of `labels_at_stake`.
    """
    weights = {pair: _difference(*sides.readable(*pair), staying, sides.moves) for pair in set(pairs)}
    return {pair: weight for pair, weight in weights.items() if any(weight)}


def effect_of(
    people: Mapping[tuple[Roles, Roles], Collection[Person]],
    weights: Mapping[tuple[Roles, Roles], tuple[int, int]],
    notes: tuple[str, ...] = (),
    for_good: bool = False,
) -> Effect:
    """The effect on people, by their roles before and after."""
    gained: list[Shift] = []
    lost: list[Shift] = []
    for pair, (more, less) in weights.items():
        gained += [Shift(person, more) for person in people[pair] if more]
        lost += [Shift(person, less) for person in people[pair] if less]
    return Effect(_by_weight(gained), _by_weight(lost), notes, for_good)


def _difference(
    before: frozenset[int], after: frozenset[int], staying: Mapping[int, int], moves: Moves
) -> tuple[int, int]:
    """How many documents are readable only after, and only before."""
    more = sum(staying.get(label_id, 0) for label_id in after - before)
    less = sum(staying.get(label_id, 0) for label_id in before - after)
    more += sum(n for (was, becomes), n in moves.items() if was not in before and becomes in after)
    less += sum(n for (was, becomes), n in moves.items() if was in before and becomes not in after)
    return more, less


def _by_weight(shifts: list[Shift]) -> tuple[Shift, ...]:
    return tuple(sorted(shifts, key=lambda s: (-s.documents, s.person.handle, s.person.id)))


def _in_words(shifts: tuple[Shift, ...], verb: str, limit: int) -> str:
    if len(shifts) == 1:
        return f"@{shifts[0].person.handle} {verb}s {counted(shifts[0].documents, 'document')}."
    named = []
    for number, alike in groupby(shifts[:limit], key=lambda shift: shift.documents):
        handles = [f"@{shift.person.handle}" for shift in alike]
        each = " each" if len(handles) > 1 else ""
        named.append(f"{listed(handles)} ({counted(number, 'document')}{each})")
    rest = len(shifts) - limit
    more = [f"{rest} more"] if rest > 0 else []
    return f"{len(shifts)} people {verb} documents: {'; '.join([*named, *more])}."
