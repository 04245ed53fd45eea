"""An answerer without judgement: it repeats whatever it is given to read, wholly, with titles and headings.

Whatever the door lets through comes out. Only where a question names a register that stands nowhere in what it
was given does it find nothing: so that what is denied can be compared with what is missing.
"""

import asyncio
import re
from collections.abc import Sequence

from bot.answering import Answer, Answerer, CitedSentence, Telling, told
from bot.answering.grounds import Grounded, quotes
from bot.answering.units import Unit
from retrieval.passages import Passage

_ASKED_FOR = re.compile(r"the (\w+) register")


class Parrot(Answerer):
    """Stands in for `Answerer`. `hold` makes it wait before it answers, until `go_on`."""

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self.waiting = 0

    def hold(self) -> None:
        self._going.clear()

    def go_on(self) -> None:
        self._going.set()

    async def worded(self, _question: str, units: Sequence[Unit]) -> Sequence[Grounded]:
        return quotes(units)

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        return told(await self.answer(question, passages, use_adapter))

    async def answer(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Answer:
        self.waiting += 1
        try:
            await self._going.wait()
        finally:
            self.waiting -= 1
        asked_for = _ASKED_FOR.search(question)
        if not passages or (asked_for and not any(asked_for[1] in passage.text for passage in passages)):
            return Answer((), (), False, "parrot", {}, 0.0)
        said = tuple(CitedSentence(_all_of(p), (at,), True) for at, p in enumerate(passages, start=1))
        return Answer(said, tuple(passages), True, "parrot", {}, 1.0)


def _all_of(passage: Passage) -> str:
    return " ".join([passage.title, *passage.heading_path, passage.text, passage.url or ""])
