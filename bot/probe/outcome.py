"""What a probe found."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.probe.judging import Leak

FAILED_ONE_IN = 100
"""Questions on which the bot may give up before a probe proves nothing."""


@dataclass(frozen=True)
class Tried:
    """One surface: attempts, leaks, and comparisons of what is denied with what is missing."""

    surface: str
    tried: int
    leaked: int
    compared: int
    unequal: int


@dataclass(frozen=True)
class Outcome:
    """The whole probe. `left_out`: attempts that were drawn by lot not to be made, by surface.

    `readable` secrets have a reader among the people, and `reached` of them came to one; `asked` questions came to
    the bot, and it gave up on `failed` of them. A bot that says nothing leaks nothing, and proves nothing.
    """

    surfaces: tuple[Tried, ...]
    leaks: tuple[Leak, ...]
    unequal: tuple[str, ...]
    people: int
    role_sets_left_out: int
    labels: int
    secrets: int
    left_out: Mapping[str, int]
    not_there: tuple[str, ...]
    readable: int
    reached: int
    asked: int
    failed: int
    seconds: float
    seed: int

    @property
    def is_conclusive(self) -> bool:
        """Whether the bot did answer, so that its silence elsewhere means something."""
        return self.asked == 0 or (self.reached > 0 and self.failed * FAILED_ONE_IN <= self.asked)

    @property
    def tried(self) -> int:
        return sum(surface.tried for surface in self.surfaces)

    @property
    def leaked(self) -> int:
        """Secrets that got to somebody, and denials that do not look like what is missing."""
        return len(self.leaks) + len(self.unequal)

    @property
    def compared(self) -> int:
        return sum(surface.compared for surface in self.surfaces)
