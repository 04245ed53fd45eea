"""Ways to answer from the same passages: the plain model, the product, and the product with one guard taken out."""

import time
from collections.abc import Awaitable, Callable, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from bot.answering import Answerer, AnsweringSettings
from bot.answering.grounds import Grounded
from bot.answering.sanitize import clean
from bot.answering.units import Unit
from bot.generation import GeneratorChatModel, LocalGenerator
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from retrieval.sentences import split_sentences
from tests.benchmarks.answers.measures import Said

Way = Callable[[str, Sequence[Passage]], Awaitable[Said]]
_NEVER, _ALWAYS = 10**9, 0
_PLAIN = (
    "Answer the question from the numbered passages. Cite the number of the passage in brackets. "
    "If they do not answer it, say: I do not know."
)


def ways(model: LocalGenerator, embeddings: LocalEmbeddings) -> dict[str, Way]:
    """Every way by its name. All but `plain` are the product's own Answerer."""
    chat = GeneratorChatModel.over(model)

    def product(**changed: object) -> Answerer:
        arguments: dict[str, object] = {"likelihood": model, **changed}
        return Answerer(chat, embeddings.encode, **arguments)  # type: ignore[arg-type]

    return {
        "plain": plain(chat),
        "product": answered(product()),
        "drafts all": answered(product(settings=AnsweringSettings(draft_over_words=_ALWAYS))),
        "drafts all, no check": answered(
            product(settings=AnsweringSettings(draft_over_words=_ALWAYS), check=Unchecked)
        ),
        "quotes alone": answered(product(settings=AnsweringSettings(draft_over_words=_NEVER))),
        "no likelihood": answered(product(likelihood=None)),
        "no threshold": answered(product(settings=AnsweringSettings(threshold=0.0))),
    }


def plain(model: BaseChatModel, passages_shown: int = 3) -> Way:
    """The model and nothing else; a sentence may rest on any of the passages that it was shown."""

    async def answer(question: str, passages: Sequence[Passage]) -> Said:
        began, shown = time.perf_counter(), tuple(passages[:passages_shown])
        numbered = "\n\n".join(f"[{n}] {passage.text}" for n, passage in enumerate(shown, start=1))
        asked = HumanMessage(f"Question: {question}\n\n{numbered}\n\nQuestion: {question}")
        reply = await model.ainvoke([SystemMessage(_PLAIN), asked])
        text = clean(str(reply.text))
        silent = "do not know" in text.lower() or "don't know" in text.lower() or not shown
        sentences = () if silent else tuple((one, shown) for one in split_sentences(text))
        return Said(sentences, time.perf_counter() - began)

    return answer


def answered(answerer: Answerer) -> Way:
    async def answer(question: str, passages: Sequence[Passage]) -> Said:
        began = time.perf_counter()
        given = await answerer.answer(question, passages)
        sentences = tuple(
            (one.text, tuple(given.cited[number - 1] for number in one.passages)) for one in given.sentences
        )
        return Said(sentences, time.perf_counter() - began)

    return answer


class Unchecked:
    """What the model wrote, whatever it rests on."""

    def __init__(self, question: str, evidence: Sequence[Unit]) -> None:
        self._first = evidence[0]

    def of(self, sentence: str) -> Grounded:
        return Grounded(clean(sentence), self._first, quoted=False)

    def rest(self) -> Sequence[Grounded]:
        return ()
