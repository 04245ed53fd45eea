"""Reads sources that are a LangChain loader, named by its dotted name, in a process of its own."""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auth.errors import OstiaryError
from retrieval.parsing.cleaning import one_line
from retrieval.sources.items import Mark, SkippedFile
from retrieval.sources.kept import Item, Source
from retrieval.sources.loader_process import FROM_ENVIRONMENT
from retrieval.sources.reading import Found, Loaded, SourceUnreadable

_MIB = 2**20
_NAMES = ("id", "source", "url", "path", "file_path")
_SECRETIVE = (
    "token", "password", "passwd", "secret", "api_key", "apikey", "access_key", "private_key", "account_key",
    "authorization", "cookie", "credential", "connection_string",
)  # fmt: skip
_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_KEPT_FROM_LOADERS = ("DATABASE_", "SLACK_", "OSTIARY_", "PG")
_MARKDOWN = (".md", ".markdown")


class SecretGiven(OstiaryError):
    """A secret was written into the arguments of a loader; the message says how to give it instead."""


@dataclass(frozen=True)
class LoaderLimits:
    """What one run of a loader may take and bring."""

    seconds: float = 3600.0
    documents: int = 100_000
    bytes: int = 512 * _MIB


@dataclass
class _Gathered:
    """All that a loader brought under one name: it may bring a document page by page."""

    texts: list[str] = field(default_factory=list)
    values: set[str | None] = field(default_factory=set)
    title: str | None = None


class LoaderReader:
    """What a loader loads. It asks others over the network: gone is what is missing twice in a row."""

    patience = 2

    def __init__(self, limits: LoaderLimits | None = None) -> None:
        self._limits = limits or LoaderLimits()

    async def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        gathered: dict[str, _Gathered] = {}
        named_by = source.arguments.get("id_by")
        async for text, metadata in self._documents(source):
            one = gathered.setdefault(_name_of(text, metadata, named_by), _Gathered())
            one.texts.append(text)
            one.values.add(_value(metadata, source.label_by))
            one.title = one.title or _title(metadata)
        for name, one in gathered.items():
            uri = f"loader:{source.id}:{name}"
            yield _found(uri, name, one)

    async def _documents(self, source: Source) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """(text, metadata) of everything that the loader loads. Raises SourceUnreadable."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "retrieval.sources.loader_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
            limit=self._limits.bytes,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for document in self._answers(process, source):
                    yield document
        except TimeoutError:
            took = f"{self._limits.seconds:g} s"
            raise SourceUnreadable(
                f"{source.reference} was not done within {took}, and was stopped."
            ) from None
        finally:
            await _end(process)

    async def _answers(
        self, process: asyncio.subprocess.Process, source: Source
    ) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"loader": source.reference, "arguments": source.arguments.get("arguments", {})}
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
        try:
            async for answer in self._read(process.stdout, source.reference):
                if "error" in answer:
                    said = one_line(answer["error"])
                    raise SourceUnreadable(f"{source.reference} could not be used: {said}.")
                if "end" in answer:
                    return
                yield answer["text"], answer["metadata"]
        except json.JSONDecodeError:  # it died in the middle of a line
            pass
        except ValueError as error:  # a line that is longer than the stream's limit
            raise self._too_much(source.reference) from error
        raise SourceUnreadable(f"{source.reference} stopped before it had loaded everything.")

    async def _read(self, lines: asyncio.StreamReader, reference: str) -> AsyncIterator[dict[str, Any]]:
        documents = size = 0
        async for line in lines:
            documents, size = documents + 1, size + len(line)
            if documents > self._limits.documents or size > self._limits.bytes:
                raise self._too_much(reference)
            yield json.loads(line)

    def _too_much(self, reference: str) -> SourceUnreadable:
        return SourceUnreadable(
            f"{reference} loads more than {self._limits.documents} documents or"
            f" {self._limits.bytes // _MIB} MB, which is the limit. Narrow it down by its arguments."
        )


def refuse_secrets(arguments: Any, name: str = "") -> None:
    """Raises SecretGiven where an argument that sounds like a secret is written out: it would be stored."""
    if isinstance(arguments, Mapping):
        for inner, value in arguments.items():
            refuse_secrets(value, str(inner))
    elif isinstance(arguments, list):
        for value in arguments:
            refuse_secrets(value, name)
    elif _is_secret(name, arguments):
        raise SecretGiven(
            f"The argument {name} is a secret, and arguments are stored. Put it into an environment variable where"
            f' sources are read, and write "{FROM_ENVIRONMENT}NAME" instead.'
        )


def _is_secret(name: str, argument: object) -> bool:
    """Whether this is written out, and goes by the name of a secret or is an address with a password in it."""
    if not isinstance(argument, str) or not argument or argument.startswith(FROM_ENVIRONMENT):
        return False
    return any(word in name.lower() for word in _SECRETIVE) or _WITH_PASSWORD.match(argument) is not None


def _environment() -> dict[str, str]:
    """What a loader may know of this process's environment: its own secrets, and none of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_FROM_LOADERS)}


async def _end(process: asyncio.subprocess.Process) -> None:
    """The process, and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _name_of(text: str, metadata: Mapping[str, Any], named_by: str | None) -> str:
    """What tells one document from another: the field that was named, a usual one, or else what it says."""
    for field_name in (named_by,) if named_by else _NAMES:
        if metadata.get(field_name) not in (None, ""):
            return str(metadata[field_name])
    return hashlib.sha256(text.encode()).hexdigest()


def _value(metadata: Mapping[str, Any], label_by: str | None) -> str | None:
    value = metadata.get(label_by) if label_by else None
    return None if value is None else str(value)


def _title(metadata: Mapping[str, Any]) -> str | None:
    title = metadata.get("title")
    return one_line(title) or None if isinstance(title, str) else None


def _found(uri: str, name: str, one: _Gathered) -> Found:
    called = one_line(name.rstrip("/").rpartition("/")[2]) or "document"
    file_name = called if called.lower().endswith(_MARKDOWN) else f"{called}.txt"

    async def load(_known: Mark) -> Loaded | None:
        return Loaded("\n\n".join(one.texts).encode(), file_name, title=one.title or called)

    if len(one.values) > 1:
        return Found(uri, file_name, load, closed="It has parts for different readers: nobody may read it.")
    return Found(uri, file_name, load, next(iter(one.values)))
