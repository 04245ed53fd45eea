"""An answer while it is told: sentences come one by one, each with its grounds, none unchecked."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bot.answering.answer import Answer, CitedSentence
from retrieval.passages import Passage


@dataclass(frozen=True)
class Sourced:
    """One sentence that may be shown, and the passages that it rests on; never empty."""

    text: str
    passages: tuple[Passage, ...]
    quoted: bool


class Telling:
    """Tells an answer once: iterate for its sentences, which are numbered in the order of their first citation.

    `sources` are all passages that it may come to cite, known before its first word. Whoever stops listening calls
    `aclose`: then the model stops too.
    """

    def __init__(
        self,
        sourced: AsyncIterator[Sourced],
        sources: Sequence[Passage],
        *,
        found: bool,
        model: str,
        confidence: float,
        seconds: Mapping[str, float] | None = None,
        as_list: bool = False,
    ) -> None:
        self.sources = tuple(sources)
        self.found = found
        self.as_list = as_list
        self._sourced = sourced
        self._model = model
        self._confidence = confidence
        self._seconds = dict(seconds or {})
        self._said: list[CitedSentence] = []
        self._cited: list[Passage] = []

    async def __aiter__(self) -> AsyncIterator[CitedSentence]:
        since = time.perf_counter()
        async for sentence in self._sourced:
            self._seconds["draft"] = time.perf_counter() - since
            said = CitedSentence(sentence.text, self._numbers(sentence.passages), sentence.quoted)
            self._said.append(said)
            yield said

    def _numbers(self, passages: Sequence[Passage]) -> tuple[int, ...]:
        for passage in passages:
            if passage not in self._cited:
                self._cited.append(passage)
        return tuple(self._cited.index(passage) + 1 for passage in passages)

    @property
    def answer(self) -> Answer:
        """What has been told so far."""
        said, cited = tuple(self._said), tuple(self._cited)
        return Answer(said, cited, self.found, self._model, self._seconds, self._confidence, self.as_list)

    async def whole(self) -> Answer:
        """All of it, once the last sentence has come."""
        async with aclosing(self):
            async for _ in self:
                pass
        return self.answer

    async def aclose(self) -> None:
        close = getattr(self._sourced, "aclose", None)
        if close is not None:
            await close()


def told(answer: Answer) -> Telling:
    """An answer that is whole already, told at once."""

    async def sourced() -> AsyncIterator[Sourced]:
        for sentence in answer.sentences:
            passages = tuple(answer.cited[number - 1] for number in sentence.passages)
            yield Sourced(sentence.text, passages, sentence.quoted)

    return Telling(
        sourced(),
        answer.cited,
        found=answer.found,
        model=answer.model,
        confidence=answer.confidence,
        seconds=answer.seconds,
        as_list=answer.as_list,
    )
