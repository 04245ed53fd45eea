"""Parsing in a process of its own, bounded in memory, processor time and time: documents are hostile until read."""

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from retrieval.parsing.document import Block, ParsedDocument, UnreadableDocument
from retrieval.parsing.worker import HEADER, LENGTH

_MB = 2**20


@dataclass(frozen=True)
class ParseLimits:
    """What one document may cost, and after how many documents the process is replaced."""

    input_bytes: int = 50 * _MB
    output_bytes: int = 64 * _MB
    memory_bytes: int = 1024 * _MB
    cpu_seconds: int = 30
    wall_seconds: float = 60
    documents_per_process: int = 200


class ParserProcess:
    """A child process that parses one document after another; replaced when one of them breaks it."""

    def __init__(self, limits: ParseLimits | None = None) -> None:
        self._limits = limits or ParseLimits()
        self._process: asyncio.subprocess.Process | None = None
        self._parsed = 0
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def parse(self, data: bytes, name: str) -> ParsedDocument:
        """The document's text, or UnreadableDocument with a sentence that names it."""
        if len(data) > self._limits.input_bytes:
            raise UnreadableDocument(
                f"{name} is {len(data) / _MB:.0f} MB; the limit is {self._limits.input_bytes / _MB:.0f} MB."
            )
        async with self._turn:
            try:
                answer = await asyncio.wait_for(self._ask(data, name), self._limits.wall_seconds)
            except TimeoutError as error:
                await self._stop()
                raise UnreadableDocument(
                    f"{name} took longer than {self._limits.wall_seconds:.0f} seconds to read; send it in parts."
                ) from error
            except (EOFError, OSError, ValueError) as error:
                await self._stop()
                raise UnreadableDocument(
                    f"{name} broke the reader: it is damaged, or needs more memory or time than a document may."
                ) from error
            except asyncio.CancelledError:
                await self._stop()  # a half-read answer must not be taken for the next one's
                raise
            self._parsed += 1
            if self._parsed >= self._limits.documents_per_process:
                await self._stop()
        if "refusal" in answer:
            raise UnreadableDocument(answer["refusal"])
        return _document(answer["document"])

    async def _ask(self, data: bytes, name: str) -> dict[str, Any]:
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        encoded = name.encode()
        process.stdin.write(HEADER.pack(len(encoded), len(data)) + encoded + data)
        await process.stdin.drain()
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        if length > self._limits.output_bytes:
            raise ValueError("the answer is too long")
        answer: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "retrieval.parsing.worker",
            str(self._limits.memory_bytes),
            str(self._limits.cpu_seconds),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._parsed = 0
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def parse_isolated(data: bytes, name: str, limits: ParseLimits | None = None) -> ParsedDocument:
    """Parse one document in a process that ends with it."""
    async with ParserProcess(limits) as parser:
        return await parser.parse(data, name)


def _document(said: dict[str, Any]) -> ParsedDocument:
    blocks = tuple(
        Block(block["text"], tuple(block["heading_path"]), block["page"], block["kind"])
        for block in said["blocks"]
    )
    dated = date.fromisoformat(said["dated"]) if said["dated"] else None
    return ParsedDocument(said["title"], blocks, said["media_type"], dated, said["author"])
