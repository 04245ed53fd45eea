"""The process that reads strangers' files: it forks a child for each, so that none can harm the next.

The parent of the children never looks into a document. It imports a parser once somebody needed it, and a fork
then costs milliseconds where a new interpreter would cost a good part of a second. A child has limits of memory
and processor time that it cannot raise, no file to write to, and no way to speak but a pipe of its own.

Both directions carry messages as JSON behind their length; a request is followed by the document's bytes.
"""

import gc
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from retrieval.parsing import wire
from retrieval.parsing.cleaning import file_label
from retrieval.parsing.document import UnreadableDocument
from retrieval.parsing.registry import PARSERS, parse, parser_for

LENGTH = struct.Struct(">Q")

_READ = 1 << 16
_ORDERS, _ANSWERS = 0, 1
_FILES = 64


def main() -> None:
    """Serves until its input ends."""
    answers = os.dup(_ANSWERS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), _ANSWERS)  # a library that prints must not garble an answer
    while request := _receive():
        order, data = request
        answer = _in_a_child(lambda: _read(data, order["name"]), order, answers)
        _write(answers, LENGTH.pack(len(answer)) + answer)
        del data, request
        _warm_up(answer)


def _receive() -> tuple[dict[str, Any], bytes] | None:
    header = _read_exactly(LENGTH.size)
    if header is None:
        return None
    order = wire.from_bytes(_read_exactly(*LENGTH.unpack(header)) or b"")
    data = _read_exactly(order["size"])
    return None if data is None else (order, data)


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
        return {"refused": f"{file_label(name)} {reason} ({type(error).__name__}). Save it anew and try again."}


def _in_a_child(task: Callable[[], dict[str, Any]], order: dict[str, Any], answers: int) -> bytes:
    """The task's answer as JSON, or how its process ended without one."""
    receiving, sending = os.pipe()
    gc.freeze()  # a collection in the child would copy every page it touches
    child = os.fork()
    if child == 0:
        os.close(receiving)
        os.close(answers)
        os.close(_ORDERS)
        _be_the_child(task, order, sending)
    gc.unfreeze()
    os.close(sending)
    try:
        answer, ended = _collect(receiving, order)
    finally:
        os.close(receiving)
        if not _has_ended(child):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0) if not _reaped else (0, 0)
    return answer


if __name__ == "__main__":
    main()
