"""The process that reads strangers' files: it forks a child for each, so that none can harm the next.

The parent of the children never looks into a document. It imports a parser once somebody needed it, and a fork
then costs milliseconds where a new interpreter would cost a good part of a second. A child has limits of memory
and processor time that it cannot raise, no file to write to, no network, and no way to speak but a pipe.

Both directions carry messages as JSON behind their length; a request is followed by the document's bytes.
"""

import ctypes
import gc
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any, NoReturn

from retrieval.parsing import wire
from retrieval.parsing.cleaning import file_label
from retrieval.parsing.confinement import confine
from retrieval.parsing.document import UnreadableDocument
from retrieval.parsing.registry import PARSERS, parse, parser_for

LENGTH = struct.Struct(">Q")

_READ = 1 << 16
_ORDERS, _ANSWERS = 0, 1
_FILES = 64
_PR_SET_PDEATHSIG = 1  # prctl(2)
_warm: set[str] = set()


def main() -> None:
    """Serves until its input ends."""
    answers = os.dup(_ANSWERS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), _ANSWERS)  # a library that prints must not garble an answer
    while request := _receive():
        order, data = request
        answer = _answer_of_a_child(order, data, answers)
        _write(answers, LENGTH.pack(len(answer)) + answer)
        del data, request
        _warm_up(answer)


def _receive() -> tuple[dict[str, Any], bytes] | None:
    header = _read_exactly(LENGTH.size)
    if header is None:
        return None
    order = wire.from_bytes(_read_exactly(*LENGTH.unpack(header)) or b"{}")
    data = _read_exactly(order.get("size", 0))
    return (order, data) if order and data is not None else None


def _read_exactly(size: int) -> bytes | None:
    """None where the input ended: whoever asked is gone."""
    parts: list[bytes] = []
    while size > 0:
        part = os.read(_ORDERS, min(size, _READ))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _read(data: bytes, name: str) -> dict[str, Any]:
    """Runs in the child. What is wrong with a document is an answer, too."""
    try:
        return {"document": wire.encode(parse(data, name))}
    except UnreadableDocument as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"ended": "memory"}
    except Exception as error:
        reason = "is damaged, or made in a way that its format does not allow"
        return {
            "refused": f"{file_label(name)} {reason} ({type(error).__name__}). Save it anew and try again."
        }


def _answer_of_a_child(order: dict[str, Any], data: bytes, answers: int) -> bytes:
    """The child's answer as JSON, or how it ended without one."""
    receiving, sending = os.pipe()
    gc.freeze()  # a collection in the child would copy every page it touches
    worker = os.getpid()
    child = os.fork()
    if child == 0:
        for inherited in (receiving, answers, _ORDERS):
            os.close(inherited)
        _be_the_child(order, data, sending, worker)
    gc.unfreeze()
    os.close(sending)
    answer, ended = _collect(receiving, order)
    os.close(receiving)
    os.kill(child, signal.SIGKILL)  # changes nothing for one that has ended; it may only have closed its pipe
    _, status = os.waitpid(child, 0)
    if ended is None and status != 0:
        ended = "cpu" if os.WTERMSIG(status) == signal.SIGXCPU else "crash"
    return answer if ended is None else wire.to_bytes({"ended": ended})


def _be_the_child(order: dict[str, Any], data: bytes, sending: int, parent: int) -> NoReturn:
    """Reads the document under its limits and leaves, whatever happens."""
    try:
        _end_with_parent(parent)
        _limit(resource.RLIMIT_AS, order["memory_bytes"])
        _limit(resource.RLIMIT_CPU, order["cpu_seconds"])
        _limit(resource.RLIMIT_FSIZE, 0)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_NOFILE, _FILES)
        confine()
        _write(sending, wire.to_bytes(_read(data, order["name"])))
    except MemoryError:
        _write(sending, wire.to_bytes({"ended": "memory"}))
    except BaseException:
        os._exit(1)
    os._exit(0)


def _end_with_parent(parent: int) -> None:
    """A child whose worker is killed has nobody who would stop it. Where the system cannot, its limits do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _limit(which: int, value: int) -> None:
    """The hard limit as well: a child cannot take it back."""
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # The processor's soft limit ends a process with a signal that says why, its hard limit with one that does not.
    resource.setrlimit(which, (value, value + 1 if which == resource.RLIMIT_CPU else value))


def _collect(receiving: int, order: dict[str, Any]) -> tuple[bytes, str | None]:
    """What the child writes until it ends, or the limit that it ran into: "time" or "output"."""
    deadline = time.monotonic() + order["wall_seconds"]
    parts: list[bytes] = []
    size = 0
    while True:
        ready, _, _ = select.select([receiving, _ORDERS], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"", "time"
        if receiving not in ready:  # nobody sends an order before the answer: the asker is gone
            return b"", "abandoned"
        part = os.read(receiving, _READ)
        if not part:
            return b"".join(parts), None
        parts.append(part)
        size += len(part)
        if size > order["output_bytes"]:
            return b"", "output"


def _write(to: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(to, view) :]


def _warm_up(answer: bytes) -> None:
    """Imports what reads documents of this kind, so that the next child finds it there."""
    end = answer[-1024:]
    for media_type in PARSERS.keys() - _warm:
        if f'"media_type": "{media_type}"'.encode() in end:
            _warm.add(media_type)
            warm_up = getattr(parser_for(media_type), "warm_up", None)
            if warm_up is not None:
                warm_up()


if __name__ == "__main__":
    main()
