"""`/docs`, `/answers`: the documents there are, how they stand, their versions, and what could not be taken in."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from slack_bolt.app.async_app import AsyncApp

from auth.audit import Sought, search
from auth.database import Database
from bot.administering.administration import Administration
from bot.administering.changes import ExpireDocuments, OwnDocuments
from bot.audit_names import read_names
from bot.audit_words import in_words
from bot.slack.admin import document_screens as shows
from bot.slack.admin import failure_screens as failing
from bot.slack.admin import narrowing_screens as narrowing
from bot.slack.admin.access import AccessDesk
from bot.slack.admin.auditing import without_addresses
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming
from bot.slack.admin.screens import Screen, is_id, said
from bot.slack.admin.sources import SourcesDesk
from bot.slack.admin.wording import end_of_day
from bot.slack.messages import plain_text, typed_id
from retrieval.approved import SCHEME
from retrieval.cataloguing import Filter, State, UnknownDocument

EVENTS = 15
Again = Callable[[int, str], Awaitable[str]]
"""Has a document taken in again for somebody; a sentence on what will be."""


class DocumentsDesk:
    """Takes in `/docs` and what its modals ask for; changes of readers and removals are for `/access`."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        administration: Administration,
        naming: Naming,
        access: AccessDesk,
        sources: SourcesDesk,
        counter: Counter,
        again: Again,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._administration = administration
        self._naming = naming
        self._access = access
        self._sources = sources
        self._counter = counter
        self._again = again

    def register(self, app: AsyncApp) -> None:
        self._counter.command(app, "/docs", self.typed)
        self._counter.command(app, "/answers", self.approved)
        for action_id, serve in (
            (shows.HOME, self.documents),
            (f"{shows.HOME}:earlier", self.documents),
            (f"{shows.HOME}:later", self.documents),
            (shows.ALL, self.all),
            (narrowing.NARROW, self.narrow_form),
            (shows.ONE, self.one),
            (shows.HISTORY, self.history),
            (f"{shows.HISTORY}:older", self.history),
            (shows.END, self.end_form),
            (shows.WHOSE, self.owner_form),
            (shows.AGAIN, self.again),
            (failing.FAILURES, self.failures),
            (f"{failing.FAILURES}:earlier", self.failures),
            (f"{failing.FAILURES}:later", self.failures),
            (failing.DISMISS, self.dismiss),
        ):
            self._counter.action(app, action_id, serve)
        self._counter.form(app, narrowing.NARROW_FORM, self.narrow)
        self._counter.form(app, shows.END_FORM, self.end)
        self._counter.form(app, shows.WHOSE_FORM, self.own)
        self._counter.menu(app, shows.ONE, self._naming.suggest_documents)

    async def typed(self, visit: Visit) -> Screen:
        words = plain_text(visit.text)
        if words.lower() == "help":
            return said(shows.HELP).whisper()
        if words.lower() == "sources":
            return await self._sources.listed(visit.actor)
        number = typed_id(words.removeprefix("#"))
        if number is not None:
            return await self._one(visit.actor, number)
        return await self._listed(visit.actor, narrowing.Narrowed(words), 0)

    async def approved(self, visit: Visit) -> Screen:
        """`/answers`: the approved answers, those of a word or all."""
        which = narrowing.Narrowed(plain_text(visit.text), source=SCHEME)
        return await self._listed(visit.actor, which, 0)

    async def documents(self, visit: Visit) -> Screen:
        return await self._listed(visit.actor, narrowing.narrowed(visit.carried), typed_id(visit.value) or 0)

    async def all(self, visit: Visit) -> Screen:
        return await self._listed(visit.actor, narrowing.Narrowed(), 0)

    async def _listed(self, actor: str, which: narrowing.Narrowed, start: int) -> Screen:
        viewer = await self._naming.viewer(actor)
        found = await self._administration.documents(
            viewer,
            which.words,
            shows.PAGE + 1,
            start,
            which=Filter(which.collection, None, which.state),
            source=which.source,
        )
        collections = {entry.id: entry.name for entry in await self._administration.collections()}
        return shows.documents(found, which, collections, start)

    async def narrow_form(self, visit: Visit) -> Screen:
        return narrowing.narrow_form(
            narrowing.narrowed(visit.carried), await self._naming.collection_options()
        )

    async def narrow(self, visit: Visit) -> Screen:
        filled = visit.entered
        state, source = filled.option("state"), filled.option("source")
        which = replace(
            narrowing.narrowed(visit.carried),
            collection=typed_id(filled.option("collection")),
            state=State(state) if state in list(State) else None,
            source=source if source in narrowing.SOURCES else "",
        )
        return await self._listed(visit.actor, which, 0)

    async def one(self, visit: Visit) -> Screen:
        return await self._one(visit.actor, _number(visit.value))

    async def _one(self, actor: str, document_id: int) -> Screen:
        viewer = await self._naming.viewer(actor)
        entry = await self._administration.document(viewer, document_id)
        return shows.one(entry, await self._administration.describe(viewer, document_id))

    async def history(self, visit: Visit) -> Screen:
        """`visit.value` is a document's number, and before which event to begin."""
        written, _, before = visit.value.partition(" ")
        viewer = await self._naming.viewer(visit.actor)
        entry = await self._administration.document(viewer, _number(written))
        described = await self._administration.describe(viewer, entry.id)
        async with self._database.writing_in(self._workspace_id) as connection:
            events = await search(
                connection, Sought(document_id=entry.id), before=typed_id(before), limit=EVENTS + 1
            )
            names = await read_names(connection, events, at_the_machine=False)
        if entry.title:
            names[f"document:{entry.id}"] = entry.title
        told = [(event, in_words(without_addresses(event), names)) for event in events[:EVENTS]]
        older = events[EVENTS - 1].seq if len(events) > EVENTS else None
        return shows.history(entry, described, told, older)

    async def end_form(self, visit: Visit) -> Screen:
        return shows.end_form(await self._naming.document(visit.actor, _number(visit.value)))

    async def end(self, visit: Visit) -> Screen:
        day, for_good = visit.entered.day("day"), visit.entered.ticked("for_good")
        if day is None and not for_good:
            raise NotFilledIn("day", "Choose a day, or tick: for good.")
        at = None if for_good else end_of_day(day)
        return await self._access.dry_run(ExpireDocuments((_carried(visit),), at), visit)

    async def owner_form(self, visit: Visit) -> Screen:
        entry = await self._naming.document(visit.actor, _number(visit.value))
        return shows.owner_form(entry, await self._naming.role_options())

    async def own(self, visit: Visit) -> Screen:
        person, role = visit.entered.person("person"), visit.entered.option("role")
        if person and role:
            raise NotFilledIn("role", "A document belongs to a person or to a role: choose one of them.")
        whose = await self._naming.person(person) if person else None
        who = (whose.id, whose.handle) if whose else (None, "")
        return await self._access.dry_run(OwnDocuments((_carried(visit),), role or None, *who), visit)

    async def again(self, visit: Visit) -> Screen:
        entry = await self._naming.document(visit.actor, _number(visit.value))
        return said(await self._again(entry.id, visit.actor), back=(shows.ONE, str(entry.id)))

    async def failures(self, visit: Visit) -> Screen:
        return await self._failures(visit.actor, typed_id(visit.value) or 0)

    async def dismiss(self, visit: Visit) -> Screen:
        failure_id = typed_id(visit.value)
        if failure_id is not None:
            await self._administration.dismiss([failure_id], visit.actor)
        return await self._failures(visit.actor, 0)

    async def _failures(self, actor: str, start: int) -> Screen:
        viewer = await self._naming.viewer(actor)
        found = await self._administration.failures(viewer, actor, failing.PAGE + 1, start)
        handles = await self._naming.handles([failure.actor for failure in found])
        names = {user_id: f"@{handle}" for user_id, handle in handles.items()}
        return failing.failures(found, names, start)


def _number(written: str) -> int:
    number = typed_id(written)
    if number is None:
        raise UnknownDocument("There is no such document any more.")
    return number


def _carried(visit: Visit) -> int:
    found = visit.carried.get("document")
    if not is_id(found):
        raise UnknownDocument("There is no such document any more.")
    return found
