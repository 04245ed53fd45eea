"""`make proof`: the machine of tests/door for hundreds of thousands of steps, in several processes.

    python -m tests.proof --steps 200000 --processes 2

Every step is a move in a small company with the bot's real desks, replier and database; every message is judged at
the moment it is sent. Prints the moves, questions and messages by surface; ends with exit code 1 on a leak.
"""

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections import Counter
from contextlib import ExitStack

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from auth.database import Database, DatabaseUrls
from auth.server import throwaway_server
from migrations.upgrade import upgrade
from tests.conftest import fresh_database
from tests.door.machine import DoorMachine

EXAMPLES, STEPS = 15, 150
A_BATCH = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Report = tuple[int, Counter[str], str]
"""Which process, what it did, and the leak it found (empty: none)."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=200_000, help="Moves altogether.")
    parser.add_argument("--processes", type=int, default=2, help="How many work beside each other.")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="To repeat what was found.")
    given = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(throwaway_server())
        upgrade(server.url())
        reports: multiprocessing.Queue[Report] = multiprocessing.get_context("spawn").Queue()
        share = given.steps // given.processes
        made, leaks = Counter[str](), list[str]()
        databases = [
            stack.enter_context(fresh_database(server, f"proof {number}"))
            for number in range(given.processes)
        ]
        workers = [
            multiprocessing.get_context("spawn").Process(
                target=_work, args=(number, urls, share, given.seed + number, reports)
            )
            for number, urls in enumerate(databases)
        ]
        for worker in workers:
            worker.start()
        alive = len(workers)
        while alive:
            number, done, leak = reports.get(timeout=600)
            made += done
            alive -= "the end" in done
            leaks += [f"process {number}: {leak}"] if leak else []
            print(
                f"{_steps(made):>8} steps, {time.monotonic() - began:6.0f} s, {len(leaks)} leaks", flush=True
            )
        for worker in workers:
            worker.join()
    _print(made, leaks, time.monotonic() - began, given.seed)
    sys.exit(1 if leaks else 0)


def _work(
    number: int, urls: DatabaseUrls, steps: int, first_seed: int, reports: "multiprocessing.Queue[Report]"
) -> None:
    loop = asyncio.new_event_loop()
    database = Database(urls)
    DoorMachine.database, DoorMachine.loop = database, loop
    done, batch = 0, 0
    while done < steps:
        DoorMachine.made.clear()
        leak = _batch(first_seed + 1000 * batch)
        done += _steps(DoorMachine.made)
        batch += 1
        reports.put((number, Counter(DoorMachine.made), leak))
    loop.run_until_complete(database.close())
    reports.put((number, Counter({"the end": 1}), ""))


def _batch(this_seed: int) -> str:
    class Machine(DoorMachine):
        """One batch's own: a machine is seeded by its class."""

    try:
        run_state_machine_as_test(seed(this_seed)(Machine), settings=A_BATCH)
    except Exception as error:
        return f"seed {this_seed}: {type(error).__name__}: {error}"
    return ""


def _steps(made: Counter[str]) -> int:
    return sum(count for name, count in made.items() if name.startswith("step: "))


def _print(made: Counter[str], leaks: list[str], took_s: float, first_seed: int) -> None:
    for kind, title in (
        ("step", "Moves"),
        ("asked", "Questions and clicks, by where"),
        ("sent", "Messages judged"),
    ):
        named = {n.partition(": ")[2]: c for n, c in made.items() if n.startswith(f"{kind}: ")}
        print(f"\n{title}: {sum(named.values())}")
        for name, count in sorted(named.items(), key=lambda item: -item[1]):
            print(f"  {count:>8}  {name}")
    print(f"\n{_steps(made)} steps in {took_s:.0f} s from seed {first_seed}: {len(leaks)} leaks")
    for leak in leaks:
        print(leak)


if __name__ == "__main__":
    main()
