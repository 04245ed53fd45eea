"""How well passages are found: `python -m tests.benchmarks.quality --data DIR`.

Cranfield and the questions of SQuAD, COVID-QA and PolicyQA as passage retrieval, by the product's own chunks, search
and rankers, in a throwaway PostgreSQL. Prints nDCG@10, reciprocal rank and recall@100 of each method with 95%
bootstrap intervals, and by how much the last method beats the better of dense and lexical alone. Writes
quality.json and quality.png into `--out`, where the sets' vectors are kept too: a second run takes a minute.
`--methods lexical` runs one method alone, `--sets squad2` one set; `--questions` bounds the sample of each, which
is 300, or 700 of COVID-QA, whose questions differ most in what each method finds. `--spare` asks others instead:
by those settings are chosen, and by the sample they are reported. (Of Cranfield all are reported.)
"""

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from auth.database import Database
from retrieval.chunking import token_counter
from retrieval.embedding import LocalEmbeddings
from retrieval.weights import embedder_folder
from tests.benchmarks.quality.measures import Floats, Interval, interval, ndcg, recall, reciprocal_rank
from tests.benchmarks.quality.methods import Method, Question, methods
from tests.benchmarks.quality.plot import draw
from tests.benchmarks.quality.sets import SETS, JudgedSet, sampled, spared
from tests.benchmarks.quality.stand import KeptEncoder, Shelf, shelve, throwaway_library

MEASURES = {"nDCG@10": ndcg, "MRR@10": reciprocal_rank, "recall@100": recall}
METHODS = ("dense", "lexical", "fused", "blended", "late interaction", "given", "cross-encoder")
SINGLE = ("dense", "lexical")


@dataclass(frozen=True)
class Scored:
    """How a method did on a set: a value for each question and measure, and milliseconds for each question."""

    values: dict[str, Floats]
    milliseconds: Floats


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the sets")
    options.add_argument(
        "--out", type=Path, default=Path("bench"), help="results, and vectors kept for next time"
    )
    options.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    options.add_argument("--methods", nargs="+", choices=METHODS, help="all, if not said")
    options.add_argument("--reranker", help="a cross-encoder to try as well: a folder or hub id")
    options.add_argument("--questions", type=int, help="at most so many of each set")
    options.add_argument("--spare", action="store_true", help="questions that are never reported")
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    chosen = options.parse_args()
    model = embedder_folder(cache=chosen.cache)
    embeddings = LocalEmbeddings.load(model)
    count = token_counter(embeddings.tokenizer)
    drawn = spared if chosen.spare else sampled
    judged = [drawn(SETS[name](chosen.data, count), chosen.questions) for name in chosen.sets]
    judged = [one for one in judged if one.questions]
    encoder = KeptEncoder(embeddings, model, chosen.out / "vectors")
    asked = {one.name: encoder.questions([each.text for each in one.questions]) for one in judged}
    with throwaway_library() as urls:
        shelves = [
            shelve(urls, workspace, one, encoder.passages(one.papers))
            for workspace, one in enumerate(judged, start=1)
        ]
        ways = methods(embeddings, chosen.reranker)
        chosen_ways = {name: ways[name] for name in chosen.methods or ways}
        results = asyncio.run(_measure(Database(urls, pool_size=1), shelves, asked, chosen_ways))
    _report(judged, results)
    _write(chosen.out, judged, results)


Results = dict[str, dict[str, Scored]]
"""set -> method -> how it did."""


async def _measure(
    database: Database,
    shelves: Sequence[Shelf],
    vectors: dict[str, np.ndarray],
    methods: Mapping[str, Method],
) -> Results:
    try:
        return {
            shelf.judged.name: {
                name: await _scored(database, shelf, vectors[shelf.judged.name], method)
                for name, method in methods.items()
            }
            for shelf in shelves
        }
    finally:
        await database.close()


async def _scored(database: Database, shelf: Shelf, vectors: np.ndarray, method: Method) -> Scored:
    values: dict[str, list[float]] = {measure: [] for measure in MEASURES}
    milliseconds = []
    for judged, vector in zip(shelf.judged.questions, vectors, strict=True):
        began = time.perf_counter()
        found = await method(database, Question(judged.text, vector, shelf.clearance))
        milliseconds.append((time.perf_counter() - began) * 1000)
        units = list(dict.fromkeys(shelf.unit_of[chunk_id] for chunk_id in found))
        for measure, of in MEASURES.items():
            values[measure].append(of(units, judged.relevant))
    return Scored({name: np.array(numbers) for name, numbers in values.items()}, np.array(milliseconds))


def _report(judged: Sequence[JudgedSet], results: Results) -> None:
    for one in judged:
        chunks = sum(len(paper.chunks) for paper in one.papers)
        print(f"\n**{one.name}**: {len(one.questions)} of {one.of} questions, {chunks} chunks\n")
        print("| method | nDCG@10 (95% interval) | MRR@10 | recall@100 | median ms |\n|---|---|---|---|---|")
        for method, scored in results[one.name].items():
            shown = interval(scored.values["nDCG@10"])
            rest = " | ".join(f"{scored.values[measure].mean():.3f}" for measure in ("MRR@10", "recall@100"))
            print(f"| {method} | {shown} | {rest} | {np.median(scored.milliseconds):.0f} |")
        for method, gain in gains(results[one.name]).items():
            sure = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no difference"
            print(
                f"{method} less the best single list: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}): {sure}"
            )


def gains(scored: dict[str, Scored]) -> dict[str, Interval]:
    """By how much each method beats the better of the single lists, in nDCG@10, question by question."""
    singles = [scored[name].values["nDCG@10"] for name in SINGLE if name in scored]
    if not singles:
        return {}
    best = max(singles, key=lambda values: float(values.mean()))
    others = {name: one for name, one in scored.items() if name not in SINGLE}
    return {name: interval(one.values["nDCG@10"] - best) for name, one in others.items()}


def _write(out: Path, judged: Sequence[JudgedSet], results: Results) -> None:
    out.mkdir(parents=True, exist_ok=True)
    told = {
        one.name: {
            "questions": len(one.questions),
            "of": one.of,
            "chunks": sum(len(paper.chunks) for paper in one.papers),
            "methods": {name: _told(scored) for name, scored in results[one.name].items()},
            "gain over the best single list, nDCG@10": {
                name: asdict(gain) for name, gain in gains(results[one.name]).items()
            },
        }
        for one in judged
    }
    (out / "quality.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    draw(told, out / "quality.png")
    print(f"\nWritten: {out / 'quality.json'}, {out / 'quality.png'}")


def _told(scored: Scored) -> dict[str, object]:
    measured = {measure: asdict(interval(values)) for measure, values in scored.values.items()}
    return {**measured, "median ms": float(np.median(scored.milliseconds))}


if __name__ == "__main__":
    main()
