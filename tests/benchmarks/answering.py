"""How well evidence is chosen and grounds are judged: `python -m tests.benchmarks.answering --data DIR [--fit]`.

Each question is asked of the eight passages nearest to it among all articles: once with the paragraph that answers
it among them, once with that paragraph hidden, as it is from a reader who may not read it. Then of that paragraph
alone, and of the nearest other one alone, as where a reader may read next to nothing; of a foreign corpus; and,
where the data have them, with SQuAD 2's adversarial twists. `--fit` prints the coefficients that
bot/answering/calibration.py states; `--model N` measures N whole answers and weighs question likelihood.

Data (not part of the product): SQuAD dev in two halves of different articles, one to fit
and one to test, CC BY-SA 4.0; the Sourcegraph handbook as the foreign corpus, Apache-2.0.
"""

import argparse
import asyncio
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.answering import Answerer
from bot.answering.calibration import CALIBRATION, FEATURES, Calibration, field_of, trust_features
from bot.answering.evidence import features, question_likelihoods
from bot.answering.units import Unit, units_of
from bot.answering.words import content_words
from bot.generation import GeneratorChatModel, LocalGenerator
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from retrieval.weights import embedder_folder

SHOWN = 8
Table = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """One question, its accepted answers and the place of its paragraph; adversarial ones have no answer."""

    text: str
    answers: tuple[str, ...]
    gold: int
    adversarial: bool = False


@dataclass
class Corpus:
    """Paragraphs that are searched together, and the questions on them."""

    passages: list[Passage]
    questions: list[Question] = field(default_factory=list)
    _vectors: NDArray[np.float32] | None = None

    @cached_property
    def words(self) -> list[set[str]]:
        return [set(content_words(passage.text)) for passage in self.passages]

    def vectors(self, embed: "Memory") -> NDArray[np.float32]:
        if self._vectors is None:
            self._vectors = embed([f"{passage.title}: {passage.text}" for passage in self.passages])
        return self._vectors


@dataclass(frozen=True)
class Asked:
    """A question put to some passages: the features of their units, and which units are right."""

    question: Question
    passages: tuple[Passage, ...]
    units: tuple[Unit, ...]
    table: Table
    right: NDArray[np.bool_]


