"""The way from a question and its passages to a cited answer: evidence, draft, check."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from bot.answering.answer import Answer, CitedSentence
from bot.answering.calibration import CALIBRATION
from bot.answering.counting import counted
from bot.answering.draft import draft
from bot.answering.evidence import Embed, Evidence, choose_evidence
from bot.answering.grounds import Grounded, grounded, quotes
from bot.answering.units import Unit, units_of
from bot.generation.likelihood import LikelihoodModel
from retrieval.passages import Passage

_log = logging.getLogger(__name__)

Check = Callable[[str, str, Sequence[Unit]], Sequence[Grounded]]
"""What may be said of a draft: question, draft and evidence in, sentences with their grounds out."""


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
        check: Check = grounded,
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
        """The answer to `question` from `passages`; found=False where they give no grounds for one.

        `use_adapter` says that the whole audience may read what the adapter was trained on. A chat model that
        fails or is too slow costs the wording, not the answer: the evidence is quoted then.
        """
        model = self._adapted if use_adapter and self._adapted is not None else self._model
        clock = _Clock()
        evidence = await self._evidence(question, passages)
        clock.stop("evidence")
        if evidence.confidence < self._settings.threshold or not evidence.units:
            return Answer((), (), False, model_name(model), clock.seconds, evidence.confidence)
        text = await self._draft(question, evidence, model)
        clock.stop("draft")
        said = self._check(question, text, evidence.units) if text else quotes(evidence.units)
        sentences, cited = _numbered(counted(question, said), passages)
        clock.stop("check")
        return Answer(sentences, cited, True, model_name(model), clock.seconds, evidence.confidence)

    async def worded(self, question: str, units: Sequence[Unit]) -> Sequence[Grounded]:
        """What `units` say, in the plain model's words where those hold; quoted where it words no summaries."""
        if not self._settings.words_summaries:
            return quotes(units)
        text = await self._draft(question, Evidence(tuple(units), 1.0), self._model)
        return self._check(question, text, units) if text else quotes(units)

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

    async def _draft(self, question: str, evidence: Evidence, model: BaseChatModel) -> str:
        if sum(len(unit.text.split()) for unit in evidence.units) < self._settings.draft_over_words:
            return ""
        try:
            async with asyncio.timeout(self._settings.draft_seconds):
                return await draft(question, evidence.units, model)
        except Exception as error:  # any provider raises its own kinds; the evidence answers without it
            _log.warning("The chat model gave no draft, so the evidence is quoted: %s", type(error).__name__)
            return ""


def model_name(model: BaseChatModel) -> str:
    """What the model calls itself: providers say `model_name` or `model`."""
    for attribute in ("model_name", "model"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__


def _numbered(
    said: Sequence[Grounded], passages: Sequence[Passage]
) -> tuple[tuple[CitedSentence, ...], tuple[Passage, ...]]:
    """Sentences with citation numbers, and the passages in the order of their first citation."""
    order: list[int] = []
    for sentence in said:
        if sentence.unit.passage not in order:
            order.append(sentence.unit.passage)
    sentences = tuple(
        CitedSentence(sentence.text, (order.index(sentence.unit.passage) + 1,), sentence.quoted)
        for sentence in said
    )
    return sentences, tuple(passages[index] for index in order)


class _Clock:
    """Seconds of each stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._since
        self._since = now
