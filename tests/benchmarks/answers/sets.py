"""Questions to be answered from judged sets: with the texts that answer them, or with none where nothing does."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retrieval.chunking import CountTokens
from tests.benchmarks.quality.sets import SETS, Judged, JudgedSet

FILES = {
    "squad2": "squad/squad2-dev.T16.json",
    "policyqa": "policyqa/dev.json",
    "covidqa": "covidqa/200423_covidQA.json",
}


@dataclass(frozen=True)
class Asked:
    """A question; `answers` and `relevant` units are empty where the set says that nothing answers it.

    `withheld`: what answers it is kept from whoever asks, as from one who may not read it.
    """

    text: str
    answers: tuple[str, ...]
    relevant: frozenset[str]
    withheld: bool = False

    @property
    def is_answerable(self) -> bool:
        return bool(self.answers) and not self.withheld


@dataclass(frozen=True)
class AnsweredSet:
    """Documents, and questions on them of each kind."""

    judged: JudgedSet
    asked: list[Asked]


def load(name: str, data: Path, count: CountTokens, most: int, seed: int = 9) -> AnsweredSet:
    """`most` questions with an answer, as many without where the set has them, half as many withheld."""
    judged = SETS[name](data, count)
    articles = json.loads((data / FILES[name]).read_text(encoding="utf-8"))["data"]
    texts = _texts(articles, titled=name == "policyqa")
    rng = random.Random(seed)
    with_answer = [
        Asked(one.text, texts[one.text], one.relevant) for one in judged.questions if texts.get(one.text)
    ]
    rng.shuffle(with_answer)
    without = [Asked(text, (), frozenset()) for text in _impossible(articles)]
    rng.shuffle(without)
    withheld = [replace(one, withheld=True) for one in with_answer[most : most + most // 2]]
    asked = with_answer[:most] + without[:most] + withheld
    questions = [Judged(one.text, one.relevant) for one in asked]
    return AnsweredSet(JudgedSet(judged.name, judged.papers, questions, judged.of), asked)


def _texts(articles: list[dict[str, Any]], titled: bool) -> Mapping[str, tuple[str, ...]]:
    """Question as it is asked -> the texts that answer it."""
    found: dict[str, set[str]] = {}
    for article in articles:
        before = f"{article['title']}: " if titled else ""
        for asked in _questions(article):
            if not asked.get("is_impossible"):
                said = {answer["text"] for answer in asked["answers"]}
                found.setdefault(before + asked["question"].strip(), set()).update(said)
    return {question: tuple(sorted(said)) for question, said in found.items()}


def _impossible(articles: list[dict[str, Any]]) -> list[str]:
    asked = (each for article in articles for each in _questions(article))
    return sorted({each["question"].strip() for each in asked if each.get("is_impossible")})


def _questions(article: dict[str, Any]) -> list[dict[str, Any]]:
    return [asked for paragraph in article["paragraphs"] for asked in paragraph["qas"]]
