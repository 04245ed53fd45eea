"""Which sentences hold the answer, and whether any does: question likelihood, similarity and shared words."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.calibration import Calibration
from bot.answering.units import Unit
from bot.answering.words import content_words, figures, names
from bot.generation.likelihood import LikelihoodModel

Embed = Callable[[Sequence[str]], "np.ndarray"]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

# Scoring reads at most this much of a unit: a table row or code block may be long, and time is short.
_SCORED_WORDS = 70
_MOST_UNITS = 3


@dataclass(frozen=True)
class Evidence:
    """The units to answer from, best first, and the probability that they hold an answer."""

    units: tuple[Unit, ...]
    confidence: float


def choose_evidence(
    question: str,
    units: Sequence[Unit],
    embed: Embed,
    likelihood: LikelihoodModel | None,
    calibration: Calibration,
    weighed: int,
) -> Evidence:
    """The best of `units` for `question`; blocking, dominated by the models. No units, no confidence.

    The language model weighs at most `weighed` units, and only those that the cheaper signs leave in reach
    of the best: elsewhere it changes no choice, and it costs more than all the rest.
    """
    if not units or not content_words(question):
        return Evidence((), 0.0)
    table = features(question, units, embed)
    scores = calibration.scores(table)
    confidence = calibration.confidence(table, scores)
    close = [
        int(i) for i in np.argsort(-scores, kind="stable") if scores[i] >= scores.max() - calibration.reach
    ]
    close = close[:weighed]
    if likelihood is not None and len(close) > 1:
        likelihoods = question_likelihoods(question, [units[i] for i in close], likelihood)
        scores[close] += calibration.gain * (likelihoods - likelihoods.min())
    return Evidence(_near_best(question, units, scores, calibration.nearness), confidence)


def features(question: str, units: Sequence[Unit], embed: Embed) -> Matrix:
    """One row a unit: cosine, share of the question's words in it, in it or above it, and kind of answer."""
    vectors = embed([question, *(_scored(unit) for unit in units)])
    cosines = vectors[1:] @ vectors[0]
    own = [set(content_words(unit.text)) for unit in units]
    whole = [words | set(content_words(unit.context)) for words, unit in zip(own, units, strict=True)]
    weights = word_weights(question, whole)
    return np.column_stack(
        [
            cosines,
            [_share(words, weights) for words in own],
            [_share(words, weights) for words in whole],
            [fits_kind(question, unit.text) for unit in units],
        ]
    ).astype(np.float64)


def question_likelihoods(question: str, units: Sequence[Unit], likelihood: LikelihoodModel) -> Vector:
    """How likely, in nats a token, each unit makes the question (query likelihood, arXiv 2204.07496).

    Without what stands above the unit: a title makes every question on its subject likely, and tells no
    sentence from the next.
    """
    prefixes = [f"{_shortened(unit.text)}\nQuestion:" for unit in units]
    return np.asarray(likelihood.log_likelihood(prefixes, f" {question}"), dtype=np.float64)


def word_weights(question: str, texts: Sequence[set[str]]) -> dict[str, float]:
    """The question's content words; those that few of `texts` have weigh more."""
    spread = Counter(word for words in texts for word in words)
    return {word: math.log(1 + len(texts) / (0.5 + spread[word])) for word in content_words(question)}


def fits_kind(question: str, text: str) -> float:
    """1 where the question asks for a number, date or name and the text adds one; -1 where it adds none; else 0."""
    asked = question.lower()
    if any(
        phrase in asked for phrase in ("how many", "how much", "how long", "how often", "when ", "what year")
    ):
        return 1.0 if figures(text) - figures(question) else -1.0
    if any(phrase in asked for phrase in ("who ", "whom ", "where ")):
        return 1.0 if names(text) - names(question) else -1.0
    return 0.0


def _share(words: set[str], weights: dict[str, float]) -> float:
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in words) / total if total else 0.0


def _scored(unit: Unit) -> str:
    return _shortened(f"{unit.context}: {unit.text}")


def _shortened(text: str) -> str:
    return " ".join(text.split()[:_SCORED_WORDS])


def _near_best(question: str, units: Sequence[Unit], scores: Vector, nearness: float) -> tuple[Unit, ...]:
    """The best unit, then others nearly as good that hold a word of the question which those before lack."""
    wanted = set(content_words(question))
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    chosen = [units[order[0]]]
    covered = wanted & _words_of(chosen[0])
    for index in order[1:]:
        if len(chosen) == _MOST_UNITS or scores[index] < scores[order[0]] - nearness:
            break
        adds = (wanted & _words_of(units[index])) - covered
        if adds:
            chosen.append(units[index])
            covered |= adds
    return tuple(chosen)


def _words_of(unit: Unit) -> set[str]:
    return set(content_words(unit.text))
