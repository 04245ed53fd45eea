"""What one run of a pipeline took, and what it made."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measured:
    """`work` is processor seconds of Python, its threads and its parsers; the server's are not in it.

    `stages` holds seconds where the stages follow one another; tokens are those that the model read.
    """

    seconds: float
    work: float
    passages: int
    tokens: int
    stages: dict[str, float] = field(default_factory=dict)
