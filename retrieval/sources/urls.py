"""Web addresses as sources, fetched so that no address, redirect, name or size can be abused.

The check stands where the socket is made: it sees the address that is really connected to, whatever name,
redirect or second DNS answer led there.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp

from auth.errors import OstiaryError
from retrieval.sources.addresses import is_public

MayReach = Callable[[IPv4Address | IPv6Address, int], bool]
"""(address, port) -> whether a connection may be made."""

PORTS = {80, 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_USER_AGENT = "Ostiary/0.1 (document ingestion)"


class FetchError(OstiaryError):
    """A web address could not be ingested; the message names it and says why."""


class FetchRefused(FetchError):
    """The address is one that is never fetched."""


class FetchFailed(FetchError):
    """The address did not give a document."""


@dataclass(frozen=True)
class FetchLimits:
    """At most this many bytes once decompressed, seconds in all, and redirects."""

    max_bytes: int = 50 * 2**20
    total_seconds: float = 60
    redirects: int = 5


@dataclass(frozen=True)
class Fetched:
    """What an address gave. `name` is for messages; the type is told from the content, not from here."""

    url: str
    final_url: str
    media_type: str
    data: bytes
    name: str


class _Forbidden(OSError):
    """A connection to an address that may not be reached."""


def public_only(address: IPv4Address | IPv6Address, port: int) -> bool:
    return port in PORTS and is_public(address)


async def fetch(url: str, limits: FetchLimits | None = None, may_reach: MayReach = public_only) -> Fetched:
    """Fetch a document from the public web. Raises FetchRefused or FetchFailed with a sentence.

    `may_reach` decides on each address that a connection would be made to.
    """
    limits = limits or FetchLimits()
    connector = aiohttp.TCPConnector(socket_factory=_guard(may_reach), use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=limits.total_seconds)
    headers = {"User-Agent": _USER_AGENT}
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=False, headers=headers
        ) as session:
            return await _follow(session, url, limits)
    except TimeoutError as error:
        raise FetchFailed(f"{url} did not answer within {limits.total_seconds:.0f} seconds.") from error
    except (aiohttp.ClientError, OSError) as error:
        if _is_forbidden(error):
            raise FetchRefused(
                f"{url} leads to an address inside a network, or to an unusual port; only public web pages are"
                " fetched. Download it and add it as a file."
            ) from error
        raise FetchFailed(f"{url} could not be fetched ({error}). Check the address.") from error


async def _follow(session: aiohttp.ClientSession, url: str, limits: FetchLimits) -> Fetched:
    current = url
    for _ in range(limits.redirects + 1):
        _refuse_odd(current)
        async with session.get(current, allow_redirects=False) as response:
            target = response.headers.get("Location")
            if response.status in _REDIRECTS and target:
                current = urljoin(current, target)
                continue
            if response.status != 200:
                raise FetchFailed(f"{url} answered with status {response.status}. Check the address.")
            data = await _read(response, url, limits.max_bytes)
            return Fetched(url, current, response.content_type, data, _name(current))
    raise FetchFailed(f"{url} redirects more than {limits.redirects} times. Give the final address.")


def _refuse_odd(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchRefused(f"{url} is not a web address.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchRefused(f"{url} is not a web address; it must begin with http:// or https://.")
    if parts.username or parts.password:
        raise FetchRefused("A web address with a user name or password in it is not fetched.")
    # A port that is named is judged with the address; here only the impossible is refused.
    if port == 0:
        raise FetchRefused(f"{url} names port 0, which does not exist.")


async def _read(response: aiohttp.ClientResponse, url: str, max_bytes: int) -> bytes:
    """The body, counted after decompression, so that a small answer cannot swell."""
    data = bytearray()
    async for block in response.content.iter_chunked(64 * 1024):
        data += block
        if len(data) > max_bytes:
            raise FetchFailed(f"{url} is larger than {max_bytes / 2**20:.0f} MB, which is the limit.")
    return bytes(data)


def _name(url: str) -> str:
    parts = urlsplit(url)
    return unquote(PurePosixPath(parts.path).name) or parts.hostname or url


def _guard(may_reach: MayReach) -> Callable[[Any], socket.socket]:
    def make(address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not may_reach(ip_address(str(address[0]).split("%")[0]), int(address[1])):
            raise _Forbidden("this address may not be reached")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def _is_forbidden(error: BaseException | None) -> bool:
    """The guard's refusal comes back wrapped in the client's own errors."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, _Forbidden) or isinstance(getattr(error, "os_error", None), _Forbidden):
            return True
        inner = getattr(error, "exceptions", ())
        if any(_is_forbidden(one) for one in inner):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
