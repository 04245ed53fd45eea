"""Guessing what comes next from what stood there before (prompt lookup decoding)."""

from collections.abc import Sequence


def lookahead(ids: Sequence[int], count: int) -> list[int]:
    """The tokens that followed the latest earlier occurrence of the last two, at most `count`."""
    if count <= 0 or len(ids) < 3:
        return []
    first, second = ids[-2], ids[-1]
    for start in range(len(ids) - 3, -1, -1):
        if ids[start] == first and ids[start + 1] == second:
            return list(ids[start + 2 : start + 2 + count])
    return []


def agreed(guess: Sequence[int], best: Sequence[int]) -> int:
    """How many of the guesses are what the model would have said itself."""
    return next((at for at, token in enumerate(guess) if token != best[at]), len(guess))
