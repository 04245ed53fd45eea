"""From tokens to text, piece by piece: no half characters, and nothing that may be the beginning of a stop."""

from collections.abc import Sequence
from typing import Any

_HALF = "\N{REPLACEMENT CHARACTER}"


class Pieces:
    """A text that grows, told in pieces and cut before the first of `stop`, wherever the pieces are divided."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(word for word in stop if word)
        self._told = ""
        self.ended = False
        """Whether a stop came: nothing is said after it."""

    def after(self, text: str, *, last: bool) -> str:
        """What can be said anew, of all the `text` there is so far; `last` where no more will come."""
        ends = [(at + len(word), at) for word in self._stop if (at := text.find(word)) >= 0]
        if ends:  # the one that was complete first, however the pieces were divided
            self.ended, text = True, text[: min(ends)[1]]
        elif not last:
            begun = max((_overlap(text, word) for word in self._stop), default=0)
            text = text[: len(text) - begun]
        piece = text[len(self._told) :]
        self._told += piece
        return piece


class Wording:
    """The text of tokens while they come."""

    def __init__(self, tokenizer: Any, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._pieces = Pieces(stop)

    @property
    def ended(self) -> bool:
        return self._pieces.ended

    def after(self, tokens: Sequence[int], *, last: bool) -> str:
        """What can be said anew after all `tokens` so far; half a character waits for its other half."""
        text = str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))
        return self._pieces.after(text.rstrip(_HALF), last=last)


def _overlap(text: str, word: str) -> int:
    """How much of the end of `text` is the beginning of `word`, and not all of it."""
    return next((size for size in range(len(word) - 1, 0, -1) if text.endswith(word[:size])), 0)
