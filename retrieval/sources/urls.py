"""Fetches a web page from the public internet, and from nowhere else.

Who names a URL may name an address inside the company: a literal one, a name that leads there, or a page that
redirects there. So the address is judged where the socket is made, when there is nothing left to resolve.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from math import ceil
from typing import Any
from urllib.parse import unquote

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from auth.errors import OstiaryError
from retrieval.parsing.cleaning import one_line
from retrieval.sources.addresses import Address, is_public
from retrieval.sources.items import UNMARKED, Mark

_MIB = 2**20
_READ = 64 * 1024
_LONGEST_URL = 2048
_LONGEST_MARK = 1024
_NOT_MODIFIED = 304
_GONE = frozenset((404, 410))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_HEADERS = {
    "User-Agent": "Ostiary",
    "Accept": "text/html, application/pdf, text/markdown, text/plain;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
_ENCODINGS = frozenset(("", "identity", "gzip", "deflate"))


class FetchError(OstiaryError):
    """A web address gave no document; the message says why."""


class FetchRefused(FetchError):
    """The address is not one that may be fetched."""


class FetchFailed(FetchError):
    """The address may be fetched, and did not answer with a document."""


class FetchGone(FetchFailed):
    """Nothing is at the address (any more)."""


@dataclass(frozen=True)
class FetchLimits:
    """Bytes are counted as decoded; the seconds are for everything, redirects included."""

    max_bytes: int = 50 * _MIB
    total_seconds: float = 60.0
    redirects: int = 5


@dataclass(frozen=True)
class FetchPolicy:
    """Where a connection may go. Tests, whose servers are on this machine, are the only ones to change it."""

    admits: Callable[[Address], bool] = is_public
    ports: frozenset[int] = frozenset((80, 443))


@dataclass(frozen=True)
class Fetched:
    """A document as it came. `media_type` is what the server called it; what it is, its bytes say.

    `mark` is what the server gave to ask it later whether the document changed.
    """

    url: str
    final_url: str
    media_type: str
    data: bytes
    name: str
    modified: datetime | None = None
    mark: Mark = UNMARKED


async def fetch(url: str, limits: FetchLimits | None = None, policy: FetchPolicy | None = None) -> Fetched:
    """Fetches a document over http or https. Raises FetchRefused or FetchFailed."""
    fetched = await fetch_if_changed(url, UNMARKED, limits, policy)
    if fetched is None:
        raise FetchFailed(_refusal_in_words(url, _NOT_MODIFIED))  # nobody had asked whether it was modified
    return fetched


async def fetch_if_changed(
    url: str, known: Mark, limits: FetchLimits | None = None, policy: FetchPolicy | None = None
) -> Fetched | None:
    """Like `fetch`; None where the server says that the document is still the one that it marked so."""
    limits, policy = limits or FetchLimits(), policy or FetchPolicy()
    target = _checked(url, policy)
    guard = _Guard(policy)
    try:
        async with asyncio.timeout(limits.total_seconds), _session(guard) as session:
            return await _follow(session, url, target, known, limits, policy)
    except TimeoutError:
        raise FetchFailed(
            f"{_shown(url)} did not answer within {limits.total_seconds:g} s. Try again later."
        ) from None
    except InvalidURL:
        raise FetchRefused(_no_web_address(url)) from None
    except (ClientError, OSError, ValueError) as error:
        if guard.refused:
            raise FetchRefused(
                f"{_shown(url)} leads to an address that is not on the public internet, and was not fetched."
            ) from None
        reason = type(error).__name__
        raise FetchFailed(
            f"{_shown(url)} could not be fetched ({reason}). Check the address, or try later."
        ) from None


class _Guard:
    """Makes the sockets of one fetch, and makes none to an address that the policy does not admit."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self.refused = False

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, where = info
        if not self._policy.admits(ip_address(where[0])) or where[1] not in self._policy.ports:
            self.refused = True
            raise OSError("the address is not admitted")
        return socket.socket(family=family, type=kind, proto=protocol)


def _session(guard: _Guard) -> ClientSession:
    """No proxy from the environment, no cookies, no connection kept for another fetch."""
    return ClientSession(
        connector=TCPConnector(socket_factory=guard, force_close=True, use_dns_cache=False),
        cookie_jar=DummyCookieJar(),
        headers=_HEADERS,
        timeout=ClientTimeout(total=None),
        trust_env=False,
    )


