"""How good whole answers are, found and told: `python -m tests.benchmarks.answers --data DIR`.

Questions of SQuAD 2 (with its adversarial ones, which nothing answers), PolicyQA and COVID-QA; some of each again
with what answers them withheld, as from somebody who may not read it. Passages are found by the product in a
throwaway PostgreSQL; then each way answers from the same ones: the plain model, the product, and the product with
one guard taken out at a time. 95% bootstrap intervals. Writes answers.json into `--out`. About a second for each
question and way.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auth.database import Database
from bot.generation import LocalGenerator
from retrieval.chunking import token_counter
from retrieval.embedding import LocalEmbeddings
from retrieval.passages import Passage
from retrieval.retriever import Library
from retrieval.weights import embedder_folder
from tests.benchmarks.answers.measures import Said, exact, f1, holds, supports
from tests.benchmarks.answers.sets import FILES, AnsweredSet, Asked, load
from tests.benchmarks.answers.ways import Way, ways
from tests.benchmarks.quality.measures import interval
from tests.benchmarks.quality.stand import KeptEncoder, Shelf, shelve, throwaway_library


@dataclass(frozen=True)
class Told:
    """A question, and what one way made of it."""

    asked: Asked
    said: Said
    shelf: Shelf


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the sets")
    options.add_argument("--out", type=Path, default=Path("bench"), help="results, and vectors kept")
    options.add_argument("--sets", nargs="+", default=list(FILES), choices=list(FILES))
    options.add_argument("--ways", nargs="+", help="all, if not said")
    options.add_argument("--questions", type=int, default=100, help="answerable questions of each set")
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    chosen = options.parse_args()
    folder = embedder_folder(cache=chosen.cache)
    embeddings = LocalEmbeddings.load(folder)
    count = token_counter(embeddings.tokenizer)
    sets = [load(name, chosen.data, count, chosen.questions) for name in chosen.sets]
    encoder = KeptEncoder(embeddings, folder, chosen.out / "vectors")
    model = LocalGenerator.load(cache=chosen.cache)
    every = ways(model, embeddings)
    picked = {name: every[name] for name in chosen.ways or every}
    with throwaway_library() as urls:
        shelves = [
            shelve(urls, number, one.judged, encoder.passages(one.judged.papers))
            for number, one in enumerate(sets, start=1)
        ]
        results = asyncio.run(_measure(Database(urls, pool_size=1), embeddings, sets, shelves, picked))
    model.stop()
    _report(results)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "answers.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


Figures = dict[str, dict[str, dict[str, str]]]
"""set -> way -> measure -> its mean with interval."""


async def _measure(
    database: Database,
    embeddings: LocalEmbeddings,
    sets: Sequence[AnsweredSet],
    shelves: Sequence[Shelf],
    chosen: Mapping[str, Way],
) -> Figures:
    library = Library(database, embeddings)
    found: Figures = {}
    try:
        for one, shelf in zip(sets, shelves, strict=True):
            given = [(asked, await _passages(library, shelf, asked)) for asked in one.asked]
            for name, way in chosen.items():
                told = [Told(asked, await way(asked.text, passages), shelf) for asked, passages in given]
                found.setdefault(one.judged.name, {})[name] = figures(told)
                print(one.judged.name, name, found[one.judged.name][name], flush=True)
    finally:
        await database.close()
    return found


async def _passages(library: Library, shelf: Shelf, asked: Asked) -> list[Passage]:
    found = await library.passages(asked.text, shelf.clearance)
    if not asked.withheld:
        return found
    return [one for one in found if not _units(shelf, one) & asked.relevant]


def _units(shelf: Shelf, passage: Passage) -> set[str]:
    return {shelf.unit_of[chunk_id] for chunk_id in passage.chunk_ids}


def figures(told: Sequence[Told]) -> dict[str, str]:
    """Means with their intervals. A sentence is supported, and a citation right, by `measures.supports`."""
    answerable = [one for one in told if one.asked.is_answerable]
    silent = [one for one in told if not one.said.sentences]
    spoken = [one for one in told if one.said.sentences]
    sentences = [sentence for one in spoken for sentence in one.said.sentences]
    cited = [supports(passage, text) for text, passages in sentences for passage in passages]
    backed = [any(supports(passage, text) for passage in passages) for text, passages in sentences]
    right = [
        any(
            _units(one.shelf, passage) & one.asked.relevant
            for _, cited in one.said.sentences
            for passage in cited
        )
        for one in answerable
        if one.said.sentences
    ]
    kinds = {
        "nothing answers": [one for one in told if not one.asked.answers],
        "withheld": [one for one in told if one.asked.withheld],
    }
    return {
        "answered of answerable": _mean([bool(one.said.sentences) for one in answerable]),
        "holds the answer": _mean([holds(one.said.text, one.asked.answers) for one in answerable]),
        "F1": _mean([f1(one.said.text, one.asked.answers) for one in answerable]),
        "EM": _mean([exact(one.said.text, one.asked.answers) for one in answerable]),
        "unsupported sentences": _mean([not one for one in backed]),
        "citation precision": _mean(cited),
        "cites the right passage": _mean(right),
        **{
            f"silent where {kind}": _mean([not one.said.sentences for one in some])
            for kind, some in kinds.items()
        },
        "silence is right": _mean([not one.asked.is_answerable for one in silent]),
        "median s": f"{np.median([one.said.seconds for one in told]):.2f}",
    }


def _mean(values: Sequence[float | bool]) -> str:
    return str(interval([float(value) for value in values])) if values else "-"


def _report(results: Figures) -> None:
    for name, by_way in results.items():
        print(f"\n**{name}**\n")
        measures = list(next(iter(by_way.values())))
        print(f"| | {' | '.join(by_way)} |\n|---|{'---|' * len(by_way)}")
        for measure in measures:
            print(f"| {measure} | {' | '.join(of[measure] for of in by_way.values())} |")


if __name__ == "__main__":
    main()
