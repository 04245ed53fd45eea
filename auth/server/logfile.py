"""The server's log: appended to by descriptor, bounded in size, quoted from when something fails."""

import os
from pathlib import Path

from auth.server.locks import create_private

LOG = "postgres.log"
_ROTATE_AT = 4 << 20
_TRIM_AT = 16 << 20
_KEEP = 1 << 20


def open_log(home: Path) -> int:
    """Open for appending; a log above 4 MiB becomes postgres.log.1 first, which replaces the one before."""
    path = home / LOG
    if path.exists() and path.stat().st_size > _ROTATE_AT:
        path.replace(path.with_name(f"{LOG}.1"))
    return create_private(path, os.O_RDWR | os.O_APPEND)


def size(fd: int) -> int:
    return os.fstat(fd).st_size


def trim(fd: int, limit: int = _TRIM_AT, keep: int = _KEEP) -> None:
    """Keep only the end of a log that grew too large; the server appends, so it need not know."""
    length = size(fd)
    if length <= limit:
        return
    tail = os.pread(fd, keep, length - keep)
    os.ftruncate(fd, 0)
    os.write(fd, tail)


def since(fd: int, start: int) -> str:
    """What was written from that offset on, at most the last 64 KiB."""
    start = max(start, size(fd) - (64 << 10), 0)
    return os.pread(fd, 64 << 10, start).decode("utf-8", "replace")


def last_lines(text: str, count: int = 6) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-count:]) or "  (it said nothing)"
