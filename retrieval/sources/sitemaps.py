"""Reads sources that are a sitemap: the pages that a site names itself, as far as its robots.txt lets us."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree
from protego import Protego
from yarl import URL

from retrieval.sources.items import Mark, SkippedFile
from retrieval.sources.kept import Item, Source
from retrieval.sources.pages import page_at
from retrieval.sources.reading import Found, Loaded, SourceUnreadable
from retrieval.sources.urls import (
    FetchError,
    FetchGone,
    FetchLimits,
    FetchPolicy,
    FetchRefused,
    fetch,
)

AGENT = "Ostiary"
_GZIP = b"\x1f\x8b"
_MIB = 2**20
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class SitemapLimits:
    """How much of a site is taken: files of its sitemap (an index names others), their bytes, and pages."""

    files: int = 50
    depth: int = 3
    file_bytes: int = 50 * _MIB
    pages: int = 10_000


@dataclass(frozen=True)
class Listed:
    """What a sitemap names: pages, or, as an index, other sitemaps."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


class SitemapReader:
    """The pages of a site. A page is gone when the sitemap has not named it twice in a row, or it answers 404."""

    patience = 2

    def __init__(
        self,
        limits: FetchLimits | None = None,
        policy: FetchPolicy | None = None,
        how_much: SitemapLimits | None = None,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._policy = policy or FetchPolicy()
        self._how_much = how_much or SitemapLimits()

    async def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        start = URL(source.reference)
        robots = await self._robots(start)
        pages, is_all = await self._pages(start, robots)
        pause = _Pause(robots.crawl_delay(AGENT) or 0.0)
        for url in sorted(pages, key=lambda url: (_last_seen(known.get(url)), url)):
            if robots.can_fetch(url, AGENT):
                yield pause.before(page_at(url, self._limits, self._policy))
            else:
                yield SkippedFile(url, f"{url} is not read: the site's robots.txt asks not to.")
        if not is_all:  # what was left out may not be taken for gone
            yield SkippedFile(
                str(start.origin()),
                f"{source.reference} names more than {self._how_much.pages} pages or {self._how_much.files}"
                " sitemaps: the first were taken. Keep parts of the site instead.",
            )

    async def _robots(self, start: URL) -> Protego:
        """What the site lets robots do. Where that cannot be known, nothing is read (RFC 9309, 2.3.1.4)."""
        url = str(start.origin() / "robots.txt")
        try:
            fetched = await fetch(url, self._limits, self._policy)
        except FetchGone:
            return Protego.parse("")
        except FetchRefused as refused:
            raise SourceUnreadable(str(refused)) from refused
        except FetchError as error:
            raise SourceUnreadable(f"It is not known what {url} allows: {error}") from error
        return Protego.parse(fetched.data.decode("utf-8", "replace"))

    async def _pages(self, start: URL, robots: Protego) -> tuple[list[str], bool]:
        """The pages that the sitemap names on its own host, in its order, each once; and whether these are all."""
        pages: dict[str, None] = {}
        waiting, seen = [(str(start), 0)], {str(start)}
        pause, is_all = robots.crawl_delay(AGENT) or 0.0, True
        while waiting and len(pages) < self._how_much.pages:
            url, depth = waiting.pop(0)
            listed = await self._sitemap(url)
            for page in listed.pages:
                if _is_on(start, page) and len(pages) < self._how_much.pages:
                    pages[page] = None
            for other in listed.sitemaps:
                room = len(seen) < self._how_much.files and depth < self._how_much.depth
                if other in seen or not _is_on(start, other):
                    continue
                is_all = is_all and room
                if room:
                    seen.add(other)
                    waiting.append((other, depth + 1))
            await asyncio.sleep(pause if waiting else 0)
        return list(pages), is_all and len(pages) < self._how_much.pages

    async def _sitemap(self, url: str) -> Listed:
        try:
            fetched = await fetch(url, self._limits, self._policy)
            return await asyncio.to_thread(_listed, fetched.data, self._how_much.file_bytes, url)
        except FetchError as error:  # one part that is missing makes pages look gone that are not
            raise SourceUnreadable(f"The sitemap could not be read: {error}") from error


class _Pause:
    """Leaves a site the time between two requests that it asks for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_at = 0.0

    def before(self, found: Found) -> Found:
        async def load(known: Mark) -> Loaded | None:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(max(self._free_at - now, 0.0))
            try:
                return await found.load(known)
            finally:
                self._free_at = asyncio.get_running_loop().time() + self._seconds

        return Found(found.uri, found.name, load)


def _listed(data: bytes, most: int, url: str) -> Listed:
    return listed_in(unpacked(data, most), url)


def listed_in(data: bytes, url: str) -> Listed:
    """What the XML of a sitemap or a sitemap index names (https://www.sitemaps.org). Raises SourceUnreadable."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceUnreadable(f"{url} is no sitemap: {error}.") from error
    locations = tuple(
        (element.text or "").strip()
        for element in root.iterfind("{*}*/{*}loc")
        if (element.text or "").strip()
    )
    kind = etree.QName(root).localname
    if kind == "sitemapindex":
        return Listed(sitemaps=locations)
    if kind == "urlset":
        return Listed(pages=locations)
    raise SourceUnreadable(f"{url} is no sitemap: it begins with <{kind}>.")


def unpacked(data: bytes, most: int) -> bytes:
    """What a gzipped sitemap holds, at most `most` bytes; anything else as it is. Raises SourceUnreadable."""
    if not data.startswith(_GZIP):
        return data
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(data, most)
    except zlib.error as error:
        raise SourceUnreadable(f"The sitemap could not be unpacked: {error}.") from error
    if unzip.unconsumed_tail:
        raise SourceUnreadable(f"The sitemap is larger than {most // _MIB} MB unpacked, which is the limit.")
    return plain


def _is_on(start: URL, other: str) -> bool:
    """Whether this is a page of the same host, reached in the same way."""
    try:
        return URL(other).origin() == start.origin()
    except ValueError:
        return False


def _last_seen(item: Item | None) -> datetime:
    return item.seen_at if item is not None and item.seen_at is not None else _NEVER
