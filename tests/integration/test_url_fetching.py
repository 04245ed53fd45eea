"""Fetching against servers on this machine. Only these tests may: the policy that admits them is theirs alone."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from retrieval.sources import urls
from retrieval.sources.urls import (
    FetchError,
    FetchFailed,
    FetchGone,
    FetchLimits,
    FetchPolicy,
    FetchRefused,
    fetch,
)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A server on loopback that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answers: dict[str, Answer] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(dict(request.headers))
        return await self.answers[request.path](request)

    def says(self, path: str, **response: Any) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(**response)

        self.answers[path] = answer

    def redirects(self, path: str, to: str) -> None:
        self.says(path, status=302, headers={"Location": to})


@asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncIterator[tuple[Site, TestServer]]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", site.answer)
    async with TestServer(app, host=host) as server:
        yield site, server


@pytest.fixture
async def site_and_server() -> AsyncIterator[tuple[Site, TestServer]]:
    async with serving() as both:
        yield both


@pytest.fixture
def site(site_and_server: tuple[Site, TestServer]) -> Site:
    return site_and_server[0]


@pytest.fixture
def address(site_and_server: tuple[Site, TestServer]) -> str:
    return str(site_and_server[1].make_url("/")).rstrip("/")


@pytest.fixture
def here(site_and_server: tuple[Site, TestServer]) -> FetchPolicy:
    """Admits the test server and nothing else."""
    only = ip_address("127.0.0.1")
    return FetchPolicy(admits=lambda found: found == only, ports=frozenset({port_of(site_and_server[1])}))


def port_of(server: TestServer) -> int:
    assert server.port is not None
    return server.port


def only_the_port(server: TestServer) -> FetchPolicy:
    """The real rule for addresses; the port alone is opened."""
    return FetchPolicy(ports=frozenset({port_of(server)}))


async def refusal(url: str, limits: FetchLimits | None = None, policy: FetchPolicy | None = None) -> str:
    with pytest.raises(FetchError) as refused:
        await fetch(url, limits, policy)
    assert type(refused.value) is FetchRefused
    return str(refused.value)


async def failure(url: str, limits: FetchLimits | None = None, policy: FetchPolicy | None = None) -> str:
    with pytest.raises(FetchError) as failed:
        await fetch(url, limits, policy)
    assert type(failed.value) in (FetchFailed, FetchGone)
    return str(failed.value)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Every name leads to the next of these addresses, the last one for ever."""
    asked: list[str] = []

    class Resolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            kind = socket.AF_INET6 if ":" in found else socket.AF_INET
            return [ResolveResult(hostname=host, host=found, port=port, family=kind, proto=0, flags=0)]

        async def close(self) -> None:
            return None

    real = urls.TCPConnector
    monkeypatch.setattr(urls, "TCPConnector", lambda **given: real(resolver=Resolver(), **given))
    return asked


async def test_a_page_comes_with_its_name_type_and_date(site: Site, address: str, here: FetchPolicy) -> None:
    stamped = {"Last-Modified": "Mon, 11 May 2026 08:00:00 GMT"}
    site.says("/docs/travel policy.md", body=b"# Travel", content_type="text/markdown", headers=stamped)
    fetched = await fetch(f"{address}/docs/travel%20policy.md?x=1#part", policy=here)
    assert (fetched.data, fetched.media_type, fetched.name) == (
        b"# Travel",
        "text/markdown",
        "travel policy.md",
    )
    assert fetched.final_url == f"{address}/docs/travel%20policy.md?x=1"
    assert fetched.modified is not None
    assert fetched.modified.isoformat() == "2026-05-11T08:00:00+00:00"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",
        "localhost",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25lo]",
        "169.254.169.254",
        "10.0.0.1",
    ],
)
async def test_no_inner_address_is_connected_to(site_and_server: tuple[Site, TestServer], host: str) -> None:
    site, server = site_and_server
    site.says("/", body=b"secret")
    sentence = await refusal(f"http://{host}:{port_of(server)}/", policy=only_the_port(server))
    assert "leads to an address that is not on the public internet" in sentence
    assert site.asked == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1", "127.0.0.1."])
async def test_no_odd_spelling_of_an_inner_address_is_connected_to(
    site_and_server: tuple[Site, TestServer], host: str
) -> None:
    site, server = site_and_server
    site.says("/", body=b"secret")
    await refusal(f"http://{host}:{port_of(server)}/", policy=only_the_port(server))
    assert site.asked == []


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "::1", "10.1.2.3", "169.254.169.254", "64:ff9b::7f00:1"])
async def test_a_name_that_leads_inside_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, site_and_server: tuple[Site, TestServer], leads_to: str
) -> None:
    site, server = site_and_server
    asked = resolving(monkeypatch, leads_to)
    await refusal(f"http://public.example:{port_of(server)}/", policy=only_the_port(server))
    assert asked == ["public.example"]
    assert site.asked == []


async def test_a_name_that_changes_its_mind_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, site: Site, address: str, here: FetchPolicy
) -> None:
    port = next(iter(here.ports))
    resolving(monkeypatch, "127.0.0.1", "127.0.0.2")
    site.redirects("/first", f"http://rebinding.example:{port}/second")
    site.says("/second", body=b"secret")
    await refusal(f"http://rebinding.example:{port}/first", policy=here)
    assert site.asked == ["/first"]


