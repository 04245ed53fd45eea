"""A document in a few of its own sentences: the most central of each part, then the parts that say the most.

Sentences are chosen by how near they are to what their part, and the whole document, is about (centroids of
sentence vectors, as in Radev et al., 2004), each part under a heading giving one before any gives two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.units import Unit, units_of
from bot.answering.words import content_words
from retrieval.passages import Passage

Embed = Callable[[Sequence[str]], "np.ndarray"]

SENTENCES = 7
_MOST_UNITS = 400
_FEWEST_WORDS, _MANY_WORDS = 5, 45
_OPENS, _TOO_LONG, _OF_WHOLE, _SAME_AGAIN = 0.08, 0.15, 0.6, 0.9


@dataclass(frozen=True)
class _Part:
    """The units of one part, by their number."""

    units: tuple[int, ...]


def summarise(passages: Sequence[Passage], embed: Embed, most: int = SENTENCES) -> list[Unit]:
    """The sentences that stand for all of `passages`, in order; units number the passages from 0. Blocking."""
    units = [unit for unit in units_of(passages) if _tells(unit)]
    units = units[:: max(1, -(-len(units) // _MOST_UNITS))]
    if len(units) <= most:
        return units
    vectors = np.asarray(embed([unit.text for unit in units]), dtype=np.float64)
    parts = _parts(units, passages)
    scores = _scores(units, vectors, parts)
    return [units[at] for at in sorted(_chosen(parts, scores, vectors, most))]


def _tells(unit: Unit) -> bool:
    """A sentence, and no line of a form such as `Version 3, dated 8 April 2025.`"""
    return len(unit.text.split()) >= _FEWEST_WORDS and len(content_words(unit.text)) > 2


def _parts(units: Sequence[Unit], passages: Sequence[Passage]) -> list[_Part]:
    """By the headings that they stand under."""
    under: dict[tuple[str, ...], list[int]] = {}
    for at, unit in enumerate(units):
        under.setdefault(passages[unit.passage].heading_path, []).append(at)
    return [_Part(tuple(part)) for part in under.values()]


def _scores(units: Sequence[Unit], vectors: np.ndarray, parts: Sequence[_Part]) -> np.ndarray:
    """How much of its part and of the whole each unit says; the first of a part a little more."""
    scores = _OF_WHOLE * (vectors @ _centre(vectors))
    for part in parts:
        rows = list(part.units)
        scores[rows] += (1 - _OF_WHOLE) * (vectors[rows] @ _centre(vectors[rows]))
        scores[rows[0]] += _OPENS
    long = np.array([len(unit.text.split()) > _MANY_WORDS for unit in units])
    return np.asarray(scores - _TOO_LONG * long)


def _centre(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / (np.linalg.norm(mean) or 1.0))


def _chosen(parts: Sequence[_Part], scores: np.ndarray, vectors: np.ndarray, most: int) -> list[int]:
    """The best of each part, those of the best parts first; then the second best; nothing said twice."""
    chosen: list[int] = []
    left = [sorted(part.units, key=lambda at: -scores[at]) for part in parts]
    while len(chosen) < most and any(left):
        for at in sorted((part.pop(0) for part in left if part), key=lambda at: -scores[at]):
            again = any(float(vectors[at] @ vectors[other]) > _SAME_AGAIN for other in chosen)
            if len(chosen) < most and not again:
                chosen.append(at)
    return chosen
