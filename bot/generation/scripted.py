"""A generator that says what it was told to say: the interface without weights, for tests and trials."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from bot.generation.generator import DEFAULT_TOKENS, PromptTooLong, Request, Turn
from bot.generation.turns import Turns
from bot.generation.wording import Pieces


class ScriptedGenerator:
    """Answers by `script`, a word a token. `hold` makes it stop before the next word, until `go_on`."""

    def __init__(
        self,
        script: Callable[[Request], str],
        *,
        context: int = 8192,
        together: int = 1,
        waiting: int = 64,
        wait_seconds: float = 120.0,
    ) -> None:
        self.name = "scripted"
        self.requests: list[Request] = []
        """Those whose turn came."""
        self.broken_off = 0
        """How many were closed before their end."""
        self._script = script
        self._context = context
        self._turns = Turns(together, waiting, wait_seconds)
        self._going = asyncio.Event()
        self._going.set()

    def hold(self) -> None:
        self._going.clear()

    def go_on(self) -> None:
        self._going.set()

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        return sum(len(turn.text.split()) for turn in turns)

    def fits(self, turns: Sequence[Turn], max_tokens: int = DEFAULT_TOKENS) -> bool:
        return self.count_tokens(turns) + max_tokens <= self._context

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        if not self.fits(request.turns, request.max_tokens):
            raise PromptTooLong("The prompt is longer than the script holds; give it fewer passages.")
        async with self._turns.turn_of(request):
            self.requests.append(request)
            self.broken_off += 1
            words = self._script(request).split(" ")[: request.max_tokens]
            told = Pieces(request.stop)
            for count in range(1, len(words) + 1):
                await self._going.wait()
                if piece := told.after(" ".join(words[:count]), last=count == len(words)):
                    yield piece
                if told.ended:
                    break
                await asyncio.sleep(0)
            self.broken_off -= 1

    async def close(self) -> None:
        """There is nothing to let go."""
