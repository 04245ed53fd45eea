"""Freshness: in collections that say so, what is older counts less."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from retrieval.embedding import Vectors
from retrieval.search import Candidate

FLOOR = 0.25
"""What is left at least: the only page on a matter answers, however old it is."""


def freshness(candidates: Sequence[Candidate], today: date, floor: float = FLOOR) -> Vectors:
    """What is left of each candidate's relevance, (n,): half after each half-life of its collection, then `floor`.

    1 where the collection has no half-life: a policy does not fade. Age counts from a document's own date, or else
    from the day it was added.
    """
    return np.array([max(floor, _left(candidate, today)) for candidate in candidates], dtype=np.float32)


def _left(candidate: Candidate, today: date) -> float:
    if candidate.half_life_days is None or candidate.since is None:
        return 1.0
    return float(0.5 ** (max((today - candidate.since).days, 0) / candidate.half_life_days))
