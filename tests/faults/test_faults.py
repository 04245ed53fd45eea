"""Whatever breaks while documents are taken in: none is lost, none doubled, none half visible.

A worker killed at every await takes long: `make faults`. Here it dies at a few of them.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from auth.database import APP, READER, DatabaseUrls
from auth.server import RunningServer, ensure_running, throwaway_server, wait_until_stopped
from migrations.upgrade import upgrade
from tests.faults.matrix import Stand, stand
from tests.faults.trials import Forge, HalfDone, forge, prepared

PATIENCE_S = 60
_MIB = 2**20


@pytest.fixture(scope="module")
def forged() -> Iterator[Forge]:
    with forge() as made:
        yield made


@pytest.fixture(scope="module")
def made(server: RunningServer, forged: Forge) -> Iterator[Stand]:
    with stand(server, forged) as standing:
        yield standing


@pytest.mark.parametrize("share", [0.45, 0.7, 0.9])
def test_a_worker_that_is_killed_leaves_everything_whole_and_another_finishes(
    made: Stand, share: float
) -> None:
    assert made.kill_at(round(made.awaits * share))


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM retrieval.chunk WHERE id = (SELECT max(id) FROM retrieval.chunk)",
        "DELETE FROM retrieval.chunk_vec WHERE chunk_id = (SELECT max(chunk_id) FROM retrieval.chunk_vec)",
        "UPDATE retrieval.chunk SET is_current = false WHERE id = (SELECT max(id) FROM retrieval.chunk)",
        "UPDATE retrieval.label_count SET chunks = chunks + 1",
    ],
)
def test_what_is_half_there_would_be_seen(made: Stand, harm: str) -> None:
    with made.copied("harmed") as trial:
        trial.require_whole(made.size)
        with psycopg.connect(trial.urls.admin, autocommit=True) as connection:
            connection.execute(harm)  # type: ignore[arg-type]
        with pytest.raises(HalfDone):
            trial.require_whole(made.size)


def test_a_database_that_crashes_in_the_middle_costs_nothing_but_time(forged: Forge, tmp_path: Path) -> None:
    with throwaway_server() as server:
        upgrade(server.url())
        trial = prepared(urls_of(server), tmp_path, forged)
        with psycopg.connect(server.url()) as connection:
            connection.execute("LOCK TABLE retrieval.chunk_vec IN EXCLUSIVE MODE")
            forged.begin(trial.urls, trial.workspace_id)
            until(lambda: is_waiting(server), "a document is being stored")
            os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        assert forged.end() == 0
        trial.require_done()
        trial.require_whole({version.content_hash: version.chunks for version in trial.versions()})


def test_a_full_disk_costs_nothing_but_time(forged: Forge, tmp_path: Path) -> None:
    """The worker tries again until there is room."""
    with small_disk(tmp_path / "disk", 400 * _MIB) as disk, server_on(disk) as server:
        upgrade(server.url())
        folder = tmp_path / "folder"
        folder.mkdir()
        trial = prepared(urls_of(server), folder, forged, length=100)
        ballast = disk / "ballast"
        fill(ballast)
        forged.begin(trial.urls, trial.workspace_id)
        until(lambda: "No space left on device" in log_of(disk), "the disk is full")
        time.sleep(2)  # more tries than one
        ballast.unlink()
        assert forged.end() == 0
        trial.require_done()
        trial.require_whole({version.content_hash: version.chunks for version in trial.versions()})


def urls_of(server: RunningServer) -> DatabaseUrls:
    return DatabaseUrls(server.url(), server.url(APP), server.url(READER))


def is_waiting(server: RunningServer) -> bool:
    with psycopg.connect(server.url(database="postgres")) as connection:
        found = connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    return found is not None


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def log_of(home: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in home.rglob("*.log"))


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file:
        for size in (_MIB, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def small_disk(where: Path, size: int) -> Iterator[Path]:
    """A disk of its own, in memory, where this machine lets us mount one."""
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", str(where)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    for folder in where.parents[:-1]:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)  # the server's user must get there
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


@contextmanager
def server_on(home: Path) -> Iterator[RunningServer]:
    with ensure_running(home, linger_s=0.0, fast_but_unsafe=True) as server:
        yield server
    wait_until_stopped(home)
