"""What a probe found."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.probe.judging import Leak


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
    """The whole probe. `left_out`: attempts that were drawn by lot not to be made, by surface."""

    surfaces: tuple[Tried, ...]
    leaks: tuple[Leak, ...]
    unequal: tuple[str, ...]
    people: int
    role_sets_left_out: int
    labels: int
    secrets: int
    left_out: Mapping[str, int]
    not_there: tuple[str, ...]
    seconds: float
    seed: int

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
