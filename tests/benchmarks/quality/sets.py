"""The judged sets: passages as the product would chunk them, questions, and which passages answer them.

What is judged is a unit: a paragraph (SQuAD, PolicyQA), an abstract (Cranfield) or, in long articles (COVID-QA), a
chunk. A unit longer than a chunk has several; it counts as found where the first of them is.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.chunking import Chunk, CountTokens, chunk
from retrieval.parsing import text as plain_text
from retrieval.parsing.document import Block, ParsedDocument

UnitName = str
_TEXT = "text/plain"


@dataclass(frozen=True)
class Judged:
    """A question and the names of the units that answer it."""

    text: str
    relevant: frozenset[UnitName]


@dataclass
class Paper:
    """A document as it goes into the database: its chunks in reading order, each with the unit it belongs to."""

    title: str
    chunks: list[Chunk] = field(default_factory=list)
    units: list[UnitName] = field(default_factory=list)

    def add(self, unit: UnitName, chunks: Iterable[Chunk]) -> None:
        for piece in chunks:
            self.chunks.append(piece)
            self.units.append(unit)


@dataclass(frozen=True)
class JudgedSet:
    """Documents that are searched together, and questions on them. `of` counts the questions before sampling."""

    name: str
    papers: list[Paper]
    questions: list[Judged]
    of: int


def cranfield(folder: Path, count: CountTokens) -> JudgedSet:
    """1,400 abstracts. Judgments number the questions by their order in the file, not by the number they bear."""
    raw = (folder / "cran.all.1400.xml").read_text(encoding="utf-8")
    papers = []
    for number, body in re.findall(r"<docno>(.*?)</docno>(.*?)</doc>", raw, re.DOTALL):
        title, words = (_joined(part) for part in _parts(body, "title", "text"))
        paper = Paper(title)
        said = words.removeprefix(title).strip() or title
        paper.add(number.strip(), _chunks_of(title, said, count))
        papers.append(paper)
    topics = (folder / "cran.qry.xml").read_text(encoding="utf-8")
    asked = [_joined(title) for title in re.findall(r"<title>(.*?)</title>", topics, re.DOTALL)]
    relevant: dict[int, set[UnitName]] = {}
    for line in (folder / "cranqrel.trec.txt").read_text(encoding="utf-8").splitlines():
        topic, _, document, relevance = line.split()
        if int(relevance) > 0:
            relevant.setdefault(int(topic), set()).add(document)
    found = [Judged(asked[topic - 1], frozenset(units)) for topic, units in sorted(relevant.items())]
    return JudgedSet("cranfield", papers, found, len(found))


def squad(name: str, file: Path, count: CountTokens) -> JudgedSet:
    """Wikipedia articles by the paragraph; the questions that have an answer, each of one paragraph."""
    papers, questions = [], []
    for article in _articles(file):
        paper = Paper(article["title"].replace("_", " "))
        for at, paragraph in enumerate(article["paragraphs"]):
            unit = f"{paper.title}#{at}"
            paper.add(unit, _chunks_of(paper.title, paragraph["context"], count))
            answerable = (asked for asked in paragraph["qas"] if asked["answers"])
            questions += [Judged(asked["question"].strip(), frozenset([unit])) for asked in answerable]
        papers.append(paper)
    return JudgedSet(name, papers, questions, len(questions))


def policyqa(name: str, file: Path, count: CountTokens) -> JudgedSet:
    """Privacy policies by the passage. Each question is asked of one website: its name is put before it.

    The same is asked of several passages of a policy; each that has an answer is relevant.
    """
    papers = []
    relevant: dict[str, set[UnitName]] = {}
    for article in _articles(file):
        paper = Paper(article["title"])
        for at, paragraph in enumerate(article["paragraphs"]):
            unit = f"{paper.title}#{at}"
            paper.add(unit, _chunks_of(paper.title, paragraph["context"], count))
            for asked in paragraph["qas"]:
                relevant.setdefault(f"{paper.title}: {asked['question'].strip()}", set()).add(unit)
        papers.append(paper)
    questions = [Judged(text, frozenset(units)) for text, units in relevant.items()]
    return JudgedSet(name, papers, questions, len(questions))


def covidqa(name: str, file: Path, count: CountTokens) -> JudgedSet:
    """Whole research articles, chunked. Relevant is each chunk of its article that holds an answer's text."""
    papers, questions = [], []
    for article in _articles(file):
        (body,) = article["paragraphs"]
        parsed = plain_text.parse(body["context"].encode(), f"{body['document_id']}.txt")
        paper = Paper(parsed.title or str(body["document_id"]))
        for piece in chunk(parsed, count):
            paper.add(f"{body['document_id']}#{piece.ordinal}", [piece])
        papers.append(paper)
        for asked in body["qas"]:
            held = _holding([answer["text"] for answer in asked["answers"]], paper)
            questions.append(Judged(asked["question"].strip(), frozenset(held)))
    answerable = [asked for asked in questions if asked.relevant]
    return JudgedSet(name, papers, answerable, len(questions))


