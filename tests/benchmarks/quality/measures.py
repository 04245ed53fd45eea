"""How good an order is, and how sure that is: nDCG, reciprocal rank, recall; paired bootstrap intervals."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOP, DEEP = 10, 100
RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A mean over questions and the middle 95% of that mean over resampled questions."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def ndcg(ranked: Sequence[str], relevant: Set[str], top: int = TOP) -> float:
    """Normalised discounted cumulative gain of the first `top`; each relevant unit gains 1."""
    gained = sum(1 / np.log2(place + 2) for place, unit in enumerate(ranked[:top]) if unit in relevant)
    best = sum(1 / np.log2(place + 2) for place in range(min(top, len(relevant))))
    return float(gained / best)


def reciprocal_rank(ranked: Sequence[str], relevant: Set[str], top: int = TOP) -> float:
    return next((1 / (place + 1) for place, unit in enumerate(ranked[:top]) if unit in relevant), 0.0)


def recall(ranked: Sequence[str], relevant: Set[str], top: int = DEEP) -> float:
    return len(relevant & set(ranked[:top])) / len(relevant)


def interval(values: Sequence[float] | Floats, seed: int = 5) -> Interval:
    """Mean with its bootstrap interval. Of differences of pairs, it is the paired bootstrap."""
    numbers = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [numbers[rng.integers(0, len(numbers), (500, len(numbers)))].mean(1) for _ in range(RESAMPLES // 500)]
    )
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(numbers.mean()), float(low), float(high))
