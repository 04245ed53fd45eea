"""Sources that are kept, in `/docs`: how each stands, paused, taken up again, read now, removed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from slack_bolt.app.async_app import AsyncApp

from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import Change, PauseSource, RemoveSource, ResumeSource
from bot.administering.kept_sources import SourceEntry
from bot.administering.making import CannotChange
from bot.slack.admin import source_screens as shows
from bot.slack.admin.access import AccessDesk
from bot.slack.admin.access_screens import named
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.naming import Naming
from bot.slack.admin.screens import Screen, said, undoable
from bot.slack.admin.wording import done_in_words
from bot.slack.messages import typed_id
from retrieval.sources.kept import UnknownSource

ReadSoon = Callable[[int], Awaitable[None]]
"""Has a source read now."""


class SourcesDesk:
    """Takes in what the modals of sources ask for."""

    def __init__(
        self,
        administration: Administration,
        naming: Naming,
        access: AccessDesk,
        counter: Counter,
        read_soon: ReadSoon,
    ) -> None:
        self._administration = administration
        self._naming = naming
        self._access = access
        self._counter = counter
        self._read_soon = read_soon

    def register(self, app: AsyncApp) -> None:
        for action_id, serve in (
            (shows.HOME, self.sources),
            (f"{shows.HOME}:earlier", self.sources),
            (f"{shows.HOME}:later", self.sources),
            (shows.ONE, self.one),
            (shows.PAUSE, self.pause),
            (shows.RESUME, self.resume),
            (shows.READ, self.read),
            (shows.REMOVE, self.remove),
            (shows.REMOVE_ALL, self.remove_all),
        ):
            self._counter.action(app, action_id, serve)

    async def sources(self, visit: Visit) -> Screen:
        return await self.listed(visit.actor, typed_id(visit.value) or 0)

    async def listed(self, actor: str, start: int = 0) -> Screen:
        found = await self._administration.sources(await self._naming.viewer(actor))
        start = start if start < len(found) else 0
        shown = [await self._naming.with_channel(entry) for entry in found[start : start + shows.PAGE]]
        return shows.sources(shown, start, len(found))

    async def one(self, visit: Visit) -> Screen:
        entry = await self._source(visit)
        handles = await self._naming.handles([entry.kept_by])
        names = {user_id: f"@{handle}" for user_id, handle in handles.items()}
        return shows.one(entry, {**names, COMMAND_LINE: "the command line"})

    async def pause(self, visit: Visit) -> Screen:
        entry = await self._source(visit)
        return await self._change(PauseSource(entry.id), entry, visit)

    async def resume(self, visit: Visit) -> Screen:
        entry = await self._source(visit)
        return await self._change(ResumeSource(entry.id), entry, visit)

    async def read(self, visit: Visit) -> Screen:
        entry = await self._source(visit)
        if entry.paused:
            raise CannotChange("It is paused. Resume it first.")
        await self._read_soon(entry.id)
        return said(shows.READ_NOW, back=(shows.ONE, str(entry.id)))

    async def remove(self, visit: Visit) -> Screen:
        return await self._remove(visit, with_documents=False)

    async def remove_all(self, visit: Visit) -> Screen:
        return await self._remove(visit, with_documents=True)

    async def _remove(self, visit: Visit, *, with_documents: bool) -> Screen:
        entry = await self._source(visit)
        seen = Visit(visit.actor, carried={"back": [shows.ONE, str(entry.id)]})
        return await self._access.dry_run(RemoveSource(entry.id, with_documents), seen)

    async def _change(self, change: Change, entry: SourceEntry, visit: Visit) -> Screen:
        done = await self._administration.carry_out(change, visit.actor)
        shown = undoable(done_in_words(change, done), done.undoable_id, back=(shows.ONE, str(entry.id)))
        return replace(shown, blocks=[*shown.blocks, *named(shows.numbered(entry))])

    async def _source(self, visit: Visit) -> SourceEntry:
        number = typed_id(visit.value)
        if number is None:
            raise UnknownSource("There is no such source any more.")
        return await self._naming.source(visit.actor, number)
