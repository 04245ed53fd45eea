"""Serving many askers in this process: `python -m tests.benchmarks.generation [--askers 1 8 40]`.

Prompts of 500 to 800 tokens with three passages, answers of `--length` tokens; all askers ask at the same moment.
Tokens a second over all of them, seconds to the first token (median and last), seconds until all are answered, and
the peak memory of the process, beside transformers' `generate` one at a time, its continuous batching, and llama.cpp
where llama-cpp-python is installed. Each in a process of its own. Prints a table, writes generation.json into
`--out`. Exit code 1 where 8 askers do not get 2.5 times the throughput of `generate`, or one waits 2 s for a token.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.generation.ways import WAYS

TARGET_RATIO, TARGET_FIRST = 2.5, 2.0
# What takes one after the other is as fast with forty as with eight, and everybody waits five times as long.
_MOST = {"generate": 8, "continuous batching": 8, "ostiary int8": 8, "llama.cpp": 8}


@dataclass(frozen=True)
class Figures:
    way: str
    askers: int
    tokens_a_second: float
    first_median: float
    first_last: float
    seconds: float
    peak_mb: float


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--askers", type=int, nargs="+", default=[1, 8, 40])
    options.add_argument("--length", type=int, default=96, help="tokens of each answer")
    options.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    options.add_argument("--out", type=Path, default=Path("bench"))
    options.add_argument("--one", nargs=2, metavar=("WAY", "ASKERS"), help=argparse.SUPPRESS)
    chosen, _further = options.parse_known_args()
    if chosen.one:
        print(json.dumps(asdict(_measure(chosen.one[0], int(chosen.one[1]), chosen))))
        return
    found = []
    for askers in chosen.askers:
        for way in chosen.ways:
            if askers <= _MOST.get(way, askers) and (figures := _in_a_process(way, askers)):
                found.append(figures)
                print(_line(figures), flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    results = {"length": chosen.length, "threads": chosen.threads, "figures": [asdict(one) for one in found]}
    (chosen.out / "generation.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    sys.exit(0 if _met(found) else 1)


def _measure(way: str, askers: int, chosen: argparse.Namespace) -> Figures:
    served = WAYS[way](askers, chosen.length, chosen.cache, chosen.threads)
    seconds = max(one.last for one in served)
    firsts = [one.first for one in served]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = sum(one.tokens for one in served) / seconds
    return Figures(way, askers, rate, median(firsts), max(firsts), seconds, peak)


def _in_a_process(way: str, askers: int) -> Figures | None:
    """The figures, or None where what it needs is not installed."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.generation", *sys.argv[1:]]
    done = subprocess.run([*command, "--one", way, str(askers)], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{way}: {done.stderr.strip().splitlines()[-1]}")
        return None
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def _line(one: Figures) -> str:
    return (
        f"{one.way:20} {one.askers:3} askers  {one.tokens_a_second:6.1f} tokens/s  first {one.first_median:5.1f} s"
        f" (last of them {one.first_last:5.1f})  all {one.seconds:6.1f} s  {one.peak_mb:5.0f} MB"
    )


def _met(found: list[Figures]) -> bool:
    rates = {(one.way, one.askers): one.tokens_a_second for one in found}
    ours, theirs = rates.get(("ostiary", 8)), rates.get(("generate", 8)) or rates.get(("generate", 1))
    first = next((one.first_median for one in found if (one.way, one.askers) == ("ostiary", 1)), None)
    fast_enough = ours is None or theirs is None or ours >= TARGET_RATIO * theirs
    if ours and theirs:
        print(f"\n8 askers: {ours / theirs:.1f} times the throughput of one at a time.")
    return fast_enough and (first is None or first < TARGET_FIRST)


if __name__ == "__main__":
    main()
