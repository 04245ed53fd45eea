"""The PostgreSQL process itself: its command line, its start until it is ready, its stop."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from auth.server import logfile
from auth.server.binaries import Binaries
from auth.server.errors import ServerError
from auth.server.place import PORT
from auth.server.processes import clean_environment, die_with_parent, is_postmaster_of

_PAUSE_S = 0.01
_REFUSED_PAUSE_S = 0.1
_FAST_STOP_S = 30.0
_IMMEDIATE_STOP_S = 5.0
# Below this, parallel index builds may fail for want of room (Docker gives /dev/shm 64 MiB).
_ENOUGH_SHARED_MEMORY = 4 << 30


@dataclass(frozen=True)
class Launch:
    """All that a start needs. The lock is inherited by every process of the server."""

    binaries: Binaries
    place: Path
    data: Path
    socket_dir: Path
    log: int
    server_lock: int
    fast_but_unsafe: bool

    def command(self) -> list[str]:
        settings = _settings(self)
        return [
            str(self.binaries.postgres),
            *("-D", str(self.data)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]


def _settings(launch: Launch) -> dict[str, str]:
    """On the command line, so that they are today's whatever postgresql.conf says."""
    settings = {
        "listen_addresses": "",  # no TCP at all
        "unix_socket_directories": f'"{launch.socket_dir}"',
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "hba_file": str(launch.place / "pg_hba.conf"),
        "ident_file": str(launch.place / "pg_ident.conf"),
        "max_connections": "150",
        "work_mem": "16MB",
        "random_page_cost": "1.1",
        "max_wal_size": "512MB",
        "dynamic_shared_memory_type": _shared_memory(),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",
        # Statements and the details of errors quote documents, and the log has no label.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
    settings |= _memory_settings(_machine_memory())
    if launch.fast_but_unsafe:
        settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    return settings


def _memory_settings(total: int) -> dict[str, str]:
    """Shares of this machine's bytes: a search that finds its pages in shared memory is several times as fast.

    Nothing is taken before it is needed; an index over vectors is built much faster where it fits into memory.
    """
    return {
        "shared_buffers": _megabytes(total // 8, least=128, most=4096),
        "maintenance_work_mem": _megabytes(total // 16, least=64, most=2048),
        "effective_cache_size": _megabytes(total // 2, least=256, most=65536),
    }


def _megabytes(size: int, *, least: int, most: int) -> str:
    return f"{min(max(size // 2**20, least), most)}MB"


def _machine_memory() -> int:
    """Bytes that this machine has, or the container that this runs in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdecimal() else whole


def _shared_memory() -> str:
    if sys.platform != "linux":
        return "posix"
    try:
        enough = shutil.disk_usage("/dev/shm").total >= _ENOUGH_SHARED_MEMORY  # noqa: S108
    except OSError:
        enough = False
    return "posix" if enough else "mmap"


def start(launch: Launch, deadline: float) -> subprocess.Popen[bytes]:
    """Start and wait until it accepts connections. Raises ServerError with the log's last lines.

    A refusal because of a predecessor's leftovers (its last backends, its pid file) is waited out.
    """
    while True:
        before = logfile.size(launch.log)
        child = _spawn(launch)
        if _wait_ready(child, launch.data, deadline):
            return child
        said = logfile.since(launch.log, before)
        if child.poll() is None:
            stop(child)
            raise ServerError(
                "PostgreSQL was not ready in time (is it recovering from a crash, or the machine busy?): "
                f"try again, with a longer time. Its log ends:\n{logfile.last_lines(said)}"
            )
        if time.monotonic() >= deadline or not _will_pass(said, launch):
            raise ServerError(_refusal(said, launch))
        time.sleep(_REFUSED_PAUSE_S)


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        launch.command(),
        stdin=subprocess.DEVNULL,
        stdout=launch.log,
        stderr=launch.log,
        env=clean_environment(),
        pass_fds=(launch.server_lock,),
        preexec_fn=die_with_parent,
    )


def _wait_ready(child: subprocess.Popen[bytes], data: Path, deadline: float) -> bool:
    """The postmaster writes "ready" into its own pid file, as pg_ctl reads it."""
    while child.poll() is None and time.monotonic() < deadline:
        lines = _pid_file(data)
        if len(lines) >= 8 and lines[0] == str(child.pid) and lines[7].strip() == "ready":
            return True
        time.sleep(_PAUSE_S)
    return False


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _will_pass(said: str, launch: Launch) -> bool:
    """Whether a refused start is worth another try."""
    if "is still in use" in said:  # the predecessor's last backends are on their way out
        return True
    if 'lock file "postmaster.pid" already exists' in said:
        return _clear_reused_pid(launch.data)
    # PostgreSQL looks at the socket's lock only after it has made sure that the cluster is nobody else's,
    # and the socket's directory serves this cluster alone.
    socket_lock = launch.socket_dir / f".s.PGSQL.{PORT}.lock"
    if f'lock file "{socket_lock}" already exists' in said:
        socket_lock.unlink(missing_ok=True)
        return True
    return False


def _clear_reused_pid(data: Path) -> bool:
    """True when PostgreSQL may start now or soon.

    PostgreSQL itself sees that a pid file is stale unless its pid is in use again, by any process of ours,
    as happens after a container's restart. The file goes only if that process is proven not to serve this
    cluster. We hold the server lock here, so no server that we started is alive either.
    """
    lines = _pid_file(data)
    if not lines:
        return True
    pid = abs(int(lines[0]))
    serves = is_postmaster_of(pid, data)
    if serves is None:
        raise ServerError(
            f"{data}/postmaster.pid names process {pid}, which may or may not be a PostgreSQL of this "
            "cluster: if it is not, delete that file and try again."
        )
    if serves:
        raise ServerError(
            f"Another PostgreSQL (process {pid}), not started by Ostiary, serves {data}: "
            "stop it and try again."
        )
    (data / "postmaster.pid").unlink(missing_ok=True)
    return True


def _refusal(said: str, launch: Launch) -> str:
    if "No space left on device" in said:
        return f"The disk that holds {launch.place} is full: make room and try again."
    if "could not bind Unix address" in said:
        return f"PostgreSQL cannot make its socket in {launch.socket_dir}:\n{logfile.last_lines(said)}"
    return (
        f"PostgreSQL {launch.binaries.version} did not start on {launch.data}: its cluster may be damaged. "
        f"Restore it from a backup, or move it away to start empty. It said:\n{logfile.last_lines(said)}"
    )


def ask_orphan_to_stop(data: Path) -> None:
    """A server that outlived its supervisor (only where the kernel does not tell it) is asked to stop."""
    lines = _pid_file(data)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid > 0 and is_postmaster_of(pid, data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (open transactions roll back, nothing to recover), harder if that does not end."""
    steps = ((signal.SIGINT, _FAST_STOP_S), (signal.SIGQUIT, _IMMEDIATE_STOP_S), (signal.SIGKILL, None))
    for what, patience in steps:
        if child.poll() is not None:
            return
        child.send_signal(what)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
