"""An answerer without judgement: it repeats whatever passage has to do with the question, wholly.

What the door keeps is best tested with a model that keeps nothing itself.
"""

from collections.abc import Sequence

from bot.answering import Answer, CitedSentence, Telling, told
from bot.answering.words import content_words
from retrieval.passages import Passage


class Parrot:
    """Stands in for `Answerer`."""

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        return told(await self.answer(question, passages, use_adapter))

    async def answer(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Answer:
        asked = set(content_words(question))
        cited = tuple(p for p in passages if asked & set(content_words(f"{p.title} {p.text}")))
        said = tuple(CitedSentence(p.text, (at,), True) for at, p in enumerate(cited, start=1))
        return Answer(said, cited, bool(cited), "parrot", {}, 1.0)