async def test_a_redirect_that_leads_inside_is_not_followed(
    site: Site, address: str, here: FetchPolicy
) -> None:
    async with serving("127.0.0.2") as (inner, server):
        inner.says("/", body=b"secret")
        both = FetchPolicy(admits=here.admits, ports=here.ports | {port_of(server)})
        site.redirects("/", f"http://127.0.0.2:{port_of(server)}/")
        await refusal(f"{address}/", policy=both)
        assert inner.asked == []


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("ftp://127.0.0.1/x", "only http:// and https://"),
        ("file:///etc/passwd", "is not a web address"),
        ("http://127.0.0.1:1/x", "only the ports"),
        ("http://user:secret@127.0.0.1/x", "user name or password"),
    ],
)
async def test_a_redirect_is_judged_like_the_first_address(
    site: Site, address: str, here: FetchPolicy, to: str, says: str
) -> None:
    site.redirects("/", to)
    assert says in await refusal(f"{address}/", policy=here)


async def test_redirects_are_followed_and_bounded(site: Site, address: str, here: FetchPolicy) -> None:
    for at in range(4):
        site.redirects(f"/{at}", f"{at + 1}")
    site.says("/4", body=b"there")
    limits = FetchLimits(redirects=3)
    assert (await fetch(f"{address}/1", limits, here)).data == b"there"
    assert "redirects more than 3 times" in await failure(f"{address}/0", limits, here)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.com/a", "only http:// and https://"),
        ("file:///etc/passwd", "is not a web address"),
        ("javascript:alert(1)", "is not a web address"),
        ("example.com", "is not a web address"),
        ("http://", "is not a web address"),
        ("http://[::1", "is not a web address"),
        ("http://example.com:99999/", "is not a web address"),
        ("http://example.com/" + "a" * 3000, "is not a web address"),
        ("https://example.com:8443/", "only the ports 80 and 443"),
        ("http://example.com:22/", "only the ports 80 and 443"),
        ("https://user:secret@example.com/", "user name or password"),
    ],
)
async def test_an_address_of_the_wrong_form_is_refused_in_a_sentence(url: str, says: str) -> None:
    sentence = await refusal(url)
    assert says in sentence
    assert "secret" not in sentence
    assert len(sentence) < 260


async def test_decoded_bytes_count(site: Site, address: str, here: FetchPolicy) -> None:
    bomb = gzip.compress(bytes(30 * 2**20))
    site.says("/", body=bomb, headers={"Content-Encoding": "gzip"})
    assert len(bomb) < 2**20
    assert "is larger than 1 MB" in await failure(f"{address}/", FetchLimits(max_bytes=2**20), here)


async def test_a_packing_that_was_not_asked_for_is_refused(
    site: Site, address: str, here: FetchPolicy
) -> None:
    site.says("/", body=b"x", headers={"Content-Encoding": "x-unknown"})
    assert "packed in a way that was not asked for" in await failure(f"{address}/", policy=here)


async def test_a_server_that_drips_is_given_up(site: Site, address: str, here: FetchPolicy) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    site.answers["/"] = drip
    began = time.monotonic()
    assert "did not answer within 0.4 s" in await failure(f"{address}/", FetchLimits(total_seconds=0.4), here)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "asks for a sign-in (401)"),
        (403, "asks for a sign-in (403)"),
        (404, "does not exist (404)"),
        (500, "with 500"),
    ],
)
async def test_an_answer_that_is_no_document_is_a_sentence(
    site: Site, address: str, here: FetchPolicy, status: int, says: str
) -> None:
    site.says("/x", status=status)
    sentence = await failure(f"{address}/x?token=secret", policy=here)
    assert says in sentence
    assert "secret" not in sentence


async def test_nothing_of_this_machine_goes_along(
    monkeypatch: pytest.MonkeyPatch, site: Site, address: str, here: FetchPolicy
) -> None:
    async with serving() as (proxy, proxy_server):
        monkeypatch.setenv("http_proxy", str(proxy_server.make_url("/")))
        site.says("/a", status=302, headers={"Location": "b", "Set-Cookie": "session=1"})
        site.says("/b", body=b"x")
        await fetch(f"{address}/a", policy=here)
        assert proxy.asked == []
    assert all(not {"Cookie", "Authorization", "Referer"} & set(headers) for headers in site.headers)


async def test_a_cookie_that_a_site_sets_is_not_carried_along(
    monkeypatch: pytest.MonkeyPatch, site: Site, here: FetchPolicy
) -> None:
    resolving(monkeypatch, "127.0.0.1")  # cookies are kept for names, never for bare addresses
    site.says("/a", status=302, headers={"Location": "b", "Set-Cookie": "session=1"})
    site.says("/b", body=b"x")
    await fetch(f"http://site.example:{next(iter(here.ports))}/a", policy=here)
    assert site.asked == ["/a", "/b"]
    assert all("Cookie" not in headers for headers in site.headers)


@pytest.mark.parametrize(("address", "port"), [("10.0.0.1", 443), ("8.8.8.8", 22), ("::1", 80)])
def test_no_socket_is_made_to_a_machine_or_port_that_is_not_admitted(address: str, port: int) -> None:
    guard = urls._Guard(FetchPolicy())
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OSError, match="not admitted"):
        guard((family, socket.SOCK_STREAM, 0, "", (address, port)))
    assert guard.refused


def test_a_socket_to_the_web_is_made() -> None:
    guard = urls._Guard(FetchPolicy())
    guard((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.8.8", 443))).close()
    assert not guard.refused


async def test_a_closed_door_is_a_sentence(here: FetchPolicy) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    policy = FetchPolicy(admits=here.admits, ports=frozenset({port}))
    assert "could not be fetched" in await failure(f"http://127.0.0.1:{port}/", policy=policy)
