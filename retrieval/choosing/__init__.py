"""Choosing passages from ranked candidates: fresh before old, none twice, unlike each other, neighbours as one."""

from retrieval.choosing.choice import Choice, choose_passages
from retrieval.choosing.freshness import freshness
from retrieval.choosing.neighbours import joined
from retrieval.choosing.repeats import without_repeats
from retrieval.choosing.variety import maximal_marginal_relevance

__all__ = [
    "Choice",
    "choose_passages",
    "freshness",
    "joined",
    "maximal_marginal_relevance",
    "without_repeats",
]
