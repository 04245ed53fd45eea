"""Making a cluster: all or nothing. A cluster that was half made when the power went is made again."""

import locale
import os
import shutil
import subprocess
from pathlib import Path

from auth.server.binaries import Binaries
from auth.server.errors import ServerError
from auth.server.logfile import last_lines
from auth.server.processes import clean_environment, die_with_parent

_NEEDED_MIB = 120


def major_of(place: Path) -> int | None:
    """The major version that made the cluster; None where there is none yet."""
    data = data_in(place)
    try:
        return int((data / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        if not data.exists():
            return None
    except (OSError, ValueError):
        pass
    raise ServerError(
        f"{data} is not a PostgreSQL cluster, or a damaged one (PG_VERSION cannot be read): "
        "restore it from a backup, or move it away to start with an empty database."
    )


def data_in(place: Path) -> Path:
    return place / "data"


def create(place: Path, binaries: Binaries, *, server_lock: int, sync: bool, timeout_s: float) -> None:
    """Run initdb beside the final name and rename: nobody ever sees a cluster that is not whole."""
    partial = place / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _require_space(place)
    command = [
        str(binaries.initdb),
        f"--pgdata={partial}",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        f"--lc-ctype={_character_classes()}",
        "--auth=scram-sha-256",
        "--auth-local=peer",
        "--no-instructions",
        *([] if sync else ["--no-sync"]),
    ]
    _run_initdb(command, server_lock, timeout_s)
    partial.rename(data_in(place))
    if sync:
        _sync_folder(place)


def _run_initdb(command: list[str], server_lock: int, timeout_s: float) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            pass_fds=(server_lock,),
            env=clean_environment(),
            preexec_fn=die_with_parent,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(
            f"PostgreSQL could not make its cluster within {timeout_s:.0f} s: is the disk slow? Try again."
        ) from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        return
    if "No space left on device" in output:
        raise ServerError(_full(Path(command[1].removeprefix("--pgdata="))))
    raise ServerError(f"PostgreSQL could not make its cluster; initdb said:\n{last_lines(output)}")


def _require_space(place: Path) -> None:
    if shutil.disk_usage(place).free < _NEEDED_MIB << 20:
        raise ServerError(_full(place))


def _full(place: Path) -> str:
    return (
        f"The disk that holds {place} is full: an empty cluster needs {_NEEDED_MIB} MiB. "
        "Make room, or choose a home on another disk."
    )


def _character_classes() -> str:
    """A UTF-8 locale for full-text parsing: under plain C it takes curly quotes and dashes for letters."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C"


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_access_rules(place: Path, names: set[str]) -> None:
    """Only these operating-system users may connect, as any role: a second wall behind the 0700 directory.

    Written anew at each start and named on the command line, so that an edited cluster cannot widen it.
    """
    quoted = sorted('"' + name.replace('"', '""') + '"' for name in names)
    (place / "pg_hba.conf").write_text("local all all peer map=ostiary\n")
    (place / "pg_ident.conf").write_text("".join(f"ostiary {name} all\n" for name in quoted))