class Memory:
    """An embedder that computes each text once: paragraphs of one article are asked about a hundred times."""

    def __init__(self, embeddings: LocalEmbeddings) -> None:
        self._embeddings = embeddings
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = sorted({text for text in texts if text not in self._known})
        if new:
            self._known.update(zip(new, self._embeddings.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def squad_like(path: Path, limit: int) -> Corpus:
    """All articles (or web sites), with at most `limit` questions of each kind, drawn evenly."""
    corpora = [_article(article) for article in json.loads(path.read_text(encoding="utf-8"))["data"]]
    share = max(1, limit // len(corpora))
    for corpus in corpora:
        random.Random(7).shuffle(corpus.questions)
        answerable = [q for q in corpus.questions if not q.adversarial][:share]
        corpus.questions = answerable + [q for q in corpus.questions if q.adversarial][:share]
    return _together(corpora)


def _together(corpora: Sequence[Corpus]) -> Corpus:
    whole = Corpus([])
    for corpus in corpora:
        moved = len(whole.passages)
        whole.passages += corpus.passages
        whole.questions += [replace(question, gold=question.gold + moved) for question in corpus.questions]
    return whole


def _article(article: dict) -> Corpus:  # type: ignore[type-arg]
    corpus = Corpus([])
    title = article["title"].replace("_", " ")
    for number, paragraph in enumerate(article["paragraphs"]):
        corpus.passages.append(Passage(number, 1, 1, title, paragraph["context"]))
        for asked in paragraph["qas"]:
            answers = tuple(sorted({answer["text"] for answer in asked["answers"]}))
            twisted = bool(asked.get("is_impossible"))
            if answers or twisted:
                corpus.questions.append(
                    Question(asked["question"], () if twisted else answers, number, twisted)
                )
    return corpus


def handbook(folder: Path, limit: int) -> Corpus:
    """`limit` sections of a company's handbook, drawn evenly; nobody asks about them."""
    pages = sorted(folder.rglob("*.md"))
    random.Random(7).shuffle(pages)
    texts = [page.read_text(encoding="utf-8", errors="ignore")[:1000] for page in pages[:limit]]
    return Corpus(
        [Passage(i, i, 1, page.stem, text) for i, (page, text) in enumerate(zip(pages, texts, strict=False))]
    )


def ask(question: Question, corpus: Corpus, embed: Memory, way: str) -> Asked | None:
    """The question put to passages of `corpus`, which `way` chooses (see WAYS)."""
    order = _nearest(question.text, corpus, embed)
    if way in {"hidden", "stranger"}:
        order = list(islice((i for i in order if not _gives_away(question, corpus, i)), SHOWN))
    elif question.gold >= 0 and question.gold not in order[:SHOWN]:
        order = [*order[: SHOWN - 1], question.gold]
    if way == "alone":
        order = [question.gold]
    order = order[: 1 if way == "stranger" else SHOWN]
    passages = tuple(corpus.passages[i] for i in order)
    units = tuple(units_of(passages))
    if not units or not content_words(question.text):
        return None
    right = [order[u.passage] == question.gold and any(a in u.text for a in question.answers) for u in units]
    return Asked(question, passages, units, features(question.text, units, embed), np.array(right))


def _nearest(text: str, corpus: Corpus, embed: Memory) -> list[int]:
    wanted = set(content_words(text))
    shared = [len(wanted & words) / max(1, len(wanted)) for words in corpus.words]
    closeness = corpus.vectors(embed) @ embed([text])[0] + 0.3 * np.array(shared)
    return [int(i) for i in np.argsort(-closeness, kind="stable")]


def _gives_away(question: Question, corpus: Corpus, index: int) -> bool:
    """The paragraph itself, a near copy of it, or another that states the answer."""
    text, own, other = corpus.passages[index].text, corpus.words[index], corpus.words[question.gold]
    copy = len(own & other) > 0.6 * min(len(own), len(other))
    return (
        index == question.gold
        or copy
        or any(a.lower() in text.lower() for a in question.answers if len(a) > 2)
    )


WAYS = {
    "shown": "its own paragraph among the eight nearest",
    "alone": "its own paragraph and no other",
    "hidden": "the eight nearest without its own",
    "stranger": "the nearest one that is not its own, and no other",
    "foreign": "the eight nearest of another corpus",
    "twisted": "a question that was made to look answerable, by its own paragraph among the eight nearest",
}
GROUNDLESS = ("hidden", "stranger", "foreign", "twisted")


@dataclass(frozen=True)
class Trial:
    """All questions of one source, put in each of WAYS."""

    name: str
    ways: dict[str, list[Asked]]


def trial(name: str, corpus: Corpus, foreign: Corpus, embed: Memory) -> Trial:
    ways: dict[str, list[Asked]] = {way: [] for way in WAYS}
    for question in corpus.questions:
        for way in ("twisted",) if question.adversarial else ("shown", "alone", "hidden", "stranger"):
            ways[way] += [asked] if (asked := ask(question, corpus, embed, way)) else []
        if not question.adversarial:
            stray = Question(question.text, (), -1)
            ways["foreign"] += [asked] if (asked := ask(stray, foreign, embed, "foreign")) else []
    return Trial(name, ways)


def fit(trial: Trial) -> Calibration:
    """Weights for the choice, then for trust in what was chosen; a wrong choice counts as no grounds."""
    usable = [asked for asked in trial.ways["shown"] if asked.right.any()]
    choice = logistic(np.vstack([a.table for a in usable]), np.concatenate([a.right for a in usable]))[:-1]
    field = float(np.mean([field_of(a.table @ choice).mean() for a in usable]))
    rows, truth = [], []
    for asked in (one for way, several in trial.ways.items() if way != "twisted" for one in several):
        scores = asked.table @ choice
        rows.append(trust_features(asked.table, scores, field))
        truth.append(bool(asked.right[int(scores.argmax())]))
    trust = logistic(np.array(rows), np.array(truth))
    return replace(CALIBRATION, choice=_rounded(choice), trust=_rounded(trust), field=round(field, 2))


def _rounded(weights: Table) -> tuple[float, ...]:
    return tuple(weights.round(2).tolist())


def logistic(rows: Table, truth: NDArray[np.bool_], ridge: float = 1.0) -> Table:
    """Ridge logistic regression by Newton's method; the constant comes last and is not shrunk."""
    x, y = np.column_stack([rows, np.ones(len(rows))]), truth.astype(np.float64)
    penalty = np.diag([ridge] * rows.shape[1] + [1e-9])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, x.T @ (y - p) - penalty @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def report(trial: Trial, calibration: Calibration) -> dict[str, float | str]:
    """Shares of 1: right choices; answers given where there are grounds, and where there are none."""
    sure = {way: confidences(asked, calibration) for way, asked in trial.ways.items()}
    shown = trial.ways["shown"]
    chosen = np.array([bool(a.right[int(calibration.scores(a.table).argmax())]) for a in shown])
    given = sure["shown"] >= calibration.threshold
    return {
        "data": trial.name,
        "questions": len(shown),
        "right sentence": float(chosen.mean()),
        "right of answered": float(chosen[given].mean()) if given.any() else 0.0,
        **{f"answered, {way}": _share(sure[way] >= calibration.threshold) for way in WAYS},
        **{f"AUC {way}": area(sure["shown"], sure[way]) for way in GROUNDLESS},
    }


def confidences(asked: Sequence[Asked], calibration: Calibration) -> Table:
    return np.array([calibration.confidence(a.table, calibration.scores(a.table)) for a in asked])


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def area(higher: Table, lower: Table) -> float:
    """Area under the ROC curve: how often one of `higher` beats one of `lower`; ties count half."""
    if not len(lower):
        return float("nan")
    wins = (higher[:, None] > lower[None, :]).mean() + 0.5 * (higher[:, None] == lower[None, :]).mean()
    return float(wins)


def weigh_likelihood(
    asked: Sequence[Asked], model: LocalGenerator, calibration: Calibration
) -> dict[str, float]:
    """The share of right choices for several weights of question likelihood among the units in reach."""
    sweep = (0.0, 0.2, 0.4, 0.6, 0.8, 1.2, 2.0)
    right = dict.fromkeys(sweep, 0)
    weighed = 0
    for one in asked:
        scores = calibration.scores(one.table)
        near = [int(i) for i in np.argsort(-scores)[:6] if scores[i] >= scores.max() - calibration.reach]
        gains = np.zeros(len(near))
        if len(near) > 1:
            weighed += len(near)
            gains = question_likelihoods(one.question.text, [one.units[i] for i in near], model)
        for gain in sweep:
            right[gain] += bool(one.right[near[int((scores[near] + gain * gains).argmax())]])
    return {f"gain {gain}": count / len(asked) for gain, count in right.items()} | {
        "weighed": weighed / len(asked)
    }


async def whole_answers(
    asked: Sequence[Asked], model: LocalGenerator, embed: LocalEmbeddings
) -> dict[str, float]:
    """Seconds, and how answers come out, for whole answers with every model at work."""
    answerer = Answerer(GeneratorChatModel.over(model), embed.encode, likelihood=model)
    answers = [await answerer.answer(one.question.text, one.passages) for one in asked]
    found = [(answer, one) for answer, one in zip(answers, asked, strict=True) if answer.found]
    totals = np.array([sum(answer.seconds.values()) for answer in answers])
    holds = [any(text in answer.text for text in one.question.answers) for answer, one in found]
    drafted = [answer for answer, _ in found if answer.seconds["draft"] > 0.01]
    kept = [any(not sentence.quoted for sentence in answer.sentences) for answer in drafted]
    return {
        "answers": len(answers),
        "found": len(found) / len(answers),
        "hold the answer": float(np.mean(holds)),
        "drafted": len(drafted) / max(1, len(found)),
        "drafts kept": float(np.mean(kept)) if kept else 0.0,
        "seconds median": float(np.median(totals)),
        "seconds p95": float(np.quantile(totals, 0.95)),
        "evidence seconds median": float(np.median([a.seconds["evidence"] for a in answers])),
    }


def table(rows: Sequence[dict[str, float | str]]) -> Iterator[str]:
    for row in rows:
        cells = (f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
        yield " | ".join(cells)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=1000, help="answerable questions of each source")
    options.add_argument("--fit", action="store_true", help="fit the coefficients on the first source")
    options.add_argument(
        "--model", type=int, default=0, help="whole answers to measure with the language model"
    )
    options.add_argument("--data", type=Path, required=True, help="the folder that holds squad/")
    chosen = options.parse_args()
    data, cache = chosen.data, Path(os.environ.get("OSTIARY_TEST_CACHE", ".ostiary/models"))
    if not (data / "squad").is_dir():
        raise SystemExit(f"There is no folder 'squad' in '{data}'.")
    embeddings = LocalEmbeddings.load(embedder_folder(cache=cache))
    embed, foreign = Memory(embeddings), handbook(data / "sourcegraph-handbook" / "content", 300)
    sources = {
        "fit: SQuAD T16": squad_like(data / "squad" / "squad2-dev.T16.json", chosen.questions),
        "test: SQuAD extra13": squad_like(data / "squad" / "squad1-dev.extra13.json", chosen.questions),
    }
    trials = [trial(name, corpus, foreign, embed) for name, corpus in sources.items()]
    calibration = fit(trials[0]) if chosen.fit else CALIBRATION
    print(f"features {FEATURES}\n{calibration}")
    rows: list[dict[str, float | str]] = [report(one, calibration) for one in trials]
    if chosen.model:
        model = LocalGenerator.load(cache=cache)
        some = random.Random(7).sample(trials[1].ways["shown"], chosen.model)
        rows.append({"data": "question likelihood", **weigh_likelihood(some, model, calibration)})
        rows.append({"data": "whole answers", **asyncio.run(whole_answers(some, model, embeddings))})
    print("\n".join(table(rows)))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
