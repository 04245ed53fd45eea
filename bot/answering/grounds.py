"""Does the evidence say what the draft says? A drafted sentence stands only if its words are the evidence's own."""

from collections.abc import Sequence
from dataclasses import dataclass

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


def grounded(question: str, draft: str, evidence: Sequence[Unit]) -> tuple[Grounded, ...]:
    """The sentences of `draft` that `evidence` supports, the others replaced by the evidence; never empty.

    Each unit speaks once. Evidence must not be empty; its units stand best first.
    """
    found: list[Grounded] = []
    for sentence in split_sentences(draft):
        text, free = clean(sentence), [unit for unit in evidence if unit not in {g.unit for g in found}]
        if not free:
            break
        support = next((unit for unit in free if supports(unit, text)), None)
        if support is not None and informs(question, text, support):
            found.append(Grounded(text, support, quoted=False))
        elif content_words(text):
            found.append(_quote(_closest(text, free)))
    unsaid = [unit for unit in evidence if unit not in {g.unit for g in found}]
    return (*found, *(_quote(unit) for unit in unsaid))


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
