"""Web addresses and sitemaps that are kept, against a server on this machine."""

import gzip
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.source_jobs import readers
from retrieval.failing import list_failures
from retrieval.sources.kept import Counts, Kind
from retrieval.sources.reading import SourceUnreadable
from retrieval.sources.refreshing import Refresher, RunLimits
from retrieval.sources.sitemaps import SitemapLimits, SitemapReader, listed_in, unpacked
from retrieval.sources.urls import FetchPolicy
from tests.integration.sources.conftest import Keeping

MAP = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
INDEX = (
    '<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</sitemapindex>'
)


def page(words: str) -> str:
    return f"<html><head><title>{words[:9]}</title></head><body><main><h1>{words[:9]}</h1><p>{words}</p></main></body></html>"


class Site:
    """A site of a few pages; knows who asked for what, and answers conditional requests."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        self.times: list[float] = []
        self.sent: list[str] = []
        self.marks = "etag"
        self.root = ""

    def says(self, path: str, said: str | bytes) -> None:
        self.pages[path] = said if isinstance(said, bytes) else said.encode()

    def maps(self, *locations: str, at: str = "/sitemap.xml", into: str = MAP) -> None:
        wrapped = "sitemap" if into == INDEX else "url"
        urls = [where if "://" in where else f"{self.root}{where}" for where in locations]
        self.says(at, into.format("".join(f"<{wrapped}><loc>{url}</loc></{wrapped}>" for url in urls)))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked.append(path)
        self.times.append(time.monotonic())
        if path in self.status:
            return web.Response(status=self.status[path])
        if path not in self.pages:
            return web.Response(status=404)
        mark = f'"{hash(self.pages[path])}"'
        headers = (
            {"ETag": mark} if self.marks == "etag" else {"Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT"}
        )
        if "ETag" in headers and request.headers.get("If-None-Match") == mark:
            return web.Response(status=304)
        if request.headers.get("If-Modified-Since") == headers.get("Last-Modified", ""):
            return web.Response(status=304)
        self.sent.append(path)
        kind = "application/xml" if path.endswith(".xml") else "text/html"
        return web.Response(body=self.pages[path], headers={**headers, "Content-Type": kind})

    def documents_asked(self) -> list[str]:
        return [path for path in self.asked if path not in ("/robots.txt", "/sitemap.xml")]


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Site, TestServer]]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        site.root = str(server.make_url("/")).rstrip("/")
        yield site, server


@pytest.fixture
async def site(keeping: Keeping) -> AsyncIterator[Site]:
    """Its keeper may fetch from this server, and from nowhere else."""
    async with serving() as (made, server):
        here = ip_address("127.0.0.1")
        assert server.port is not None
        policy = FetchPolicy(admits=lambda found: found == here, ports=frozenset({server.port}))
        keeping.readers = readers(2**20, policy)
        made.says("/a", page("Guests park on deck three of the garage."))
        made.says("/b", page("A junior engineer earns fifty thousand."))
        made.maps("/a", "/b")
        yield made


def policy_of(keeping: Keeping) -> Any:
    return keeping.readers[Kind.SITEMAP]._policy  # type: ignore[attr-defined]


@pytest.mark.parametrize("marks", ["etag", "date"])
async def test_a_page_that_did_not_change_is_not_sent_again(keeping: Keeping, site: Site, marks: str) -> None:
    site.marks = marks
    source = await keeping.add(Kind.URL, f"{site.root}/a")
    assert await keeping.counts(source) == Counts(added=1)
    assert await keeping.counts(source) == Counts(unchanged=1)
    assert (site.asked, site.sent) == (["/a"] * 2, ["/a"])
    if marks == "etag":
        site.says("/a", page("Visitors leave their cars behind the bakery."))
        assert await keeping.counts(source) == Counts(updated=1)


async def test_a_page_that_is_gone_is_withdrawn_when_it_is_gone_twice(keeping: Keeping, site: Site) -> None:
    source = await keeping.add(Kind.URL, f"{site.root}/a")
    await keeping.counts(source)
    kept = site.pages.pop("/a")
    assert await keeping.counts(source) == Counts()
    assert await keeping.counts(source) == Counts(withdrawn=1)
    site.says("/a", kept)
    assert await keeping.counts(source) == Counts(updated=1)
    assert "deck three" in (await keeping.found("Where do guests park?"))[0]


async def test_a_page_that_never_was_is_named(keeping: Keeping, site: Site) -> None:
    source = await keeping.add(Kind.URL, f"{site.root}/nowhere")
    run = await keeping.read(source)
    assert run.counts == Counts(failed=1)
    assert "does not exist (404)" in run.failures[0]


@pytest.mark.parametrize("status", [500, 503, 403])
async def test_a_server_that_is_ill_takes_nothing_away(keeping: Keeping, site: Site, status: int) -> None:
    source = await keeping.add(Kind.URL, f"{site.root}/a")
    await keeping.counts(source)
    site.status["/a"] = status
    for _ in range(3):
        run = await keeping.read(source)
        assert (run.counts.withdrawn, run.counts.failed) == (0, 1)
    assert {d.current for d in (await keeping.documents()).values()} == {1}


async def failures(keeping: Keeping) -> list[tuple[str, int]]:
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        return [(failed.reason, failed.tries) for failed in await list_failures(connection, 10)]


async def test_what_fails_in_a_source_is_among_the_failures_until_it_is_well(
    keeping: Keeping, site: Site
) -> None:
    source = await keeping.add(Kind.URL, f"{site.root}/a")
    await keeping.counts(source)
    site.status["/a"] = 500
    for tries in (1, 2):
        await keeping.read(source)
        ((reason, counted),) = await failures(keeping)
        assert ("500" in reason, counted) == (True, tries)
    del site.status["/a"]
    assert await keeping.counts(source) == Counts(unchanged=1)
    assert await failures(keeping) == []


async def test_what_cannot_be_read_is_counted_as_often_as_it_is_tried(keeping: Keeping, site: Site) -> None:
    site.says("/a", "")
    source = await keeping.add(Kind.URL, f"{site.root}/a")
    for by_hand, expected in ((False, 1), (False, 1), (True, 2)):
        await keeping.read(source, by_hand=by_hand)
        ((_, tries),) = await failures(keeping)
        assert tries == expected
    site.says("/a", page("Visitors leave their cars behind the bakery."))
    assert (await keeping.read(source)).counts.failed == 0
    assert await failures(keeping) == []


async def test_an_archive_on_the_web_is_many_documents(keeping: Keeping, site: Site) -> None:
    def packed(**files: str) -> bytes:
        data = BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, said in files.items():
                archive.writestr(f"{name}.md", said)
        return data.getvalue()

    site.says("/all.zip", packed(one="# One\n\nThe first of all.", two="# Two\n\nThe second of all."))
    source = await keeping.add(Kind.URL, f"{site.root}/all.zip")
    assert await keeping.counts(source) == Counts(added=2)
    site.says("/all.zip", packed(one="# One\n\nThe first of all.", three="# Three\n\nThe third of all."))
    assert await keeping.counts(source) == Counts(added=1, unchanged=1)
    assert await keeping.counts(source) == Counts(unchanged=2, withdrawn=1)
    site.status["/all.zip"] = 500
    run = await keeping.read(source)
    assert run.error is not None
    assert run.counts.withdrawn == 0


async def test_the_pages_of_a_sitemap_are_taken_and_followed(keeping: Keeping, site: Site) -> None:
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml", "hr")
    assert await keeping.counts(source) == Counts(added=2)
    site.maps("/a", "/c")
    site.says("/c", page("Bonuses are paid in spring."))
    assert await keeping.counts(source) == Counts(added=1, unchanged=1)
    assert await keeping.counts(source) == Counts(unchanged=2, withdrawn=1)
    assert {n: d.current for n, d in (await keeping.documents()).items()} == {"a": 1, "b": 0, "c": 1}


@pytest.mark.parametrize("broken", ["<html>Maintenance</html>", "not xml", MAP.format("")])
async def test_a_sitemap_that_broke_takes_nothing_away(keeping: Keeping, site: Site, broken: str) -> None:
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    await keeping.counts(source)
    site.says("/sitemap.xml", broken)
    for _ in range(3):
        run = await keeping.read(source)
        assert run.error is not None
        assert run.counts.withdrawn == 0


async def test_robots_are_kept_out_where_the_site_asks_so(keeping: Keeping, site: Site) -> None:
    site.says("/robots.txt", "User-agent: *\nDisallow: /b\n")
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    run = await keeping.read(source)
    assert (run.counts.added, run.counts.failed) == (1, 1)
    assert "robots.txt asks not to" in run.failures[0]
    assert site.documents_asked() == ["/a"]


async def test_nothing_is_read_where_it_is_not_known_what_robots_may(keeping: Keeping, site: Site) -> None:
    site.status["/robots.txt"] = 503
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    run = await keeping.read(source)
    assert run.error is not None
    assert "robots.txt allows" in run.error
    assert site.documents_asked() == []


async def test_a_site_gets_the_pause_that_it_asks_for(keeping: Keeping, site: Site) -> None:
    site.says("/robots.txt", "User-agent: Ostiary\nCrawl-delay: 1\n")
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    await keeping.counts(source)
    assert site.documents_asked() == ["/a", "/b"]
    assert site.times[-1] - site.times[-2] >= 1


async def test_only_pages_of_the_same_host_are_taken(keeping: Keeping, site: Site) -> None:
    site.maps("/a", "http://127.0.0.2/x", "https://example.com/y", "file:///etc/passwd", "not an address")
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    assert await keeping.counts(source) == Counts(added=1)


async def test_an_index_leads_to_packed_sitemaps(keeping: Keeping, site: Site) -> None:
    site.maps("/one.xml.gz", "/two.xml", "/sitemap.xml", into=INDEX)
    site.maps("/a", at="/two.xml")
    site.maps("/b", at="/plain.xml")
    site.says("/one.xml.gz", gzip.compress(site.pages["/plain.xml"]))
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    assert await keeping.counts(source) == Counts(added=2)


async def test_no_more_pages_are_taken_than_the_limit_and_none_is_taken_for_gone(
    keeping: Keeping, site: Site
) -> None:
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    await keeping.counts(source)
    keeping.readers[Kind.SITEMAP] = SitemapReader(policy=policy_of(keeping), how_much=SitemapLimits(pages=1))
    for _ in range(3):
        run = await keeping.read(source)
        assert (run.counts.withdrawn, run.counts.failed) == (0, 1)
        assert "names more than 1 pages" in run.failures[0]


def test_a_sitemap_that_swells_when_it_is_unpacked_is_refused() -> None:
    with pytest.raises(SourceUnreadable, match="larger than 1 MB"):
        unpacked(gzip.compress(bytes(2**21)), 2**20)


def test_a_sitemap_brings_in_no_file_of_this_machine() -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>&f;</loc></url></urlset>'
    )
    assert "root:" not in str(listed_in(bomb.encode(), "x"))


async def test_pages_of_sitemaps_that_are_too_many_are_not_taken_for_gone(
    keeping: Keeping, site: Site
) -> None:
    site.maps("/a", at="/one.xml")
    site.maps("/b", at="/two.xml")
    site.maps("/one.xml", "/two.xml", into=INDEX)
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    assert await keeping.counts(source) == Counts(added=2)
    keeping.readers[Kind.SITEMAP] = SitemapReader(None, policy_of(keeping), SitemapLimits(files=2))
    for _ in range(2):
        run = await keeping.read(source)
        assert run.counts == Counts(unchanged=1, failed=1)
        assert "or 2 sitemaps" in run.failures[0]


async def test_what_there_was_no_time_for_is_looked_at_first_the_next_time(
    keeping: Keeping, site: Site
) -> None:
    source = await keeping.add(Kind.SITEMAP, f"{site.root}/sitemap.xml")
    await keeping.counts(source)
    before = {uri: item.seen_at for uri, item in (await keeping.items(source)).items()}
    hasty = Refresher(keeping.database, keeping.ingestor, keeping.readers, RunLimits(seconds=-1))
    await hasty.refresh(keeping.workspace_id, source)
    assert {uri: item.seen_at for uri, item in (await keeping.items(source)).items()} == before
