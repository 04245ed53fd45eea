"""Where a cluster lives and which operating-system user runs it. Nobody's directory is ever opened wider.

PostgreSQL refuses to run as root. Started by root it runs as the owner of what exists already, else as the
first of `ostiary`, `postgres`, `nobody` that this machine has.
"""

import grp
import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from auth.server.errors import ServerError

SYSTEM_DIR = Path("/var/lib/ostiary")
PORT = 5432
_SERVICE_USERS = ("ostiary", "postgres", "nobody")
# A socket's path ends, with its zero byte, at 104 bytes on macOS and 108 on Linux.
_SOCKET_PATH_LIMIT = 103


@dataclass(frozen=True)
class Owner:
    """The operating-system user that runs the server and owns its files."""

    uid: int
    gid: int
    name: str


def link_in(home: Path) -> Path:
    """The cluster's folder, or, where the server's user cannot enter the home, a link to it."""
    return home / "postgres"


def owner_for(home: Path) -> Owner:
    """Who shall run the server of this home. Raises ServerError when there is no such user."""
    if os.geteuid() != 0:
        return _current_user()
    existing = link_in(home)
    if existing.exists():
        uid = existing.stat().st_uid
        if uid == 0:
            raise ServerError(
                f"{existing} belongs to root, and PostgreSQL refuses to run as root: give it to another user "
                f"(chown -R nobody {existing}), or choose a new home."
            )
        return _owner(pwd.getpwuid(uid)) if _is_named(uid) else _nameless(uid)
    home_uid = home.stat().st_uid
    if home_uid != 0 and _is_named(home_uid):
        return _owner(pwd.getpwuid(home_uid))
    return _service_user()


def _current_user() -> Owner:
    uid = os.geteuid()
    return _owner(pwd.getpwuid(uid)) if _is_named(uid) else _nameless(uid)


def _service_user() -> Owner:
    for name in _SERVICE_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return _owner(entry)
    raise ServerError(
        "PostgreSQL refuses to run as root, and this machine has no user to run it as: "
        "make one (useradd --system ostiary), or set DATABASE_URL."
    )


def _owner(entry: pwd.struct_passwd) -> Owner:
    return Owner(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _is_named(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _nameless(uid: int) -> Owner:
    raise ServerError(
        f"User id {uid} has no name on this machine (no line in /etc/passwd), and PostgreSQL makes no "
        f"cluster for a nameless user: add one (useradd --uid {uid} ostiary), run as another user, "
        "or set DATABASE_URL."
    )


def find_or_make(home: Path, owner: Owner, system_dir: Path) -> Path:
    """The folder of the cluster, 0700 and the owner's; found again through the home, wherever it is."""
    link = link_in(home)
    if not os.path.lexists(link):
        _make(link, owner, system_dir)
    place = link.resolve()
    if not place.is_dir():
        raise ServerError(f"{link} leads to {place}, which is not there: put it back, or remove the link.")
    if place.stat().st_uid != owner.uid:
        raise ServerError(
            f"{place} belongs to user id {place.stat().st_uid}, not to {owner.name}: "
            "run as that user, or choose a home of your own."
        )
    if not _can_enter(place.parent, owner):
        raise ServerError(
            f"{place} lies below a directory that {owner.name} cannot enter: "
            "move the home, or let that user through (chmod o+x on the directories above it)."
        )
    return place


def _make(link: Path, owner: Owner, system_dir: Path) -> None:
    if _can_enter(link.parent, owner):
        link.mkdir(mode=0o700)
        _give(link, owner)
        return
    system_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = system_dir.stat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        raise ServerError(f"{system_dir} must belong to root and be writable by root only: mend its rights.")
    # Never an old folder of the same home: who deleted the home wants an empty database.
    place = Path(tempfile.mkdtemp(prefix=f"{_digest(link.parent)}-", dir=system_dir))
    _give(place, owner)
    link.symlink_to(place)


def _give(path: Path, owner: Owner) -> None:
    if os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def _can_enter(folder: Path, owner: Owner) -> bool:
    """Whether every directory down to this one lets the owner through, by its mode bits."""
    groups = {owner.gid, *(one.gr_gid for one in grp.getgrall() if owner.name in one.gr_mem)}
    return all(
        _passes(one.stat(), owner.uid, groups) for one in (folder.resolve(), *folder.resolve().parents)
    )


def _passes(found: os.stat_result, uid: int, groups: set[int]) -> bool:
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in groups:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def become(owner: Owner) -> None:
    """Give root up for good; no effect for anybody else. Raises ServerError where that is refused."""
    if os.geteuid() != 0:
        return
    try:
        os.initgroups(owner.name, owner.gid)
        os.setgid(owner.gid)
        os.setuid(owner.uid)
    except OSError as error:
        raise ServerError(
            f"Root may not become {owner.name} here ({error.strerror}), and PostgreSQL refuses to run "
            "as root: start Ostiary as an ordinary user, or set DATABASE_URL."
        ) from error


def socket_dir(place: Path) -> Path:
    """A directory for the socket, 0700 and ours: in the place if that is short enough, else in /tmp."""
    folder = place / "run"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_LIMIT:
        folder = Path("/tmp") / f"ostiary-{_digest(place)}"  # noqa: S108 (verified below)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServerError(f"{folder} is not ours, and the server's socket must lie there: remove it.")
    folder.chmod(0o700)
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
