"""What row-level security adds to a search: `python -m tests.benchmarks.door_search [--chunks 200000]`.

A company of made-up documents: vectors in clusters, words by Zipf's law, 200 labels of very different size. The same
questions are searched for with row-level security and with it switched off on the tables (same statements, same
role), at visible shares of .1 to 100%, a few at a time, in random order. Prints medians, 95th percentiles and what
is added, with a 95% bootstrap interval over pairs; and what it costs to try each lock alone (`retrieval.locks`).

What is added is judged by processor time, of this process and its server process together, where Linux tells it:
nothing here waits for a disk, and on a machine shared with others a second on the wall says little. Exit code 1
where more than 10% is added. `--explain` prints the plans at each share as well.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import APP, READER, Database, DatabaseUrls
from auth.server import throwaway_server
from migrations.upgrade import upgrade
from retrieval import search as searching
from retrieval.locks import CrossCheck
from retrieval.search import SearchSettings, search
from tests.benchmarks.made_up import FEWEST_CHUNKS, Asked, Corpus, a_question, clearance_of, load, made_up

SHARES = (0.001, 0.01, 0.05, 0.2, 0.5, 1.0)
TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
TARGET = 0.10
WARM_UP = 3  # plans and caches are made anew when a table changes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--chunks", type=int, default=50_000)
    options.add_argument(
        "--rounds", type=int, default=30, help="times that the lock is taken off and put back"
    )
    options.add_argument("--questions", type=int, default=6, help="of each share in each round")
    options.add_argument("--explain", action="store_true", help="print the plans of slow and fast")
    chosen = options.parse_args()
    if chosen.chunks < FEWEST_CHUNKS:
        options.error(f"A thousandth of fewer than {FEWEST_CHUNKS} chunks is no label's share.")
    with throwaway_server() as server:
        upgrade(server.url())
        corpus = made_up(chosen.chunks, np.random.default_rng(7))
        began = time.perf_counter()
        load(server.url(), corpus)
        print(f"{chosen.chunks} chunks loaded and indexed in {time.perf_counter() - began:.0f} s.\n")
        urls = DatabaseUrls(server.url(), server.url(APP), server.url(READER))
        missed = asyncio.run(measure(urls, corpus, chosen))
    sys.exit(1 if missed else 0)


def lock(admin_url: str, on: bool) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(
                f"ALTER TABLE retrieval.{table} {'ENABLE' if on else 'DISABLE'} ROW LEVEL SECURITY"
            )


async def measure(urls: DatabaseUrls, corpus: Corpus, chosen: argparse.Namespace) -> bool:
    """Print the tables; returns whether the target was missed anywhere."""
    rng = random.Random(11)
    clearances = {share: clearance_of(share, corpus, rng) for share in SHARES}
    database = Database(urls, pool_size=1)
    try:
        bench = await bench_on(database)
        times = await interleaved(bench, urls.admin, corpus, clearances, chosen)
        missed = report(times, corpus, clearances)
        await report_cross_check(bench, corpus, clearances)
        if chosen.explain:
            for share, clearance in clearances.items():
                await explain(database, urls.admin, corpus, clearance, share)
    finally:
        await database.close()
    return missed


@dataclass(frozen=True)
class Spent:
    """On one question: seconds on the wall, and seconds of processors."""

    wall: float
    work: float


Times = dict[float, list[tuple[Spent, Spent]]]
"""share -> what each question took with row-level security, and without."""


@dataclass(frozen=True)
class Bench:
    """A database with one connection to read by, and the process on its other side."""

    database: Database
    server_pid: int

    async def search(
        self, clearance: Clearance, asked: Asked, settings: SearchSettings | None = None
    ) -> Spent:
        return await self.timed(search(self.database, clearance, asked.words, asked.vector, settings))

    async def timed(self, question: Awaitable[object]) -> Spent:
        began, worked = time.perf_counter(), self._worked()
        await question
        return Spent(time.perf_counter() - began, self._worked() - worked)

    def _worked(self) -> float:
        try:
            told = Path(f"/proc/{self.server_pid}/schedstat").read_text(encoding="ascii")
        except OSError:
            return time.perf_counter()
        return time.process_time() + int(told.split()[0]) / 1e9


async def bench_on(database: Database) -> Bench:
    async with database.reading_as(Clearance(1, frozenset(), 1)) as connection:
        return Bench(database, int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()))


async def interleaved(
    bench: Bench,
    admin_url: str,
    corpus: Corpus,
    clearances: dict[float, Clearance],
    chosen: argparse.Namespace,
) -> Times:
    rng, numbers = random.Random(12), np.random.default_rng(13)
    times: Times = {share: [] for share in clearances}
    for share in [share for _ in range(chosen.rounds) for share in rng.sample(SHARES, len(SHARES))]:
        clearance = clearances[share]
        questions = [a_question(corpus, clearance, numbers) for _ in range(chosen.questions + WARM_UP)]
        spent: dict[bool, list[Spent]] = {}
        for on in rng.sample([True, False], 2):
            lock(admin_url, on)
            spent[on] = [await bench.search(clearance, asked) for asked in questions][WARM_UP:]
        times[share] += zip(spent[True], spent[False], strict=True)
    lock(admin_url, on=True)
    return times


def report(times: Times, corpus: Corpus, clearances: dict[float, Clearance]) -> bool:
    print("| visible | chunks | labels | with it, ms: p50 / p95, work | without | added work | added wall |")
    print("|---|---|---|---|---|---|---|")
    missed = False
    for share, pairs in times.items():
        wall = np.array([[with_it.wall, without.wall] for with_it, without in pairs]) * 1000
        work = np.array([[with_it.work, without.work] for with_it, without in pairs]) * 1000
        added = [added_share(both) for both in (work, wall)]
        missed |= added[0][0] > TARGET
        visible = int(np.isin(corpus.labels, list(clearances[share].label_ids)).sum())
        sides = (
            f"{np.median(wall[:, at]):.2f} / {np.quantile(wall[:, at], 0.95):.2f}, {np.median(work[:, at]):.2f}"
            for at in (0, 1)
        )
        print(
            f"| {visible / len(corpus.labels):.2%} | {visible} | {len(clearances[share].label_ids)} |"
            f" {' | '.join(sides)} |"
            f" {' | '.join(f'{share:+.1%} ({low:+.1%} to {high:+.1%})' for share, low, high in added)} |"
        )
    print(f"\n{len(next(iter(times.values())))} questions each. Target: at most {TARGET:+.0%}.")
    return missed


def added_share(both: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Median with over median without, less 1; and the middle 95% of that over resampled pairs."""
    rng = np.random.default_rng(14)
    drawn = both[rng.integers(0, len(both), (2000, len(both)))]
    medians = np.median(drawn, axis=1)
    ratios = medians[:, 0] / medians[:, 1] - 1
    middle = np.median(both, axis=0)
    low, high = (float(x) for x in np.quantile(ratios, (0.025, 0.975)))
    return float(middle[0] / middle[1] - 1), low, high


