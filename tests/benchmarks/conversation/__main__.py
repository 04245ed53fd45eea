"""What rewriting follow-ups is worth: `python -m tests.benchmarks.conversation --data DIR`.

Follow-ups over the demo company (follow_ups.toml), asked as somebody who may read all of it, and questions of SQuAD
with a pronoun, asked after the one that stands before them; found passages at 1 and at 6, without and with
rewriting, by words alone and with the language model. Questions that stand alone are asked after others too: how
many are changed, and what that does to them. Writes conversation.json into `--out`.
"""

import argparse
import asyncio
import json
import random
import re
import time
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from auth.clearance import Clearance
from auth.database import Database
from auth.rights import read_standing
from bot.answering.follow_ups import leans
from bot.answering.rewriting import Rewriter
from bot.answering.turns import StandingAlone, Turn
from bot.demo.company import load_company, read_company
from bot.generation.chat_model import GeneratorChatModel
from bot.generation.local import LocalGenerator
from retrieval.chunking import token_counter
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from retrieval.passages import Passage
from retrieval.retriever import Library
from retrieval.weights import embedder_folder
from tests.benchmarks.quality import sets
from tests.benchmarks.quality.stand import KeptEncoder, shelve, throwaway_library

PRONOUN = re.compile(r"\b(it|its|they|them|their|he|she|him|his|her)\b", re.IGNORECASE)
SQUAD = "squad/squad2-dev.T16.json"

Rewrite = Callable[[str, Sequence[Turn]], Awaitable[StandingAlone]]
Holds = Callable[[Passage], bool]


@dataclass(frozen=True)
class Case:
    """A question after others, and what a passage is that answers it."""

    question: str
    turns: tuple[Turn, ...]
    answers: Holds


@dataclass(frozen=True)
class Score:
    """How often a right passage stood first, and among the first six."""

    cases: int
    at_1: float
    at_6: float
    changed: int


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the sets")
    options.add_argument("--out", type=Path, default=Path("bench"))
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    options.add_argument("--squad", type=int, default=150, help="questions of each kind; 0 for none")
    options.add_argument("--no-model", action="store_true", help="rewrite by words alone")
    options.add_argument("--show", action="store_true", help="print each follow-up that is not found")
    chosen = options.parse_args()
    found = asyncio.run(_measure(chosen))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "conversation.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


async def _measure(chosen: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    folder = embedder_folder(cache=chosen.cache)
    embeddings = LocalEmbeddings.load(folder)
    generator = None if chosen.no_model else LocalGenerator.load(cache=chosen.cache)
    model = GeneratorChatModel.over(generator) if generator else None
    ways: dict[str, Rewrite] = {"as asked": _as_asked, "words": Rewriter(embeddings.encode).stand_alone}
    if model is not None:
        ways["model, then words"] = Rewriter(embeddings.encode, model).stand_alone
    found: dict[str, dict[str, dict[str, float]]] = {}
    with throwaway_library() as urls:
        database = Database(urls)
        try:
            library = Library(database, embeddings)
            async with ParserProcess() as parser:
                workspace_id = await load_company(
                    database, Ingestor(database, embeddings, parser), lambda *_: None
                )
            clearance = await _of_everything(database, workspace_id)
            found["demo: follow-ups"] = await _scores(_demo(), ways, library, clearance, chosen.show)
            found["demo: standing alone"] = await _scores(_tour(), ways, library, clearance, chosen.show)
            if chosen.squad and (chosen.data / SQUAD).is_file():
                encoder = KeptEncoder(embeddings, folder, chosen.out / "vectors")
                articles = sets.squad("squad", chosen.data / SQUAD, token_counter(embeddings.tokenizer))
                shelf = shelve(urls, 90, articles, encoder.passages(articles.papers))
                for name, cases in _squad(chosen.data / SQUAD, shelf.unit_of, chosen.squad).items():
                    found[name] = await _scores(cases, ways, library, shelf.clearance, chosen.show)
        finally:
            await database.close()
    return found


async def _as_asked(question: str, turns: Sequence[Turn]) -> StandingAlone:
    return StandingAlone(question)


async def _of_everything(database: Database, workspace_id: int) -> Clearance:
    async with database.deciding_in(workspace_id) as connection:
        standing = await read_standing(database, connection, workspace_id)
    return Clearance(workspace_id, frozenset(standing.index.labels), standing.policy_version)


def _demo() -> list[Case]:
    read = tomllib.loads(Path(__file__).with_name("follow_ups.toml").read_text(encoding="utf-8"))
    return [
        Case(
            asked["then"],
            tuple(Turn(question, asked.get("answer", "")) for question in asked["before"]),
            _with(asked["wanted"]),
        )
        for asked in read["asked"]
    ]


def _with(words: str) -> Holds:
    wanted = " ".join(words.lower().split())
    return lambda passage: wanted in " ".join(passage.text.lower().split())


def _tour() -> list[Case]:
    """Each question of the tour, asked after the one before it: they have nothing to do with each other."""
    asked = [question for question in read_company().tour if question.expects]
    return [
        Case(one.question, (Turn(before.question),), _with(one.expects or ""))
        for before, one in pairwise(asked)
        if before.question != one.question
    ]


def _squad(file: Path, unit_of: dict[int, str], most: int) -> dict[str, list[Case]]:
    leaning: list[Case] = []
    alone: list[Case] = []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for at, paragraph in enumerate(article["paragraphs"]):
            unit = f"{article['title'].replace('_', ' ')}#{at}"
            asked = [qa["question"].strip() for qa in paragraph["qas"] if not qa.get("is_impossible")]
            for before, question in pairwise(asked):
                case = Case(question, (Turn(before),), _of_unit(unit, unit_of))
                (leaning if PRONOUN.search(question) else alone).append(case)
    rng = random.Random(5)
    return {
        f"squad: with a pronoun (of {len(leaning)})": rng.sample(leaning, min(most, len(leaning))),
        f"squad: without (of {len(alone)})": rng.sample(alone, min(most, len(alone))),
    }


def _of_unit(unit: str, unit_of: dict[int, str]) -> Holds:
    return lambda passage: any(unit_of.get(chunk_id) == unit for chunk_id in passage.chunk_ids)


async def _scores(
    cases: Sequence[Case], ways: dict[str, Rewrite], library: Library, clearance: Clearance, show: bool
) -> dict[str, dict[str, float]]:
    print(
        f"\n{cases[0].question!r}, ...: {len(cases)} questions, {sum(leans(c.question) for c in cases)} lean"
    )
    found = {}
    for name, rewrite in ways.items():
        began = time.perf_counter()
        places, changed = [], 0
        for case in cases:
            asked = await rewrite(case.question, case.turns)
            changed += asked.text != case.question
            passages = await library.passages(asked.text, clearance)
            place = next((at for at, passage in enumerate(passages, 1) if case.answers(passage)), 0)
            places.append(place)
            if show and name != "as asked" and place != 1:
                print(f"  {place or '-'}  {case.question}  ->  {asked.text}")
        score = Score(
            len(cases),
            sum(place == 1 for place in places) / len(cases),
            sum(0 < place <= 6 for place in places) / len(cases),
            changed,
        )
        each_ms = 1000 * (time.perf_counter() - began) / len(cases)
        print(
            f"  {name:20} at 1: {score.at_1:.2f}  at 6: {score.at_6:.2f}  changed: {changed}  {each_ms:.0f} ms"
        )
        found[name] = vars(score)
    return found


if __name__ == "__main__":
    main()
