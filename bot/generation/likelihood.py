"""What only weights at hand can tell: how likely a text is."""

from collections.abc import Sequence
from typing import Protocol


class LikelihoodModel(Protocol):
    """A model that says how likely a text is."""

    def log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        """Mean log-probability per token of `continuation` after each prefix."""
        ...
