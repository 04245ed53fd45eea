"""Small truths about operating-system processes that PostgreSQL's life hangs on."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Loaded now: after root is given up, the interpreter's own files may be out of reach.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """In the child, before exec: ask the kernel for SIGINT (PostgreSQL's fast shutdown) when the parent dies.

    Set after any change of user, which would clear it. Elsewhere than on Linux the next supervisor cleans up.
    """
    parent = os.getppid()
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if parent == 1 or os.getppid() != parent:  # it died before we asked
            os._exit(1)


def clean_environment() -> dict[str, str]:
    """Ours, without what would change PostgreSQL's behaviour or the language of its messages."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def is_postmaster_of(pid: int, data: Path) -> bool | None:
    """Whether that process serves this data directory (a postmaster works inside it); None if unknowable."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
        except FileNotFoundError:
            return False
        except OSError:
            return None
    return _command_names_postgres(pid)


def _command_names_postgres(pid: int) -> bool | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, timeout=10
        )
        if not done.stdout.strip():
            return False
        return True if "postgres" in done.stdout else None
    return None