async def report_cross_check(bench: Bench, corpus: Corpus, clearances: dict[float, Clearance]) -> None:
    numbers = np.random.default_rng(15)
    checked = replace(SearchSettings(), cross_check=CrossCheck(1))
    cells = []
    for share, clearance in clearances.items():
        questions = [a_question(corpus, clearance, numbers) for _ in range(7)]
        spent = [(await bench.search(clearance, asked, checked)).work for asked in questions]
        cells.append(f"{share:.1%}: {np.median(spent) * 1000:.0f} ms")
    print(f"\nA search that tries each lock alone first, at each share: {', '.join(cells)}.")


async def explain(
    database: Database, admin_url: str, corpus: Corpus, clearance: Clearance, share: float
) -> None:
    asked = a_question(corpus, clearance, np.random.default_rng(16))
    settings, plans = SearchSettings(), list[str]()
    binds = searching._binds(clearance, asked.words, asked.vector, settings)
    explaining = f"EXPLAIN (ANALYZE, VERBOSE) {searching._statement()}"
    for on in (True, False):
        lock(admin_url, on)
        plans.append(f"\n## {share:.1%} visible, row-level security {'on' if on else 'off'}\n")
        plan = await database.read_once(clearance, explaining, binds, searching._planning(settings))
        plans.extend(shortened([line for (line,) in plan]))
    lock(admin_url, on=True)
    print("\n".join(plans))


def shortened(plan: Sequence[str]) -> list[str]:
    return [line[:220] for line in plan if "Output:" not in line]


if __name__ == "__main__":
    main()
