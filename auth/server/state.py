"""What a running server tells its users: one small file beside the cluster, replaced in one step."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class State:
    """Where the server is and what it is. Present does not mean alive: whoever reads it connects."""

    supervisor_pid: int
    data: str
    socket_dir: str
    port: int
    wheel: str
    version: str
    fast_but_unsafe: bool


def _file_in(place: Path) -> Path:
    return place / "server.json"


def write(place: Path, state: State) -> None:
    partial = place / f".server.json.{os.getpid()}"
    partial.write_text(json.dumps(asdict(state)))
    partial.replace(_file_in(place))


def read(place: Path) -> State | None:
    """The last server's state, or None when there is none that can be read."""
    try:
        return State(**json.loads(_file_in(place).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove(place: Path) -> None:
    _file_in(place).unlink(missing_ok=True)
