"""An answer that is being told, heard by whoever sends it on: the model works while Slack takes its time."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from types import TracebackType

from bot.answering import CitedSentence, Telling
from bot.background import end


class Heard:
    """The sentences of a telling as they come. Open it as a context: at its end the model stops, done or not."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self._sentences: list[CitedSentence] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Heard":
        self._task = asyncio.create_task(self._listen(), name="an answer is told")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(self._task)

    async def _listen(self) -> None:
        try:
            async with aclosing(self.telling):
                async for sentence in self.telling:
                    self._sentences.append(sentence)
                    self._news.set()
        finally:
            self._news.set()

    def stop(self) -> None:
        """No more of it is wanted."""
        self._task.cancel()

    async def after(self, count: int) -> Sequence[CitedSentence]:
        """The sentences that followed the first `count`, once there are any; none: it is over."""
        while len(self._sentences) <= count and not self._task.done():
            self._news.clear()
            await self._news.wait()
            await asyncio.sleep(0)  # what comes together goes together
        if self._task.done() and not self._task.cancelled():
            self._task.result()  # what went wrong while it was told goes wrong here
        return tuple(self._sentences[count:])

    async def whole(self) -> None:
        """Wait until all of it was told, or it was stopped."""
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()
