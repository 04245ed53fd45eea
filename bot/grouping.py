"""Texts that mean much the same, put together: one reading, each beside those that it is nearest to."""

from collections.abc import Sequence

import numpy as np


def grouped(vectors: Sequence[np.ndarray], alike: float) -> list[list[int]]:
    """Groups of row numbers, each with its most central row first; every row stands in one.

    `vectors` are L2-normalised. A row joins the group to whose rows it is most alike on average, if that is at
    least `alike` (a cosine); else it begins one. The result hangs on the order of the rows and on nothing else.
    """
    groups: list[list[int]] = []
    sums: list[np.ndarray] = []
    for row, vector in enumerate(vectors):
        likeness = [float(vector @ total) / len(group) for total, group in zip(sums, groups, strict=True)]
        best = int(np.argmax(likeness)) if likeness else -1
        if best >= 0 and likeness[best] >= alike:
            groups[best].append(row)
            sums[best] = sums[best] + vector
        else:
            groups.append([row])
            sums.append(np.asarray(vector, dtype=np.float64))
    return [
        sorted(group, key=lambda row: (-float(vectors[row] @ total), row))
        for group, total in zip(groups, sums, strict=True)
    ]