async def _follow(
    session: ClientSession, url: str, target: URL, known: Mark, limits: FetchLimits, policy: FetchPolicy
) -> Fetched | None:
    asking = _conditions(known)
    for _ in range(limits.redirects + 1):
        async with session.get(target, allow_redirects=False, headers=asking) as response:
            if response.status == _NOT_MODIFIED and asking:
                return None
            if response.status not in _REDIRECTS:
                return await _read(response, url, target, limits)
            target = _redirected(response, url, target, policy)
    raise FetchFailed(f"{_shown(url)} redirects more than {limits.redirects} times. Send the final address.")


def _redirected(response: ClientResponse, url: str, target: URL, policy: FetchPolicy) -> URL:
    location = response.headers.get("Location", "")
    if not location:
        raise FetchFailed(f"{_shown(url)} redirects without saying where.")
    return _checked(str(target.join(URL(location))), policy)


async def _read(response: ClientResponse, url: str, target: URL, limits: FetchLimits) -> Fetched:
    if response.status in _GONE:
        raise FetchGone(_refusal_in_words(url, response.status))
    if response.status != 200:
        raise FetchFailed(_refusal_in_words(url, response.status))
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise FetchFailed(f"{_shown(url)} is packed in a way that was not asked for, and was not read.")
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(_READ):
        size += len(part)
        if size > limits.max_bytes:
            most = ceil(limits.max_bytes / _MIB)
            raise FetchFailed(
                f"{_shown(url)} is larger than {most} MB, which is the limit. Send a smaller document."
            )
        parts.append(part)
    return Fetched(
        url,
        str(target),
        response.content_type,
        b"".join(parts),
        _name_of(target),
        _modified(response),
        _mark_of(response),
    )


def _checked(url: str, policy: FetchPolicy) -> URL:
    """The URL if its form allows fetching it; what it leads to is judged when the socket is made."""
    try:
        target = URL(url.strip()).with_fragment(None) if len(url) <= _LONGEST_URL else None
    except (ValueError, TypeError):
        target = None
    if target is None or not target.host:
        raise FetchRefused(_no_web_address(url))
    if target.scheme not in ("http", "https"):
        raise FetchRefused(f"{_shown(url)} is not fetched: only http:// and https:// addresses are.")
    if target.user is not None or target.password is not None:
        raise FetchRefused(
            "An address with a user name or password in it is not fetched. Send it without them."
        )
    if target.port not in policy.ports:
        raise FetchRefused(f"{_shown(url)} is not fetched: only the ports 80 and 443 are.")
    return target


def _no_web_address(url: str) -> str:
    return f"{_shown(url)} is not a web address. Send one that begins with https://."


def _refusal_in_words(url: str, status: int) -> str:
    if status in (401, 403, 407):
        return f"{_shown(url)} asks for a sign-in ({status}). Download the document and send the file."
    if status in _GONE:
        return f"{_shown(url)} does not exist ({status}). Check the address."
    return f"{_shown(url)} answered with {status} instead of a document. Try again later."


def _shown(url: str) -> str:
    """A URL for a sentence: on one line, short, and without what stands before an @ or behind a ?."""
    try:
        text = str(URL(url.strip()).with_user(None).with_query(None).with_fragment(None))
    except (ValueError, TypeError):
        text = url.partition("?")[0].rpartition("@")[2]
    text = one_line(text)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _name_of(target: URL) -> str:
    segments = [segment for segment in target.raw_parts if segment.strip("/")]
    return one_line(unquote(segments[-1])) if segments else str(target.host)


def _modified(response: ClientResponse) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Last-Modified"])
    except (KeyError, ValueError, TypeError):
        return None


def _conditions(known: Mark) -> dict[str, str]:
    asked = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in asked.items() if value}


def _mark_of(response: ClientResponse) -> Mark:
    etag, last_modified = (response.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return Mark(_kept(etag), _kept(last_modified))


def _kept(header: str) -> str | None:
    """What is to be sent back one day: nothing long or odd."""
    return header if header and len(header) <= _LONGEST_MARK and header.isprintable() else None
