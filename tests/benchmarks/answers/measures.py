"""What an answer is worth: does it hold the answer, does each sentence stand in what it cites, was silence right?"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answering.words import content_words, figures, limits, names
from retrieval.passages import Passage
from retrieval.sentences import split_sentences

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = re.compile(rf"[{re.escape(string.punctuation)}\u2018\u2019\u201c\u201d\u2026]")
_WINDOW = 3


@dataclass(frozen=True)
class Said:
    """What was told: sentences, each with the passages that it cites; none where nothing was found."""

    sentences: tuple[tuple[str, tuple[Passage, ...]], ...]
    seconds: float

    @property
    def text(self) -> str:
        return " ".join(text for text, _ in self.sentences)


def normalised(text: str) -> list[str]:
    """As SQuAD compares answers: small letters, no articles, no punctuation."""
    return _ARTICLES.sub(" ", _PUNCTUATION.sub("", text.lower())).split()


def exact(said: str, answers: Sequence[str]) -> float:
    return float(any(normalised(said) == normalised(answer) for answer in answers))


def f1(said: str, answers: Sequence[str]) -> float:
    """Of words, with the answer nearest to it."""
    return max((_f1(normalised(said), normalised(answer)) for answer in answers), default=0.0)


def _f1(said: list[str], answer: list[str]) -> float:
    common = sum((Counter(said) & Counter(answer)).values())
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(answer)
    return 2 * precision * recall / (precision + recall)


def holds(said: str, answers: Sequence[str]) -> float:
    """Whether an answer stands in it, whole and in order."""
    text = f" {' '.join(normalised(said))} "
    return float(any(f" {' '.join(normalised(answer))} " in text for answer in answers if normalised(answer)))


def supports(passage: Passage, sentence: str) -> bool:
    """Whether the passage says it: word for word, or with all words, figures, names and negations in three
    adjoining sentences of it. Apart from the product's own check, which looks at one sentence and at the order.
    """
    if " ".join(normalised(sentence)) in " ".join(normalised(passage.text)):
        return True
    above = " ".join((passage.title, *passage.heading_path))
    parts = split_sentences(passage.text)
    windows = (" ".join(parts[at : at + _WINDOW]) for at in range(max(1, len(parts) - _WINDOW + 1)))
    return any(_says(f"{above} {window}", sentence) for window in windows)


def _says(text: str, sentence: str) -> bool:
    return (
        set(content_words(sentence)) <= set(content_words(text))
        and figures(sentence) <= figures(text)
        and names(sentence) <= set(content_words(text))
        and limits(sentence) <= limits(text)
    )
