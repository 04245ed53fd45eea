"""Nearest neighbours among what a reader may see: `python -m tests.benchmarks.filtered [--chunks 200000]`.

A made-up company of 200 labels, at visible shares of .1 to 100% of its chunks. Side by side in one run, on the same
questions: Ostiary's search (vectors; vectors in strict mode; hybrid), plain pgvector, a JSONB filter as LangChain's
PGVector writes it, chromadb, lancedb, and numpy's exact answer, by which recall is measured. Prints recall@10, p50
and p95 in milliseconds and the fewest rows returned; writes filtered.json and filtered.png into `--out`. Exit code 1
where a target is missed.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from auth.clearance import Clearance
from auth.database import APP, READER, DatabaseUrls
from auth.server import throwaway_server
from migrations.upgrade import upgrade
from tests.benchmarks.filtered import contenders as ways
from tests.benchmarks.filtered.contenders import Contender, K
from tests.benchmarks.filtered.plot import draw
from tests.benchmarks.made_up import FEWEST_CHUNKS, Asked, Corpus, a_question, clearance_of, load, made_up

SHARES = (0.001, 0.01, 0.05, 0.15, 0.2, 0.5, 1.0)
WARM_UP = 5
OTHERS = ("pgvector", "jsonb", "chromadb", "lancedb")


@dataclass(frozen=True)
class Measured:
    """One contender at one share; milliseconds, recall of the K nearest, fewest rows that a question got."""

    share: float
    contender: str
    recall: float
    p50: float
    p95: float
    fewest: int


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--chunks", type=int, default=200_000)
    options.add_argument(
        "--questions", type=int, default=200, help="of each share; a fifth for slow contenders"
    )
    options.add_argument("--without", nargs="*", default=[], choices=OTHERS, help="contenders to leave out")
    options.add_argument("--out", type=Path, default=Path("bench"))
    chosen = options.parse_args()
    if chosen.chunks < FEWEST_CHUNKS:
        options.error(f"A thousandth of fewer than {FEWEST_CHUNKS} chunks is no label's share.")
    with throwaway_server(needs=chosen.chunks * 12_000) as server:
        upgrade(server.url())
        corpus = made_up(chosen.chunks, np.random.default_rng(7))
        building = load(server.url(), corpus)
        print(
            f"{chosen.chunks} chunks loaded in {building.rows:.0f} s, indexed in {building.nearest:.0f} s.\n"
        )
        urls = DatabaseUrls(server.url(), server.url(APP), server.url(READER))
        measured = compare(urls, corpus, chosen.questions, chosen.without)
    report(measured)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "filtered.json").write_text(json.dumps([asdict(one) for one in measured], indent=1))
    draw(measured, chosen.out / "filtered.png")
    missed = targets_missed(measured)
    print("\n".join(missed) or "All targets are met.")
    sys.exit(1 if missed else 0)


def compare(urls: DatabaseUrls, corpus: Corpus, questions: int, without: Sequence[str]) -> list[Measured]:
    """One contender after the other, each with the same questions, in an order of shares of its own."""
    rng, numbers = random.Random(11), np.random.default_rng(13)
    clearances = {share: clearance_of(share, corpus, rng) for share in SHARES}
    asked = {
        share: [a_question(corpus, clearance, numbers) for _ in range(questions)]
        for share, clearance in clearances.items()
    }
    exact = ways.exact(corpus)
    right = {share: ways.right_answers(corpus, clearances[share], asked[share]) for share in SHARES}
    others = {
        "pgvector": lambda: ways.plain_pgvector(urls.admin),
        "jsonb": lambda: ways.metadata_filter(urls.admin, corpus),
        "chromadb": lambda: ways.chroma(corpus),
        "lancedb": lambda: ways.lance(corpus),
    }
    measured: list[Measured] = []
    for opened in (
        lambda: ways.ours(urls),
        *(opening for name, opening in others.items() if name not in without),
    ):
        with ExitStack() as stack:
            for contender in stack.enter_context(opened()):
                for share in SHARES:
                    some = asked[share][:: 5 if contender.is_slow else 1]
                    wanted = right[share][:: 5 if contender.is_slow else 1]
                    measured.append(measure(contender, share, clearances[share], some, wanted))
                    print(line(measured[-1]), flush=True)
    exactly = [measure(exact, share, clearances[share], asked[share], right[share]) for share in SHARES]
    return [*measured, *exactly]


def measure(
    contender: Contender,
    share: float,
    clearance: Clearance,
    questions: Sequence[Asked],
    right: Sequence[frozenset[int]],
) -> Measured:
    for asked in questions[:WARM_UP]:
        contender.ask(clearance, asked)
    spent, recalls, rows = [], [], []
    for asked, wanted in zip(questions, right, strict=True):
        began = time.perf_counter()
        found = contender.ask(clearance, asked)
        spent.append(1000 * (time.perf_counter() - began))
        recalls.append(len(wanted & frozenset(found[:K])) / len(wanted))
        rows.append(len(found))
    p50, p95 = (float(value) for value in np.quantile(spent, (0.5, 0.95)))
    return Measured(share, contender.name, float(np.mean(recalls)), p50, p95, min(rows))


def line(one: Measured) -> str:
    return (
        f"{one.contender:26} {one.share:6.1%}  recall {one.recall:.3f}  p50 {one.p50:7.2f}"
        f"  p95 {one.p95:7.2f}  at least {one.fewest} rows"
    )


def report(measured: Sequence[Measured]) -> None:
    """Recall, p50 / p95 in milliseconds, fewest rows: a row for each contender, a column for each share."""
    print(f"\n| contender | {' | '.join(f'{share:.1%}' for share in SHARES)} |")
    print("|---" * (len(SHARES) + 1) + "|")
    for name in dict.fromkeys(one.contender for one in measured):
        cells = [
            f"{one.recall:.3f}, {one.p50:.1f} / {one.p95:.1f}"
            + (f", {one.fewest} rows" if one.fewest < K else "")
            for one in measured
            if one.contender == name
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def targets_missed(measured: Sequence[Measured]) -> list[str]:
    """Sentences; none where all is as it must be."""
    by = {(one.contender, one.share): one for one in measured}
    vectors = [by["Ostiary, vectors", share] for share in SHARES]
    hybrid = by["Ostiary, hybrid", 0.5]
    average = float(np.mean([one.recall for one in vectors]))
    missed = [f"Recall is {average:.3f} on average, of .99."] if average < 0.99 else []
    for one in vectors:
        at = f"at {one.share:.1%} visible"
        if one.recall < 0.97:
            missed.append(f"Recall {at} is {one.recall:.3f}, of .97.")
        if one.fewest < K:
            missed.append(f"A question {at} got {one.fewest} of {K} rows.")
        if one.p50 > 3 or one.p95 > 6:
            missed.append(f"A search {at} takes {one.p50:.1f} / {one.p95:.1f} ms, of 3 / 6.")
    if hybrid.p50 > 10 or hybrid.p95 > 30:
        missed.append(f"A hybrid search at 50% takes {hybrid.p50:.1f} / {hybrid.p95:.1f} ms, of 10 / 30.")
    filtered = by.get(("JSONB filter (LangChain)", 0.01))
    if filtered and by["Ostiary, vectors", 0.01].recall < 2 * filtered.recall:
        missed.append(f"Recall at 1% is not twice that of the JSONB filter, {filtered.recall:.3f}.")
    return missed


if __name__ == "__main__":
    main()
