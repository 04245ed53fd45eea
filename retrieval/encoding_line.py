"""Where the texts of several documents wait for the encoder, and are given to it together.

Small documents fill a batch with others; a large one does not keep them waiting, since they take turns. A document
that is given up takes its texts away with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Encoded = TypeVar("Encoded")
"""What the encoder makes of one text."""


class _Waiting(Generic[Encoded]):
    """The texts of one document: those of about the same length are encoded together."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.left = deque(sorted(range(len(texts)), key=lambda at: len(texts[at])))
        self.found: dict[int, Encoded] = {}
        self.failure: BaseException | None = None
        self.news = asyncio.Event()

    def take(self, most: int) -> list[int]:
        return [self.left.popleft() for _ in range(min(most, len(self.left)))]


_Slice = list[tuple[_Waiting[Encoded], int]]


class EncodingLine(Generic[Encoded]):
    """Runs `encode` in one thread at a time, on slices of at most `at_once` texts. For one event loop at a time."""

    def __init__(self, encode: Callable[[list[str]], Sequence[Encoded]], at_once: int) -> None:
        self._encode = encode
        self._at_once = at_once
        self._line: deque[_Waiting[Encoded]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def encode(self, texts: Sequence[str], on_done: Callable[[int], None]) -> list[Encoded]:
        """What `encode` makes of each text. `on_done` hears how many are done, from 0 on.

        Raises what `encode` raised. Cancelled, it leaves the line; what is with the encoder by then is let go.
        """
        waiting: _Waiting[Encoded] = _Waiting(texts)
        on_done(0)
        self._line.append(waiting)
        try:
            while len(waiting.found) < len(texts):
                self._run()
                await waiting.news.wait()
                waiting.news.clear()
                if waiting.failure is not None:
                    raise waiting.failure
                on_done(len(waiting.found))
        finally:
            waiting.left.clear()
        return [waiting.found[at] for at in range(len(texts))]

    def _run(self) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        while taken := self._next_slice():
            texts = [waiting.texts[at] for waiting, at in taken]
            try:
                made = list(zip(taken, await asyncio.to_thread(self._encode, texts), strict=True))
            except Exception as failure:
                _fail(taken, failure)
            else:
                for (waiting, at), encoded in made:
                    waiting.found[at] = encoded
                    waiting.news.set()

    def _next_slice(self) -> _Slice[Encoded]:
        """Texts from the head of the line; who has more to bring goes to its end."""
        taken: _Slice[Encoded] = []
        for _ in range(len(self._line)):
            waiting = self._line.popleft()
            taken += [(waiting, at) for at in waiting.take(self._at_once - len(taken))]
            if waiting.left:
                self._line.append(waiting)
            if len(taken) == self._at_once:
                break
        return taken


def _fail(taken: _Slice[Encoded], failure: Exception) -> None:
    for waiting, _ in taken:
        waiting.failure = failure
        waiting.left.clear()
        waiting.news.set()
