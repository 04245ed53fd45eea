"""What growing costs: `python -m tests.benchmarks.growth [--sizes 10000 100000 1000000]`.

The same made-up company at several sizes, each in a database of its own: seconds to load and to build the indexes,
megabytes of tables and indexes, memory of the server process that answers, and how long vector and hybrid search
take at several visible shares. Prints tables, writes growth.json and growth.png into `--out`. Exit code 1 where the
median from 100,000 to a million chunks grows twofold or more, over all shares together.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import psycopg

from auth.database import APP, READER, DatabaseUrls
from auth.server import throwaway_server
from migrations.upgrade import upgrade
from tests.benchmarks.filtered.__main__ import Measured, measure
from tests.benchmarks.filtered.contenders import ours, right_answers
from tests.benchmarks.made_up import FEWEST_CHUNKS, Building, a_question, clearance_of, load, made_up

SIZES = (10_000, 100_000, 1_000_000)
SHARES = (0.01, 0.05, 0.2, 0.5, 1.0)
FROM, TO, MOST_GROWTH = 100_000, 1_000_000, 2.0
_RELATIONS = {
    "vectors": "retrieval.chunk_vec",
    "index of vectors": "retrieval.ix_chunk_vec_nearest",
    "texts": "retrieval.chunk",
    "index of words": "retrieval.ix_chunk_words",
}


@dataclass(frozen=True)
class Size:
    """A database of so many chunks: seconds of building, megabytes of each relation and of memory, searches."""

    chunks: int
    building: Building
    megabytes: dict[str, float]
    searches: list[Measured]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options.add_argument("--questions", type=int, default=200, help="of each share")
    options.add_argument("--out", type=Path, default=Path("bench"))
    chosen = options.parse_args()
    sizes = []
    for chunks in chosen.sizes:
        sizes.append(measured_at(chunks, chosen.questions))
        print(told(sizes[-1]), flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "growth.json").write_text(json.dumps([asdict(size) for size in sizes], indent=1))
    draw(sizes, chosen.out / "growth.png")
    sys.exit(1 if grew_too_much(sizes) else 0)


def measured_at(chunks: int, questions: int) -> Size:
    rng, numbers = random.Random(11), np.random.default_rng(13)
    with throwaway_server(needs=chunks * 12_000) as server:
        upgrade(server.url())
        corpus = made_up(chunks, np.random.default_rng(7))
        building = load(server.url(), corpus)
        searches = []
        with ours(DatabaseUrls(server.url(), server.url(APP), server.url(READER))) as contenders:
            for share in SHARES if chunks >= FEWEST_CHUNKS else SHARES[1:]:
                clearance = clearance_of(share, corpus, rng)
                asked = [a_question(corpus, clearance, numbers) for _ in range(questions)]
                right = right_answers(corpus, clearance, asked)
                searches += [
                    measure(contender, share, clearance, asked, right)
                    for contender in contenders
                    if "strict" not in contender.name
                ]
            megabytes = _megabytes(server.url())
    return Size(chunks, building, megabytes, searches)


def _megabytes(admin_url: str) -> dict[str, float]:
    """Of each relation, and what the server process that answered holds for itself."""
    with psycopg.connect(admin_url) as connection:
        found = {
            name: connection.execute("SELECT pg_relation_size(%s::regclass)", [relation]).fetchone()[0]
            / 2**20
            for name, relation in _RELATIONS.items()
        }
        others = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    return found | {"memory of its process": max((_own_memory(pid) for (pid,) in others), default=0.0)}


def _own_memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (own,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(own.split()[1]) / 1024


def told(size: Size) -> str:
    built = size.building
    space = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in size.megabytes.items())
    lines = [
        f"\n**{size.chunks:,} chunks**: rows {built.rows:.0f} s, index of vectors {built.nearest:.0f} s,"
        f" of words {built.words:.0f} s; {space}\n",
        "| visible | search | recall@10 | p50, ms | p95, ms |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.share:.0%} | {one.contender} | {one.recall:.3f} | {one.p50:.2f} | {one.p95:.2f} |"
        for one in size.searches
    ]
    return "\n".join(lines)


def grew_too_much(sizes: Sequence[Size]) -> bool:
    """Whether any kind of search takes twice as long or longer, its median at each share averaged."""
    by = {size.chunks: size for size in sizes}
    if not {FROM, TO} <= set(by):
        return False
    grown = {}
    for name in dict.fromkeys(one.contender for one in by[TO].searches):
        few, many = (
            np.mean([one.p50 for one in by[chunks].searches if one.contender == name])
            for chunks in (FROM, TO)
        )
        grown[name] = float(many / few)
        print(f"{name}: from {FROM:,} to {TO:,} chunks {few:.2f} -> {many:.2f} ms, {grown[name]:.2f} times")
    return max(grown.values()) >= MOST_GROWTH


def draw(sizes: Sequence[Size], file: Path) -> None:
    figure, (latency, space) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in dict.fromkeys(one.contender for one in sizes[-1].searches):
        for share in SHARES:
            points = [
                (size.chunks, one.p50)
                for size in sizes
                for one in size.searches
                if (one.contender, one.share) == (name, share)
            ]
            style = "--" if "hybrid" in name else "-"
            latency.plot(
                *zip(*points, strict=True), style, marker="o", markersize=3, label=f"{name}, {share:.0%}"
            )
    for name in sizes[-1].megabytes:
        space.plot(
            [size.chunks for size in sizes], [size.megabytes[name] for size in sizes], marker="o", label=name
        )
    latency.set_ylabel("p50, milliseconds")
    space.set_ylabel("megabytes")
    for axes in (latency, space):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("chunks")
        axes.legend(frameon=False, fontsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
