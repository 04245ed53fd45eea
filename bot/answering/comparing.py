"""How two texts differ: sentences that both have are left out, those that say the like stand beside each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.units import Unit, units_of
from bot.answering.words import content_words, figures
from retrieval.passages import Passage

Embed = Callable[[Sequence[str]], "np.ndarray"]

DIFFERENCES = 8
_MOST_UNITS = 300
_ALIKE, _SHARED = 0.72, 0.4


@dataclass(frozen=True)
class Difference:
    """A sentence of the one and the sentence of the other that is in its place; either may be missing, not both."""

    one: Unit | None
    other: Unit | None


def differences(
    one: Sequence[Passage], other: Sequence[Passage], embed: Embed, most: int = DIFFERENCES
) -> list[Difference]:
    """What differs, sentences that changed first, then those that only the other has, and only the one. Blocking.

    Units number the passages of their own side from 0.
    """
    left, right = units_of(one)[:_MOST_UNITS], units_of(other)[:_MOST_UNITS]
    said = {_key(unit) for unit in left} & {_key(unit) for unit in right}
    left = [unit for unit in left if _key(unit) not in said]
    right = [unit for unit in right if _key(unit) not in said]
    pairs = _aligned(left, right, embed)
    changed = [
        Difference(left[at], right[pairs[at]])
        for at in sorted(pairs, key=lambda at: pairs[at])
        if _matters(left[at], right[pairs[at]])
    ]
    added = [Difference(None, unit) for at, unit in enumerate(right) if at not in set(pairs.values())]
    gone = [Difference(unit, None) for at, unit in enumerate(left) if at not in pairs]
    return _few(changed, added, gone, most)


def _key(unit: Unit) -> str:
    return " ".join(content_words(unit.text)) or unit.text.casefold()


def _aligned(left: Sequence[Unit], right: Sequence[Unit], embed: Embed) -> dict[int, int]:
    """Which sentence of the left stands for which of the right: the most alike first, each once."""
    if not left or not right:
        return {}
    vectors = np.asarray(embed([unit.text for unit in (*left, *right)]), dtype=np.float64)
    alike = vectors[: len(left)] @ vectors[len(left) :].T
    order = np.dstack(np.unravel_index(np.argsort(-alike, axis=None, kind="stable"), alike.shape))[0]
    pairs: dict[int, int] = {}
    for at, beside in ((int(row), int(column)) for row, column in order):
        if alike[at, beside] < _ALIKE:
            break
        if at not in pairs and beside not in pairs.values() and _share(left[at], right[beside]) >= _SHARED:
            pairs[at] = beside
    return pairs


def _share(one: Unit, other: Unit) -> float:
    words, others = set(content_words(one.text)), set(content_words(other.text))
    return len(words & others) / max(1, min(len(words), len(others)))


def _matters(one: Unit, other: Unit) -> bool:
    """Not where only marks or the order of words are others."""
    return set(content_words(one.text)) != set(content_words(other.text)) or figures(one.text) != figures(
        other.text
    )


def _few(
    changed: list[Difference], added: list[Difference], gone: list[Difference], most: int
) -> list[Difference]:
    """As many as fit, some of each kind."""
    kept = max(most - min(2, len(added)) - min(2, len(gone)), most // 2)
    found = changed[:kept]
    found += added[: max(0, most - len(found) - min(2, len(gone)))]
    return found + gone[: max(0, most - len(found))]
