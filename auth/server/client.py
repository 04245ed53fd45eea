"""How a process uses the embedded server: it holds a lease, and starts the server if it is the first."""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from auth.server import locks, place, state
from auth.server.binaries import Wheel
from auth.server.errors import ServerError
from auth.server.logfile import LOG
from auth.server.orders import Orders

_PAUSE_S = 0.05


class RunningServer(AbstractContextManager["RunningServer"]):
    """A lease on a running server. It stays up while any lease is open, in this process or another.

    A forked child shares its parent's lease: the server stays until both are gone.
    """

    def __init__(self, home: Path, found: state.State, database: str, lease: int) -> None:
        self.home = home
        self.data = Path(found.data)
        self.socket_dir = Path(found.socket_dir)
        self.port = found.port
        self.version = found.version
        self.wheel = found.wheel
        self.database = database
        self.log = home / LOG
        self._lease: int | None = lease
        self._guard = threading.Lock()
        atexit.register(self.release)

    def url(self, role: str = "postgres", database: str | None = None) -> str:
        """For psycopg and SQLAlchemy: over the socket, without a password."""
        where = f"host={quote(str(self.socket_dir), safe='')}&port={self.port}"
        return f"postgresql://{quote(role, safe='')}@/{quote(database or self.database, safe='')}?{where}"

    def release(self) -> None:
        """Give the lease back; once is enough, more does no harm."""
        with self._guard:
            lease, self._lease = self._lease, None
        if lease is not None:
            os.close(lease)  # never unlocked: a forked child may still hold the same lease
            atexit.unregister(self.release)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def ensure_running(
    home: Path,
    *,
    database: str = "ostiary",
    wheel: Wheel = "auto",
    linger_s: float = 2.0,
    start_timeout_s: float = 60.0,
    fast_but_unsafe: bool = False,
    system_dir: Path = place.SYSTEM_DIR,
) -> RunningServer:
    """The server of this home, started if need be, with `database` in it. Blocks, at most about the timeout.

    `linger_s` and `fast_but_unsafe` (no fsync: for tests only) count for whoever starts it. `system_dir` is
    where root puts a cluster whose server could not enter the home. Raises ServerError.
    """
    if os.name == "nt":
        raise ServerError("The embedded PostgreSQL needs Linux or macOS: on Windows set DATABASE_URL.")
    home = _make_home(home)
    orders = Orders(
        home=str(home),
        system_dir=str(system_dir.absolute()),
        wheel=wheel,
        linger_s=linger_s,
        start_timeout_s=start_timeout_s,
        fast_but_unsafe=fast_but_unsafe,
    )
    deadline = time.monotonic() + start_timeout_s
    lease = locks.open_lock(home / locks.USERS)
    try:
        if not locks.take(lease, shared=True, deadline=deadline):
            raise ServerError(f"The server of {home} is shutting down and does not end: see {home / LOG}.")
        found = _reach(home, orders, database, deadline)
        _refuse_other_kind(found, orders)
    except BaseException:
        os.close(lease)
        raise
    return RunningServer(home, found, database, lease)


def is_running(home: Path) -> bool:
    """Whether a supervisor lives, starting, serving or stopping."""
    return locks.is_held(home / locks.SUPERVISOR)


def wait_until_stopped(home: Path, timeout_s: float = 30.0) -> bool:
    """Wait for the server to be gone, all processes of it; False when it is still there."""
    deadline = time.monotonic() + timeout_s
    while is_running(home) or locks.is_held(home / locks.SERVER):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _make_home(home: Path) -> Path:
    try:
        # The user that root lends to PostgreSQL must get through, and see nothing.
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"The home {home} cannot be made ({error.strerror}): choose another.") from error
    return home.resolve()


def _reach(home: Path, orders: Orders, database: str, deadline: float) -> state.State:
    """Connect; where there is no server, one of all that ask launches it and the others wait."""
    start = locks.open_lock(home / locks.START)
    problem = "nobody answered"
    try:
        while True:
            found = state.read(place.link_in(home))
            if found is not None:
                failure = _prepare_database(found, database)
                # Without its supervisor it is about to stop, whatever it answers.
                if failure is None and is_running(home):
                    return found
                problem = failure or "its supervisor is gone"
            if time.monotonic() >= deadline:
                raise ServerError(f"The server of {home} does not answer ({problem}): see {home / LOG}.")
            if locks.take(start, shared=False, deadline=deadline):
                if not is_running(home):
                    _launch(orders, deadline)
                    found = None
                locks.unlock(start)
            if found is not None:
                time.sleep(_PAUSE_S)
    finally:
        os.close(start)


def _refuse_other_kind(found: state.State, orders: Orders) -> None:
    if orders.wheel not in ("auto", found.wheel.split()[0]):
        raise ServerError(f"The server of this home already runs from {found.wheel}: stop its users first.")
    if found.fast_but_unsafe and not orders.fast_but_unsafe:
        raise ServerError("The server of this home runs without fsync, for tests: stop its users first.")


def _prepare_database(found: state.State, database: str) -> str | None:
    """Connect and create the database if absent; None when done, else why it could not connect."""
    import psycopg  # here, so that importing this module stays quick
    from psycopg import sql

    try:
        with psycopg.connect(
            host=found.socket_dir,
            port=found.port,
            user="postgres",
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [database]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return None  # somebody else was quicker
    except psycopg.OperationalError as error:
        if "authentication failed" in str(error):
            raise ServerError(f"The embedded server lets this user not in: {error}") from error
        return str(error).strip()
    return None


def _launch(orders: Orders, deadline: float) -> None:
    """Start a supervisor and wait for its word. Raises ServerError with what it says."""
    # The folder that holds the package: found also when Ostiary runs from a checkout.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
    launcher = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", "auth.server.supervisor", orders.to_json()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    )
    assert launcher.stdout is not None
    with launcher.stdout as pipe:
        word = _read_line(pipe.fileno(), deadline + 5)  # it knows the deadline too and speaks first
    launcher.wait()  # it forked and left; the supervisor is nobody's child
    if word is None:
        raise ServerError(
            f"The server's supervisor ended without a word: see {Path(orders.home) / LOG}, "
            f"and whether `{sys.executable} -c 'import auth.server.supervisor'` runs."
        )
    error = json.loads(word)["error"]
    if error is not None:
        raise ServerError(error)


def _read_line(fd: int, deadline: float) -> bytes | None:
    got = b""
    while not got.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], max(deadline - time.monotonic(), 0))
        chunk = os.read(fd, 65536) if ready else b""
        if not chunk:
            return None
        got += chunk
    return got
