"""How fast documents come in, beside the usual LangChain pipeline: `python -m tests.benchmarks.ingestion --data DIR`.

The same files, the same weights, the same number of threads for the model, the same throwaway PostgreSQL. The two
take turns, a part of the files at a time, so that what else the machine does meets both alike. Prints a table, and
writes ingestion.json and ingestion.png into `--out`.
"""

import argparse
import asyncio
import json
import platform
import resource
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch

from auth.database import Database, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles
from retrieval.devices import choose_device
from retrieval.parsing.isolated import ParserProcess
from retrieval.weights import embedder_folder
from tests.benchmarks.ingestion import ours
from tests.benchmarks.ingestion.corpus import CORPORA, files_of, megabytes, rounds_of
from tests.benchmarks.ingestion.measured import Measured
from tests.benchmarks.ingestion.plot import draw
from tests.benchmarks.ingestion.usual import UsualPipeline
from tests.benchmarks.quality.stand import throwaway_library

Rounds = list[tuple[Measured, Measured]]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    options.add_argument("--out", type=Path, default=Path("bench"), help="where results are written")
    options.add_argument("--corpora", nargs="+", default=list(CORPORA), choices=list(CORPORA))
    options.add_argument("--files", type=int, default=200, help="at most so many of each")
    options.add_argument("--largest-mb", type=float, default=2.0, help="larger files are left out")
    options.add_argument("--rounds", type=int, default=4, help="parts in which the two take turns")
    options.add_argument("--threads", type=int, default=2, help="of the model, for both")
    options.add_argument("--indexed", action="store_true", help="an HNSW index for the usual pipeline, too")
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    with throwaway_library() as urls:
        told = asyncio.run(_measure(chosen, urls))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "ingestion.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    draw(told, chosen.out / "ingestion.png")
    print(f"\nWritten: {chosen.out / 'ingestion.json'} and {chosen.out / 'ingestion.png'}")


async def _measure(chosen: argparse.Namespace, urls: DatabaseUrls) -> dict[str, Any]:
    weights = embedder_folder(cache=chosen.cache)
    usual = UsualPipeline(weights, urls.admin, indexed=chosen.indexed)
    device = choose_device()
    embeddings = ours.Counting.load(weights, device)
    assert isinstance(embeddings, ours.Counting)
    database = Database(urls)
    told: dict[str, Any] = {}
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, "T0BENCH", "Benchmark")
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
    for corpus in chosen.corpora:
        sample = files_of(chosen.data, corpus, chosen.files, chosen.largest_mb)
        files = [file for file in sample if usual.can_read(file)]  # what one alone reads is no race
        rounds: Rounds = []
        parsed = _of_children()
        async with ParserProcess() as parser:
            for part in rounds_of(files, chosen.rounds):
                theirs = await asyncio.to_thread(usual.run, part)
                rounds.append((theirs, await ours.run(database, workspace_id, embeddings, parser, part)))
                print(
                    f"  {corpus}: {rounds[-1][0].seconds:.1f} s and {rounds[-1][1].seconds:.1f} s", flush=True
                )
        told[corpus] = _told(files, rounds, _of_children() - parsed)
        _print(corpus, told[corpus])
    await database.close()
    machine = f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
    return {
        "machine": machine,
        "dtype": str(device.dtype),
        "threads": chosen.threads,
        "indexed": chosen.indexed,
        "corpora": told,
    }


def _of_children() -> float:
    """Processor seconds of children that have ended: the parsers, once they are closed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _told(files: Sequence[Path], rounds: Rounds, parsers_work: float) -> dict[str, Any]:
    ratios = [theirs.seconds / own.seconds for theirs, own in rounds]
    return {
        "files": len(files),
        "mb": megabytes(files),
        "usual": _rates(files, [theirs for theirs, _ in rounds], 0),
        "ostiary": _rates(files, [own for _, own in rounds], parsers_work),
        "faster": {"median": median(ratios), "least": min(ratios), "most": max(ratios)},
    }


def _rates(files: Sequence[Path], runs: Sequence[Measured], parsers_work: float) -> dict[str, Any]:
    seconds = sum(run.seconds for run in runs)
    tokens = sum(run.tokens for run in runs)
    return {
        "seconds": seconds,
        "work": sum(run.work for run in runs) + parsers_work,
        "documents_a_minute": 60 * len(files) / seconds,
        "mb_a_minute": 60 * megabytes(files) / seconds,
        "passages": sum(run.passages for run in runs),
        "tokens": tokens,
        "tokens_a_second": tokens / seconds,
        "rounds": [asdict(run) for run in runs],
    }


def _print(corpus: str, told: dict[str, Any]) -> None:
    print(f"\n{corpus}: {told['files']} files, {told['mb']:.1f} MB")
    print(
        f"{'':10}{'seconds':>9}{'docs/min':>10}{'MB/min':>8}{'passages':>10}{'tokens':>10}{'tokens/s':>10}{'work, s':>9}"
    )
    for name in ("usual", "ostiary"):
        one = told[name]
        print(
            f"{name:10}{one['seconds']:9.1f}{one['documents_a_minute']:10.1f}{one['mb_a_minute']:8.2f}"
            f"{one['passages']:10}{one['tokens']:10}{one['tokens_a_second']:10.0f}{one['work']:9.1f}"
        )
    faster = told["faster"]
    less = told["usual"]["work"] / told["ostiary"]["work"]
    print(
        f"Ostiary is {faster['median']:.2f} times as fast ({faster['least']:.2f} to {faster['most']:.2f} by round),"
        f" with {less:.2f} times less work\n",
        flush=True,
    )


if __name__ == "__main__":
    main()