Loader = Callable[[Path, CountTokens], JudgedSet]
SETS: Mapping[str, Loader] = {
    "cranfield": lambda data, count: cranfield(data / "retrieval-cranfield", count),
    "squad2": lambda data, count: squad("squad2", data / "squad/squad2-dev.T16.json", count),
    "squad1": lambda data, count: squad("squad1", data / "squad/squad1-dev.extra13.json", count),
    "covidqa": lambda data, count: covidqa("covidqa", data / "covidqa/200423_covidQA.json", count),
    "policyqa": lambda data, count: policyqa("policyqa", data / "policyqa/dev.json", count),
}


REPORTED = {"covidqa": 700}
"""Questions that are reported of a set, where it takes more than MOST to tell the methods apart."""
MOST, SPARE = 300, 500


def sampled(judged: JudgedSet, most: int | None = None, seed: int = 4) -> JudgedSet:
    """The set with the questions that are reported: at most `most`, drawn with `seed`."""
    most = most or REPORTED.get(judged.name, MOST)
    if len(judged.questions) <= most:
        return judged
    drawn = random.Random(seed).sample(judged.questions, most)
    return JudgedSet(judged.name, judged.papers, drawn, judged.of)


def spared(judged: JudgedSet, most: int | None = None) -> JudgedSet:
    """The set with questions that `sampled` leaves out, to choose settings by: at most `most`, of other words."""
    reported = {asked.text for asked in sampled(judged).questions}
    left = [asked for asked in judged.questions if asked.text not in reported]
    random.Random(77).shuffle(left)
    return JudgedSet(judged.name, judged.papers, left[: most or REPORTED.get(judged.name, SPARE)], judged.of)


def _articles(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["data"]
    return found


def _chunks_of(title: str, said: str, count: CountTokens) -> tuple[Chunk, ...]:
    return chunk(ParsedDocument(title, (Block(said),), _TEXT), count)


def _holding(answers: list[str], paper: Paper) -> set[UnitName]:
    """Chunks with an answer whole; where it was cut, those that have its first or its last words."""
    said = [_squeezed(piece.text) for piece in paper.chunks]
    wanted = [_squeezed(answer) for answer in answers]
    for parts in (wanted, [part for answer in wanted for part in (answer[:60], answer[-60:])]):
        held = {
            unit for unit, text in zip(paper.units, said, strict=True) if any(p in text for p in parts if p)
        }
        if held:
            return held
    return set()


def _squeezed(text: str) -> str:
    """Without white space, which parsing sets anew, and without capitals."""
    return re.sub(r"\s+", "", text).lower()


def _joined(text: str) -> str:
    return " ".join(text.split())


def _parts(body: str, *tags: str) -> list[str]:
    found = (re.search(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL) for tag in tags)
    return [match.group(1) if match else "" for match in found]
