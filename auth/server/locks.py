"""Advisory locks between processes. The kernel drops them with the process, however it dies.

One home has four: `users` (shared, one holder per user), `start` (who may launch), `supervisor` (held while
it lives) and `server` (held by the supervisor and inherited by every PostgreSQL process, so that it is free
only when the last of them is gone).
"""

import errno
import os
import time
from pathlib import Path

from auth.server.errors import ServerError

USERS = "users.lock"
START = "start.lock"
SUPERVISOR = "supervisor.lock"
SERVER = "server.lock"

_PAUSE_S = 0.01


def open_lock(path: Path) -> int:
    """A descriptor of the lock file, made if absent; the caller closes it. Raises ServerError."""
    try:
        return create_private(path, os.O_RDWR)
    except PermissionError as error:
        raise ServerError(
            f"{path} cannot be opened: it belongs to another user. Run as that user, or choose another home."
        ) from error
    except OSError as error:
        raise ServerError(f"{path} cannot be opened ({error.strerror}): choose another home.") from error


def create_private(path: Path, flags: int) -> int:
    """Open a file 0600 in the home, never through a link; what root makes belongs to the home's owner."""
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    if os.geteuid() == 0:
        home = path.parent.stat()
        os.fchown(fd, home.st_uid, home.st_gid)
    return fd


def take(fd: int, *, shared: bool, deadline: float) -> bool:
    """Take the lock, trying until `deadline` (of time.monotonic); False when somebody else kept it."""
    import fcntl  # absent on Windows, where client.py has refused before

    while True:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EINTR):
                raise ServerError(
                    f"The file system of the home knows no file locks ({error.strerror}): "
                    "put the home on a local disk."
                ) from error
        else:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_S)


def unlock(fd: int) -> None:
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock exclusively now."""
    if not path.exists():
        return False
    fd = open_lock(path)
    try:
        return not take(fd, shared=True, deadline=0.0)
    finally:
        os.close(fd)
