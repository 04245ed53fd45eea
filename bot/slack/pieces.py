"""What somebody handed in through Slack, piece by piece: files, what is in their archives, messages, threads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.slack.files import download
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.threads import NotThere, ThreadReader
from retrieval.sources.items import SkippedFile, SourceItem
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


Open = Callable[[], Awaitable[list[Piece]]]
"""Opens something that was handed in: the documents in it. Raises OstiaryError where those cannot be told."""


class Pieces:
    """Takes requests apart."""

    def __init__(self, client: AsyncWebClient, threads: ThreadReader, max_bytes: int) -> None:
        self._client = client
        self._threads = threads
        self._max_bytes = max_bytes

    def things_of(self, request: IngestionRequest) -> Sequence[Open]:
        """What was handed in together, each to be opened when its turn comes: nothing is fetched before."""
        owner = None if request.kind == "message" else request.requested_by
        things: list[Open] = [partial(self._file, file_id, owner) for file_id in request.file_ids]
        first = self._first(request)
        opened = [first, *things] if first is not None else things
        return [partial(_stated, thing, request, alone=len(opened) == 1) for thing in opened]

    def _first(self, request: IngestionRequest) -> Open | None:
        """What was handed in beside files."""
        if request.kind == "url":
            return partial(_alone, self.web_page(request.locator))
        if request.kind == "file":
            return partial(self._file, request.locator)
        if request.kind == "thread":
            return partial(self._thread_alone, request.locator)
        if request.content:
            return partial(_alone, _text(request))
        return _not_kept if request.content is not None else None

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

    async def _thread_alone(self, locator: str) -> list[Piece]:
        return [await self.thread(locator)]

    async def member(self, locator: str) -> tuple[str, bytes]:
        """`FILE`, or `FILE#PATH` for what is in an archive. Raises OstiaryError."""
        uri = f"slack-file:{locator}"
        for piece in await self._file(locator.partition("#")[0]):
            if piece.uri == uri:
                return await piece.load()
        raise NotThere("The archive does not hold it any more.")

    async def _file(self, file_id: str, owner: str | None = None) -> list[Piece]:
        """A file, or what is in it. One that cannot be had says so when it is loaded."""
        uri = f"slack-file:{file_id}"
        try:
            name, data = await download(self._client, file_id, self._max_bytes, owner)
        except OstiaryError as error:
            return [Piece(uri, file_id, partial(_refused, error))]
        if not await asyncio.to_thread(is_archive, data, name):
            return [Piece(uri, name, partial(_known, name, data))]
        members = await asyncio.to_thread(lambda: list(find_members(data, uri, name)))
        return [_member(member, name) for member in members]


def _member(member: SourceItem | SkippedFile, name: str) -> Piece:
    """Of the archive of this name; not unpacked before it is loaded."""
    if isinstance(member, SkippedFile):
        return Piece(member.uri, name, partial(_refused, NotThere(member.reason)))
    return Piece(member.uri, member.name, partial(_loaded, member.name, member.load))


async def _stated(thing: Open, request: IngestionRequest, *, alone: bool) -> list[Piece]:
    found = await thing()
    return [_as_stated(piece, request, alone=alone and len(found) == 1) for piece in found]


async def _alone(piece: Piece) -> list[Piece]:
    return [piece]


async def _not_kept() -> list[Piece]:
    raise NotThere("Its text is not kept any more. Hand it in again.")


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
