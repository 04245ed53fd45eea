"""All benchmarks of finding, taking in and writing, one after the other: `make bench`, or `python -m tests.benchmarks`.

Each prints its tables and writes JSON and a picture into `--out`; a machine that does nothing else tells most.
Arguments that are not known here are passed on: `--only growth --sizes 10000 100000`. Exit code 1 where one of them
missed a target.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

BENCHMARKS = ("filtered", "quality", "ingestion", "growth", "generation")


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", nargs="+", default=list(BENCHMARKS), choices=BENCHMARKS)
    options.add_argument("--out", type=Path, default=Path("bench"), help="folder of the results")
    chosen, further = options.parse_known_args()
    missed = [name for name in chosen.only if not _met(name, ["--out", str(chosen.out), *further])]
    print(
        f"\nResults are in {chosen.out}/. " + (f"Short of a target: {', '.join(missed)}." if missed else "")
    )
    sys.exit(1 if missed else 0)


def _met(name: str, arguments: list[str]) -> bool:
    print(f"\n## {name}\n", flush=True)
    began = time.perf_counter()
    code = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments], check=False
    ).returncode
    print(f"\n({time.perf_counter() - began:.0f} s)", flush=True)
    return code == 0


if __name__ == "__main__":
    main()
