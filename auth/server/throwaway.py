"""A server for one test run: quick, without fsync, and gone without a trace."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auth.server.binaries import Wheel
from auth.server.client import RunningServer, ensure_running, wait_until_stopped


@contextmanager
def throwaway_server(database: str = "ostiary", wheel: Wheel = "auto") -> Iterator[RunningServer]:
    """A new, empty server in a temporary home that the server's user can enter, even for root."""
    home = Path(tempfile.mkdtemp(prefix="ostiary-test-", dir="/tmp"))  # short, for the socket
    if os.geteuid() == 0:
        home.chmod(0o711)
    try:
        with ensure_running(
            home, database=database, wheel=wheel, linger_s=0.0, fast_but_unsafe=True
        ) as server:
            yield server
        wait_until_stopped(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
