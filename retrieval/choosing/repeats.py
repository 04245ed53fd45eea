"""Passages that say the same: one of them is enough."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from retrieval.embedding import Vectors
from retrieval.passages import Passage
from retrieval.search import Candidate

_WORD = re.compile(r"\w+")
_ARTICLES = frozenset(("a", "an", "the"))
_SHORT = 4
"""Fewer words than these, such as "Not applicable", say something only under their heading."""


def without_repeats(candidates: Sequence[Candidate], relevance: Vectors) -> tuple[list[Candidate], Vectors]:
    """Candidates by relevance, best first, one of each that say the same; and their relevance, (m,).

    Of those that say the same, the one with the newest date stands in the place of the best. All were found under
    one clearance, so any may stand for any other. Vectors that are alike prove nothing: two rules may differ by a
    number or by a "not", and both are kept.
    """
    kept: dict[tuple[str, ...], Candidate] = {}
    worth: dict[tuple[str, ...], float] = {}
    for at in np.argsort(-relevance, kind="stable"):
        candidate = candidates[at]
        words = _said_by(candidate.passage)
        worth.setdefault(words, float(relevance[at]))
        if words not in kept or _dated(candidate) > _dated(kept[words]):
            kept[words] = candidate
    return list(kept.values()), np.array(list(worth.values()), dtype=np.float32)


def _said_by(passage: Passage) -> tuple[str, ...]:
    words = _words(passage.text)
    return words if len(words) >= _SHORT else (passage.title, *passage.heading_path, *words)


def _words(text: str) -> tuple[str, ...]:
    """In order, without capitals, marks, layout and articles."""
    return tuple(word for word in _WORD.findall(text.casefold()) if word not in _ARTICLES)


def _dated(candidate: Candidate) -> date:
    return candidate.passage.dated or date.min
