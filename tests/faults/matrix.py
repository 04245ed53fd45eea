"""`make faults`: a worker killed at every await of taking documents in, one after the other.

    python -m tests.faults.matrix --from 1 --to 500 --step 1

Prints how many points there are and what was found at each; ends with exit code 1 if anything was lost, doubled or
half visible.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from auth.database import APP, READER, DatabaseUrls
from auth.server import RunningServer, throwaway_server
from migrations.upgrade import upgrade
from tests.conftest import fresh_database
from tests.faults.trials import Forge, HalfDone, Trial, forge, prepared


@dataclass(frozen=True)
class Stand:
    """A trial that is about to begin, to be copied as often as one likes, and how it goes when nobody disturbs it.

    `size`: content -> how many chunks a version of it has.
    """

    server: RunningServer
    forged: Forge
    trial: Trial
    awaits: int
    size: dict[bytes, int]

    @contextmanager
    def copied(self, name: str) -> Iterator[Trial]:
        source = make_url(self.trial.urls.admin).database
        copy = f"{source}_{name}"
        with psycopg.connect(self.server.url(database="postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')  # type: ignore[arg-type]
        urls = DatabaseUrls(
            self.server.url(database=copy), self.server.url(APP, copy), self.server.url(READER, copy)
        )
        yield replace(self.trial, urls=urls)
        with psycopg.connect(self.server.url(database="postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')  # type: ignore[arg-type]

    def kill_at(self, point: int) -> bool:
        """Kill a worker there, look, and let another finish. False where it came to its end. Raises HalfDone."""
        with self.copied(str(point)) as trial:
            status, _ = self.forged.work(trial.urls, trial.workspace_id, dies_at=point)
            trial.require_whole(self.size)
            if status == 0:
                return False
            trial.take_for_dead()
            status, _ = self.forged.work(trial.urls, trial.workspace_id)
            if status != 0:
                raise HalfDone(f"the next worker ended with {status}")
            trial.require_whole(self.size)
            trial.require_done()
        return True


@contextmanager
def stand(server: RunningServer, forged: Forge) -> Iterator[Stand]:
    with fresh_database(server, "faults") as urls, tempfile.TemporaryDirectory() as folder:
        trial = prepared(urls, Path(folder), forged)
        made = Stand(server, forged, trial, 0, {})
        with made.copied("unhurt") as unhurt:
            status, awaits = forged.work(unhurt.urls, unhurt.workspace_id)
            assert status == 0
            unhurt.require_done()
            size = {version.content_hash: version.chunks for version in unhurt.versions()}
            assert min(size.values()) > 0
            unhurt.require_whole(size)
        yield replace(made, awaits=awaits, size=size)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="first", type=int, default=1, help="First point.")
    parser.add_argument("--to", dest="last", type=int, default=100_000, help="Last point.")
    parser.add_argument("--step", type=int, default=1, help="Every how manieth point.")
    given = parser.parse_args()
    began, broken, killed = time.monotonic(), 0, 0
    with throwaway_server() as server, forge() as forged:
        upgrade(server.url())
        with stand(server, forged) as made:
            sizes = sorted(made.size.values())
            print(f"{made.awaits} points; {len(sizes)} contents of {sizes} passages", flush=True)
            for point in range(given.first, min(given.last, made.awaits) + 1, given.step):
                try:
                    killed += made.kill_at(point)
                except HalfDone as error:
                    broken += 1
                    print(f"point {point}: {error}", flush=True)
                if killed % 10 == 0:
                    print(f"... {killed} kills, {time.monotonic() - began:.0f} s", flush=True)
    print(f"killed at {killed} of {made.awaits} points in {time.monotonic() - began:.0f} s: {broken} broken")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
