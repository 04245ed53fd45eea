"""What it takes to have text written: a request, whoever writes it, and the sentences when nobody can."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from auth.errors import OstiaryError

Part = TypeVar("Part")
DEFAULT_TOKENS = 64


class GenerationRefused(OstiaryError):
    """Nothing was written, or no more; the message is a sentence for whoever asked."""


class PromptTooLong(GenerationRefused):
    """Prompt and answer exceed what the model can hold; leave passages out, whole ones."""


class LineFull(GenerationRefused):
    """As many wait as may wait."""

    def __init__(self) -> None:
        super().__init__("Too many questions are waiting for an answer just now. Ask again in a minute.")


class WaitedTooLong(GenerationRefused):
    """The turn did not come in time."""

    def __init__(self) -> None:
        super().__init__("So many questions came before this one that its turn did not come. Ask it again.")


class GenerationFailed(GenerationRefused):
    """The model, or the server it runs on, broke down over it."""


@dataclass(frozen=True)
class Turn:
    """What one speaker says."""

    role: Literal["system", "user", "assistant"]
    text: str


def _nobody_looks(_position: int) -> None:
    """A place in the line that is not shown to anybody."""


@dataclass(frozen=True)
class Request:
    """What is to be continued, and for whom.

    `stop` ends the text and is not part of it. `adapter` names fine-tuned weights: whoever asks for them has
    made sure that all who will read may read what they were trained on. `asker` is whoever waits: turns go
    round by it. `on_position` hears the place in the line whenever it changes: 1 is next, 0 is being served.
    """

    turns: tuple[Turn, ...]
    max_tokens: int = DEFAULT_TOKENS
    stop: tuple[str, ...] = ()
    adapter: str | None = None
    asker: str = ""
    on_position: Callable[[int], None] = field(default=_nobody_looks, compare=False)


class Generator(Protocol):
    """Whatever writes text: weights in this process, a server elsewhere, a script."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        """Tokens of a prompt, all marks of the model's template counted."""
        ...

    def fits(self, turns: Sequence[Turn], max_tokens: int = DEFAULT_TOKENS) -> bool:
        """Whether the model holds a prompt and an answer of `max_tokens`."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[str, None]:
        """The most likely text, in pieces; closing it stops the model. Raises GenerationRefused."""
        ...

    async def close(self) -> None:
        """Let the model go; what is being written ends with GenerationFailed."""
        ...


def as_many_as_fit(
    parts: Sequence[Part],
    prompt: Callable[[Sequence[Part]], Sequence[Turn]],
    generator: Generator,
    max_tokens: int = DEFAULT_TOKENS,
) -> Sequence[Part]:
    """The longest beginning of `parts`, best first, whose prompt fits: passages are left out whole, never cut."""
    for count in range(len(parts), 0, -1):
        if generator.fits(prompt(parts[:count]), max_tokens):
            return parts[:count]
    return parts[:0]


async def written(generator: Generator, request: Request) -> str:
    """The whole text of a request."""
    return "".join([piece async for piece in generator.stream(request)])
