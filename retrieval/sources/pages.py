"""Reads sources that are one web address: a document, or a zip archive of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from retrieval.sources.items import UNMARKED, Mark, SkippedFile, SourceItem
from retrieval.sources.kept import Item, Source
from retrieval.sources.reading import Found, ItemGone, Load, Loaded
from retrieval.sources.urls import FetchGone, FetchLimits, FetchPolicy, fetch_if_changed
from retrieval.sources.zipped import find_members, is_archive


class PageReader:
    """One address. The web is patient with what fails once: gone is what is missing twice in a row."""

    patience = 2

    def __init__(self, limits: FetchLimits | None = None, policy: FetchPolicy | None = None) -> None:
        self._limits = limits or FetchLimits()
        self._policy = policy or FetchPolicy()

    async def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        url = source.reference
        inside = [uri for uri in known if uri.startswith(f"{url}#")]
        page = page_at(url, self._limits, self._policy)
        if not inside and url in known:
            yield page
            return
        try:
            loaded = await page.load(UNMARKED)  # an archive has no mark: each of its files is looked at
        except ItemGone as gone:
            yield Found(url, page.name, _always(gone))
            return
        assert loaded is not None
        if not await asyncio.to_thread(is_archive, loaded.data, loaded.name):
            yield Found(url, loaded.name, _always(loaded))
            return
        for member in await asyncio.to_thread(lambda: list(find_members(loaded.data, url, loaded.name))):
            yield _member(member) if isinstance(member, SourceItem) else member


def page_at(url: str, limits: FetchLimits, policy: FetchPolicy) -> Found:
    """A web page or document, fetched when it is loaded, and only if it changed."""

    async def load(known: Mark) -> Loaded | None:
        try:
            fetched = await fetch_if_changed(url, known, limits, policy)
        except FetchGone as gone:
            raise ItemGone(str(gone)) from gone
        return None if fetched is None else Loaded(fetched.data, fetched.name, fetched.mark)

    return Found(url, url, load)


def _always(outcome: Loaded | ItemGone) -> Load:
    async def load(_known: Mark) -> Loaded | None:
        if isinstance(outcome, ItemGone):
            raise outcome
        return outcome

    return load


def _member(item: SourceItem) -> Found:
    async def load(_known: Mark) -> Loaded | None:
        return Loaded(await asyncio.to_thread(item.load), item.name)

    return Found(item.uri, item.name, load)
