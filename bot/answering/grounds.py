"""Does the evidence say what the draft says? A drafted sentence stands only if its words are the evidence's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.answering.sanitize import clean
from bot.answering.units import Unit
from bot.answering.words import content_words, figures, is_subsequence, limits
from retrieval.sentences import split_sentences


@dataclass(frozen=True)
class Grounded:
    """A sentence that may be shown and the unit that it rests on."""

    text: str
    unit: Unit
    quoted: bool


class Check(Protocol):
    """What may be said of a draft, decided sentence by sentence as it is written."""

    def of(self, sentence: str) -> Grounded | None:
        """What is said in place of this sentence; None where it says nothing, or nothing is left to rest it on."""
        ...

    def rest(self) -> Sequence[Grounded]:
        """What is left to be said once the draft is over."""
        ...


class Grounds:
    """A sentence that the evidence supports stands, another is replaced by the evidence. Each unit speaks once.

    Evidence must not be empty; its units stand best first.
    """

    def __init__(self, question: str, evidence: Sequence[Unit]) -> None:
        self._question = question
        self._unsaid = list(evidence)

    def of(self, sentence: str) -> Grounded | None:
        text = clean(sentence)
        if not self._unsaid:
            return None
        support = next((unit for unit in self._unsaid if supports(unit, text)), None)
        if support is not None and informs(self._question, text, support):
            return self._said(Grounded(text, support, quoted=False))
        if content_words(text):
            return self._said(_quote(_closest(text, self._unsaid)))
        return None

    def rest(self) -> Sequence[Grounded]:
        left, self._unsaid = self._unsaid, []
        return quotes(left)

    def _said(self, grounded: Grounded) -> Grounded:
        self._unsaid = [unit for unit in self._unsaid if unit != grounded.unit]
        return grounded


def grounded(question: str, draft: str, evidence: Sequence[Unit]) -> tuple[Grounded, ...]:
    """The sentences of `draft` that `evidence` supports, the others replaced by the evidence; never empty."""
    grounds = Grounds(question, evidence)
    said = [found for sentence in split_sentences(draft) if (found := grounds.of(sentence)) is not None]
    return (*said, *grounds.rest())


def quotes(evidence: Sequence[Unit]) -> tuple[Grounded, ...]:
    """The evidence itself."""
    return tuple(_quote(unit) for unit in evidence)


def supports(unit: Unit, sentence: str) -> bool:
    """Whether every word that means something stands in `unit`, in the same order, nothing limiting left out."""
    if not is_subsequence(content_words(sentence), content_words(unit.text)):
        return False
    if not figures(sentence) <= figures(unit.text):  # `millions` has the stem of `million`
        return False
    return limits(sentence) == limits(unit.text)


def informs(question: str, sentence: str, unit: Unit) -> bool:
    """Whether the sentence tells more than the question did, and as many figures as the evidence has."""
    if not set(content_words(sentence)) - set(content_words(question)):
        return False
    return figures(sentence) >= figures(unit.text)


def _quote(unit: Unit) -> Grounded:
    return Grounded(unit.text, unit, quoted=True)


def _closest(sentence: str, units: Sequence[Unit]) -> Unit:
    """The unit with the most words in common; the best one where none has any."""
    words = set(content_words(sentence))
    return max(units, key=lambda unit: len(words & set(content_words(unit.text))))
