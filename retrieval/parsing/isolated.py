"""Reads documents in a process of their own, within limits of time, memory and size.

A stranger's file may make a parser loop, swell or crash. Here that costs one sentence and no more.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any

from retrieval.parsing import wire
from retrieval.parsing.cleaning import file_label
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.worker import LENGTH

MIB = 2**20
# A new worker has to import before it reads; this comes on top of a document's own time.
_GRACE_SECONDS = 15
_HOME = Path(__file__).resolve().parents[2]
_BROKE = "is damaged or too large: the reader broke over it"


@dataclass(frozen=True)
class ParseLimits:
    """What one document may take. `memory_bytes` is address space, the reader's own code (0.2 GB) included."""

    input_bytes: int = 50 * MIB
    output_bytes: int = 64 * MIB
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 30
    wall_seconds: float = 60.0


class ParserProcess:
    """A worker that reads documents one at a time, each in a fork of its own; restarted when it is lost.

    Starts with the first document. To read several at once, make several.
    """

    def __init__(self, limits: ParseLimits | None = None) -> None:
        self._limits = limits or ParseLimits()
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> "ParserProcess":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def parse(self, data: bytes, name: str) -> ParsedDocument:
        """Reads a document. Raises UnreadableDocument, whose message names it and says what to do."""
        _check_size(data, name, self._limits)
        async with self._one_at_a_time:
            answer = await self._ask(data, name)
        if "document" in answer:
            return _decoded(answer["document"], name)
        if isinstance(answer.get("refused"), str):
            raise UnreadableDocument(answer["refused"])
        raise UnreadableDocument(_why_it_ended(str(answer.get("ended")), name, self._limits))

    async def close(self) -> None:
        """Ends the worker and everything it started."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it may end by itself before this is known here
                os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()

    async def _ask(self, data: bytes, name: str) -> dict[str, Any]:
        """The worker's answer; a worker that gives none is ended, as is one whose asker went away."""
        within = self._limits.wall_seconds + _GRACE_SECONDS
        try:
            process = self._process = self._process or await _start()
            return await asyncio.wait_for(_exchange(process, self._order(data, name), data), within)
        except TimeoutError:
            await self.close()
            return {"ended": "time"}
        except (OSError, EOFError, ValueError):
            await self.close()
            return {"ended": "crash"}
        except BaseException:
            await self.close()
            raise

    def _order(self, data: bytes, name: str) -> dict[str, Any]:
        limits = self._limits
        return {
            "name": name,
            "size": len(data),
            "output_bytes": limits.output_bytes,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
            "wall_seconds": limits.wall_seconds,
        }


async def _start() -> asyncio.subprocess.Process:
    """A worker in a group of its own, with nothing of this process's environment: it holds secrets."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "retrieval.parsing.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": str(_HOME), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )


async def _exchange(
    process: asyncio.subprocess.Process, order: dict[str, Any], data: bytes
) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    header = wire.to_bytes(order)
    process.stdin.writelines((LENGTH.pack(len(header)), header, data))
    await process.stdin.drain()
    (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    if size > order["output_bytes"]:
        raise ValueError("the worker keeps to the limit that it was given")
    return wire.from_bytes(await process.stdout.readexactly(size))


def _check_size(data: bytes, name: str, limits: ParseLimits) -> None:
    if len(data) > limits.input_bytes:
        size, most = _megabytes(len(data)), _megabytes(limits.input_bytes)
        raise UnreadableDocument(
            f"{file_label(name)} is {size}; the limit is {most}. Split it and send the parts."
        )


def _decoded(fields: Any, name: str) -> ParsedDocument:
    try:
        return wire.decode(fields)
    except (KeyError, TypeError, ValueError):
        raise UnreadableDocument(_why_it_ended("crash", name, ParseLimits())) from None


def _why_it_ended(ended: str, name: str, limits: ParseLimits) -> str:
    reasons = {
        "time": f"took longer than {limits.wall_seconds:g} s to read and was given up",
        "cpu": f"took more than {limits.cpu_seconds} s of work to read and was given up",
        "memory": f"needs more than {_megabytes(limits.memory_bytes)} of memory to read",
        "output": f"holds more than {_megabytes(limits.output_bytes)} of text",
    }
    reason = reasons.get(ended, _BROKE)
    return f"{file_label(name)} {reason}. Split it, or save it anew, and send it again."


def _megabytes(size: int) -> str:
    """Rounded up, so that what is over a limit never looks equal to it."""
    return f"{ceil(size / MIB)} MB"
