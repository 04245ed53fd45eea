"""Answering for a clearance, and for a place where some may read more than others.

Knows nothing of Slack: a clearance in, a reply out that says what it was made from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from auth.clearance import Clearance
from bot import metrics
from bot.answering import Answer, Answerer, Telling, told
from bot.answering.intents import Digest, Intent, recognise
from bot.answering.rewriting import Rewriter
from bot.answering.special import SpecialAnswers
from bot.answering.turns import StandingAlone, Turn
from retrieval.locks import LocksDisagree
from retrieval.passages import Passage
from retrieval.retriever import Library

NOTHING_FOUND = "I found nothing on that that you can read."
LONGEST_QUESTION = 1000
"""Characters that are read of a question: a model's time grows with each, and everybody waits for it."""


@dataclass(frozen=True)
class Reply:
    """An answer and the clearance it was made under. `label_ids` are those of all that was used, an adapter too."""

    answer: Answer
    clearance: Clearance
    label_ids: frozenset[int]
    chunk_ids: tuple[int, ...]
    """Of all passages that it was made from, cited or not."""

    @property
    def found(self) -> bool:
        return self.answer.found


@dataclass(frozen=True)
class Parts:
    """What goes to everybody in the place, and what to the asker alone. Without either: nothing was found."""

    everybody: Reply | None
    asker: Reply | None


@dataclass(frozen=True)
class Opening:
    """An answer that is about to be told, and what it may be made from: known before a word of it is said."""

    telling: Telling
    clearance: Clearance
    label_ids: frozenset[int]
    chunk_ids: tuple[int, ...]

    @property
    def found(self) -> bool:
        return self.telling.found

    @property
    def reply(self) -> Reply:
        """As far as it has been told."""
        return Reply(self.telling.answer, self.clearance, self.label_ids, self.chunk_ids)

    async def whole(self) -> Reply:
        await self.telling.whole()
        return self.reply


def opened(reply: Reply) -> Opening:
    """A reply that is whole already, to be told at once."""
    return Opening(told(reply.answer), reply.clearance, reply.label_ids, reply.chunk_ids)


class Assistant:
    """Finds passages under a clearance and answers from them. One per process."""

    def __init__(
        self,
        library: Library,
        answerer: Answerer,
        adapter_label: int | None = None,
        rewriter: Rewriter | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.library = library
        self._answerer = answerer
        self._adapter_label = adapter_label
        self._rewriter = rewriter or Rewriter(None)
        self._today = today

    async def answer(self, question: str, clearance: Clearance, before: Sequence[Turn] = ()) -> Reply:
        """Answer from what `clearance` may read and from nothing else: what `begin` tells, gathered."""
        return await (await self.begin(question, clearance, before)).whole()

    async def begin(self, question: str, clearance: Clearance, before: Sequence[Turn] = ()) -> Opening:
        """Begin to answer from what `clearance` may read and from nothing else.

        `before`: what a question may lean on of what was said earlier, the oldest first, all open to `clearance`.
        """
        asked = await self._rewriter.stand_alone(question[:LONGEST_QUESTION], before)
        if special := await self._special(asked, clearance):
            return opened(special)
        return await self._begin_from(asked, await self._passages(asked.text, clearance), clearance)

    async def answer_in_place(self, question: str, asker: Clearance, audience: Clearance) -> Parts:
        """Answer where `audience` listens: for all from what all may read, the rest for the asker alone."""
        for_all = _if_found(await self.answer(question, audience.narrowed_to(asker)))
        for_asker = await self.answer_beyond(question, asker, audience, all_were_told=for_all is not None)
        return Parts(for_all, for_asker)

    async def answer_beyond(
        self,
        question: str,
        asker: Clearance,
        audience: Clearance,
        before: Sequence[Turn] = (),
        *,
        all_were_told: bool,
    ) -> Reply | None:
        """What the asker may be told alone, if their better rights make a difference to it.

        Everybody's part is not made with a look at these passages, and does not wait for them: neither its words
        nor its time may depend on what not everybody may read.
        """
        asked = await self._rewriter.stand_alone(question[:LONGEST_QUESTION], before)
        if special := await self._special(asked, asker):
            return None if audience.covers(special.label_ids) else special
        own = await self._passages(asked.text, asker)
        if audience.covers([*(passage.label_id for passage in own), *asked.label_ids]):
            return None
        reply = await (await self._begin_from(asked, own, asker)).whole()
        cited = [*(passage.label_id for passage in reply.answer.cited), *asked.label_ids]
        if all_were_told and audience.covers(cited):
            return None
        return _if_found(reply)

    async def may_still_be_told(self, made: Reply | Opening, clearance: Clearance) -> bool:
        """Whether `clearance` may read what this is made from, under the labels that its sources have now."""
        return clearance.covers(made.label_ids) and await self.library.admits(clearance, made.chunk_ids)

    async def digest(self, topic: str, came: tuple[datetime, datetime], clearance: Clearance) -> Reply | None:
        """What came in between two moments, of what `clearance` may read; None where nothing did."""
        return await self._made(Digest(topic, came=came), clearance)

    async def _special(self, asked: StandingAlone, clearance: Clearance) -> Reply | None:
        """A summary, digest or comparison, where the question plainly wants one and there is what it is made of."""
        intent = recognise(asked.text, self._today())
        return await self._made(intent, clearance, asked) if intent else None

    async def _made(
        self, intent: Intent, clearance: Clearance, asked: StandingAlone | None = None
    ) -> Reply | None:
        word = self._answerer.worded if isinstance(self._answerer, Answerer) else None
        answers = SpecialAnswers(self.library.database, self.library.embeddings.encode, self._today, word)
        try:
            made = await answers.answer(intent, clearance)
        except LocksDisagree:
            metrics.LOCKS_DISAGREE.inc()
            return None
        if made is None:
            return None
        asked = asked or StandingAlone("")
        labels = asked.label_ids | {passage.label_id for passage in made.read}
        chunks = tuple(chunk_id for passage in made.read for chunk_id in passage.chunk_ids)
        return Reply(made.answer, clearance, labels, (*chunks, *asked.chunk_ids))

    async def _passages(self, question: str, clearance: Clearance) -> list[Passage]:
        """An alarm is for those who run the bot; whoever asks is told what they would be told of nothing."""
        try:
            return await self.library.passages(question, clearance)
        except LocksDisagree:
            metrics.LOCKS_DISAGREE.inc()
            return []

    async def _begin_from(
        self, asked: StandingAlone, passages: Sequence[Passage], clearance: Clearance
    ) -> Opening:
        use_adapter = self._may_use_adapter(clearance)
        labels = asked.label_ids | {passage.label_id for passage in passages}
        if use_adapter and self._adapter_label is not None:
            labels |= {self._adapter_label}
        chunks = tuple(chunk_id for passage in passages for chunk_id in passage.chunk_ids)
        telling = await self._answerer.begin(asked.text, passages, use_adapter=use_adapter)
        return Opening(telling, clearance, labels, (*chunks, *asked.chunk_ids))

    def _may_use_adapter(self, clearance: Clearance) -> bool:
        """An adapter carries the label of what it was trained on."""
        return self._adapter_label is not None and clearance.covers([self._adapter_label])


def _if_found(reply: Reply) -> Reply | None:
    return reply if reply.found else None
