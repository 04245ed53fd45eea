"""The way from a question and its passages to a cited answer: evidence, draft, check."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from bot.answering.answer import Answer
from bot.answering.calibration import CALIBRATION
from bot.answering.counting import counted
from bot.answering.draft import draft
from bot.answering.evidence import Embed, Evidence, choose_evidence
from bot.answering.grounds import Check, Grounded, Grounds, quotes
from bot.answering.telling import Sourced, Telling
from bot.answering.units import Unit, units_of
from bot.generation.likelihood import LikelihoodModel
from retrieval.passages import Passage

_log = logging.getLogger(__name__)

BeginCheck = Callable[[str, Sequence[Unit]], Check]
"""Begins to check a draft: question and evidence in."""


@dataclass(frozen=True)
class AnsweringSettings:
    """How to answer.

    `weighed`: sentences that the language model weighs at most. `draft_over_words`: shorter evidence is quoted
    as it is, since a small model adds nothing to it but time; 0 for a model that words answers well.
    `draft_seconds`: after that, quote. `threshold`: the confidence under which nothing is answered.
    `words_summaries`: draft the sentences of a summary too, for a model that is quick.
    """

    weighed: int = 6
    draft_over_words: int = 25
    draft_seconds: float = 10.0
    threshold: float = CALIBRATION.threshold
    words_summaries: bool = False


class Answerer:
    """Answers from passages only. `likelihood` sharpens the choice of evidence where the model can give it;
    `adapted` is the model that serves audiences who may read what its adapter was trained on."""

    def __init__(
        self,
        chat_model: BaseChatModel,
        embed: Embed,
        likelihood: LikelihoodModel | None = None,
        settings: AnsweringSettings | None = None,
        adapted: BaseChatModel | None = None,
        check: BeginCheck = Grounds,
    ) -> None:
        self._model = chat_model
        self._embed = embed
        self._likelihood = likelihood
        self._settings = settings or AnsweringSettings()
        self._adapted = adapted
        self._check = check
        # One thread, always the same: torch keeps a pool of workers for each thread that computes.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evidence")

    async def answer(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Answer:
        """The whole answer to `question` from `passages`: what `begin` tells, gathered."""
        return await (await self.begin(question, passages, use_adapter)).whole()

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        """Begin to answer `question` from `passages`; found=False where they give no grounds for an answer.

        `use_adapter` says that the whole audience may read what the adapter was trained on. A chat model that
        fails or is too slow costs the wording, not the answer: the evidence is quoted then.
        """
        model = self._adapted if use_adapter and self._adapted is not None else self._model
        since = time.perf_counter()
        evidence = await self._evidence(question, passages)
        found = evidence.confidence >= self._settings.threshold and bool(evidence.units)
        units = evidence.units if found else ()
        return Telling(
            self._sourced(question, units, passages, model),
            [passages[index] for index in sorted({unit.passage for unit in units})],
            found=found,
            model=model_name(model),
            confidence=evidence.confidence,
            seconds={"evidence": time.perf_counter() - since, "draft": 0.0},
        )

    async def _sourced(
        self, question: str, units: Sequence[Unit], passages: Sequence[Passage], model: BaseChatModel
    ) -> AsyncIterator[Sourced]:
        """The checked sentences of the draft as they come, then what they left unsaid."""
        if not units:
            return
        first = True
        async with aclosing(self._grounded(question, units, model)) as grounded:
            async for said in grounded:
                (said,) = counted(question, [said]) if first else [said]
                first = False
                yield Sourced(said.text, (passages[said.unit.passage],), said.quoted)

    async def _grounded(
        self, question: str, units: Sequence[Unit], model: BaseChatModel
    ) -> AsyncGenerator[Grounded, None]:
        check = self._check(question, units)
        async with aclosing(self._draft(question, units, model)) as sentences:
            async for sentence in sentences:
                if (said := check.of(sentence)) is not None:
                    yield said
        for said in check.rest():
            yield said

    async def worded(self, question: str, units: Sequence[Unit]) -> Sequence[Grounded]:
        """What `units` say, in the plain model's words where those hold; quoted where it words no summaries."""
        if not self._settings.words_summaries:
            return quotes(units)
        async with aclosing(self._grounded(question, units, self._model)) as grounded:
            return [said async for said in grounded]

    async def _evidence(self, question: str, passages: Sequence[Passage]) -> Evidence:
        def work() -> Evidence:
            return choose_evidence(
                question,
                units_of(passages),
                self._embed,
                self._likelihood,
                CALIBRATION,
                self._settings.weighed,
            )

        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _draft(
        self, question: str, units: Sequence[Unit], model: BaseChatModel
    ) -> AsyncGenerator[str, None]:
        """The sentences of the draft, as far as the model comes in time."""
        if sum(len(unit.text.split()) for unit in units) < self._settings.draft_over_words:
            return
        until = asyncio.get_running_loop().time() + self._settings.draft_seconds
        try:
            async with aclosing(draft(question, units, model)) as sentences:
                while True:
                    async with asyncio.timeout_at(until):
                        sentence = await anext(sentences, None)
                    if sentence is None:
                        return
                    yield sentence
        except Exception as error:  # any provider raises its own kinds; the evidence answers without it
            _log.warning("The chat model gave no draft, so the evidence is quoted: %s", type(error).__name__)


def model_name(model: BaseChatModel) -> str:
    """What the model calls itself: providers say `model_name` or `model`."""
    for attribute in ("model_name", "model"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__
