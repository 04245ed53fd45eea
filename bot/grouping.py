"""Texts that mean much the same, put together: agglomerative clustering by average likeness."""

from collections.abc import Sequence

import numpy as np


def grouped(vectors: Sequence[np.ndarray], alike: float) -> list[list[int]]:
    """Groups of row numbers, each with its most central row first; every row stands in one.

    `vectors` are L2-normalised. The two groups whose rows are most alike on average become one, as long as that is
    at least `alike` (a cosine). Whatever the order of the rows, the groups are the same, unless two are as alike.
    """
    if not len(vectors):
        return []
    rows = np.asarray(vectors, dtype=np.float64)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -np.inf)
    groups = {row: [row] for row in range(len(rows))}
    while True:
        one, other = divmod(int(np.argmax(likeness)), len(rows))
        if likeness[one, other] < alike:
            return [_central_first(rows, group) for group in groups.values()]
        sizes = len(groups[one]), len(groups[other])
        merged = (likeness[one] * sizes[0] + likeness[other] * sizes[1]) / sum(sizes)
        merged[one] = -np.inf
        likeness[one] = likeness[:, one] = merged
        likeness[other] = likeness[:, other] = -np.inf
        groups[one] += groups.pop(other)


def _central_first(rows: np.ndarray, group: list[int]) -> list[int]:
    centre = rows[group].sum(axis=0)
    return sorted(group, key=lambda row: (-round(float(rows[row] @ centre), 9), row))
