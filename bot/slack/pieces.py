"""What somebody handed in through Slack, piece by piece: files, what is in their archives, messages, threads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.slack.files import download
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.threads import NotThere, ThreadReader
from retrieval.sources.items import SkippedFile
from retrieval.sources.urls import FetchLimits, fetch
from retrieval.sources.zipped import find_members, is_archive


@dataclass(frozen=True)
class Piece:
    """One document of what was handed in. `load` raises OstiaryError where it cannot be had."""

    uri: str
    name: str
    load: Callable[[], Awaitable[tuple[str, bytes]]]
    title: str | None = None
    dated: date | None = None


class Pieces:
    """Takes requests apart."""

    def __init__(self, client: AsyncWebClient, threads: ThreadReader, max_bytes: int) -> None:
        self._client = client
        self._threads = threads
        self._max_bytes = max_bytes

    async def of(self, request: IngestionRequest) -> list[Piece]:
        """Raises OstiaryError where not even the pieces can be told."""
        found = [piece async for piece in self._of(request)]
        alone = len(found) == 1
        return [_as_stated(piece, request, alone=alone) for piece in found]

    async def _of(self, request: IngestionRequest) -> AsyncIterator[Piece]:
        if request.kind == "url":
            yield self.web_page(request.locator)
        elif request.kind == "file":
            async for piece in self._file(request.locator):
                yield piece
        elif request.kind == "thread":
            yield await self.thread(request.locator)
        elif request.content:
            yield _text(request)
        elif request.content is not None:
            raise NotThere("Its text is not kept any more. Hand it in again.")
        owner = None if request.kind == "message" else request.requested_by
        for file_id in request.file_ids:
            async for piece in self._file(file_id, owner):
                yield piece

    def web_page(self, url: str) -> Piece:
        return Piece(url, url, partial(_fetched, url, FetchLimits(max_bytes=self._max_bytes)))

    async def thread(self, locator: str) -> Piece:
        """`CHANNEL:TS`. Raises NotThere."""
        channel_id, _, ts = locator.partition(":")
        thread = await self._threads.read(channel_id, ts)
        return Piece(
            f"slack-thread:{locator}",
            thread.name,
            partial(_known, thread.name, thread.text),
            thread.title,
            thread.day,
        )

    async def member(self, locator: str) -> tuple[str, bytes]:
        """`FILE`, or `FILE#PATH` for what is in an archive. Raises OstiaryError."""
        uri = f"slack-file:{locator}"
        async for piece in self._file(locator.partition("#")[0]):
            if piece.uri == uri:
                return await piece.load()
        raise NotThere("The archive does not hold it any more.")

    async def _file(self, file_id: str, owner: str | None = None) -> AsyncIterator[Piece]:
        """A file, or what is in it. One that cannot be had says so when it is loaded."""
        uri = f"slack-file:{file_id}"
        try:
            name, data = await download(self._client, file_id, self._max_bytes, owner)
        except OstiaryError as error:
            yield Piece(uri, file_id, partial(_refused, error))
            return
        if not await asyncio.to_thread(is_archive, data, name):
            yield Piece(uri, name, partial(_known, name, data))
            return
        for member in await asyncio.to_thread(lambda: list(find_members(data, uri, name))):
            if isinstance(member, SkippedFile):
                yield Piece(member.uri, name, partial(_refused, NotThere(member.reason)))
            else:
                yield Piece(member.uri, member.name, partial(_loaded, member.name, member.load))


def _as_stated(piece: Piece, request: IngestionRequest, *, alone: bool) -> Piece:
    """A title is for one document, a date for all of them."""
    title = (request.title or None) if alone else None
    if request.kind == "text" and not request.file_ids:
        title = request.title or None
    return Piece(piece.uri, piece.name, piece.load, title or piece.title, request.dated or piece.dated)


def _text(request: IngestionRequest) -> Piece:
    name = request.title or "Pasted text"
    return Piece(_text_uri(request), name, partial(_known, name, request.content or b""), name, _day(request))


def _text_uri(request: IngestionRequest) -> str:
    """Of the request's own number: nothing that somebody writes names a document that is there."""
    return f"slack-message:{request.locator}" if request.kind == "message" else f"slack-text:{request.id}"


def _day(request: IngestionRequest) -> date | None:
    """A message was written when Slack says."""
    if request.kind != "message":
        return None
    try:
        return datetime.fromtimestamp(float(request.locator.rpartition(":")[2]), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


async def _known(name: str, data: bytes) -> tuple[str, bytes]:
    return name, data


async def _loaded(name: str, load: Callable[[], bytes]) -> tuple[str, bytes]:
    return name, await asyncio.to_thread(load)


async def _fetched(url: str, limits: FetchLimits) -> tuple[str, bytes]:
    fetched = await fetch(url, limits)
    return fetched.name, fetched.data


async def _refused(error: OstiaryError) -> tuple[str, bytes]:
    raise error
