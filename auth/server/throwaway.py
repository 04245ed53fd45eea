"""A server for one test run: quick, without fsync, and gone without a trace."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auth.server.binaries import Wheel
from auth.server.client import RunningServer, ensure_running, wait_until_stopped

_ROOMY = 2 << 30


def throwaway_folder(needs: int = _ROOMY) -> Path:
    """A new folder that the server's user can enter, with a short path; in memory if there is more than `needs`."""
    parent = Path("/dev/shm")  # noqa: S108
    roomy = parent.is_dir() and os.access(parent, os.W_OK) and shutil.disk_usage(parent).free > needs
    folder = Path(tempfile.mkdtemp(prefix="ostiary-test-", dir=parent if roomy else "/tmp"))  # noqa: S108
    folder.chmod(0o711)
    return folder


@contextmanager
def throwaway_server(
    database: str = "ostiary", wheel: Wheel = "auto", needs: int = _ROOMY
) -> Iterator[RunningServer]:
    """A new, empty server in a temporary home that the server's user can enter, even for root.

    It lies in memory where there is room for the bytes that it `needs`, else on disk.
    """
    home = throwaway_folder(needs)
    try:
        with ensure_running(
            home, database=database, wheel=wheel, linger_s=0.0, fast_but_unsafe=True
        ) as server:
            yield server
        wait_until_stopped(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
