"""`/audit`: what happened, by person, document, kind and time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slack_bolt.app.async_app import AsyncApp

from auth.audit import Event, search
from auth.database import Database
from bot.administering.wording import capitalised
from bot.audit_names import documents_of, read_names
from bot.audit_words import in_words
from bot.slack.admin import audit_screens as shows
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming
from bot.slack.admin.screens import Screen, said
from bot.slack.messages import typed_id


class AuditDesk:
    """Takes in `/audit`. What it shows is looked up anew for every page."""

    def __init__(self, database: Database, workspace_id: int, naming: Naming, counter: Counter) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._naming = naming
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.command(app, "/audit", self.typed)
        self._counter.action(app, shows.HOME, self.form)
        self._counter.action(app, f"{shows.PAGES}:newer", self.turn)
        self._counter.action(app, f"{shows.PAGES}:older", self.turn)
        self._counter.form(app, shows.SEARCH_FORM, self.search)
        self._counter.menu(app, shows.DOCUMENT_FIELD, self._naming.suggest_documents)

    async def typed(self, visit: Visit) -> Screen:
        typed = visit.text.strip()
        if not typed:
            return shows.form()
        if typed.lower() == "help":
            return said(shows.HELP).whisper()
        number = typed_id(typed.removeprefix("#"))
        if number is not None:
            return await self._found(shows.Search(document=number), visit)
        person = await self._naming.person_typed(typed)
        return await self._found(shows.Search(who=person.slack_user_id), visit)

    async def form(self, visit: Visit) -> Screen:
        return shows.form()

    async def search(self, visit: Visit) -> Screen:
        filled = visit.entered
        first, last = filled.day("since"), filled.day("until")
        if first and last and last < first:
            raise NotFilledIn("until", "The last day is before the first one.")
        kind = filled.option("kind")
        sought = shows.Search(
            who=filled.person("who"),
            document=typed_id(filled.option("document")),
            kind=kind if kind in shows.KINDS else "",
            since=first,
            until=last,
        )
        return await self._found(sought, visit)

    async def turn(self, visit: Visit) -> Screen:
        return await self._found(shows.turned(shows.search_carried(visit.carried), visit.value), visit)

    async def _found(self, sought: shows.Search, visit: Visit) -> Screen:
        async with self._database.writing_in(self._workspace_id) as connection:
            events = await search(connection, sought.sought, before=sought.before, limit=shows.PAGE + 1)
        names = await self._names(events, sought, visit.actor)
        told = [(event, in_words(without_addresses(event), names)) for event in events]
        return shows.found(sought, _described(sought, names), told)

    async def _names(self, events: Sequence[Event], sought: shows.Search, actor: str) -> dict[str, str]:
        """How to call what these events are about; documents by their titles only where `actor` may read them."""
        async with self._database.writing_in(self._workspace_id) as connection:
            names = await read_names(connection, events, at_the_machine=False)
        handles = await self._naming.handles([sought.who] if sought.who else [])
        documents = {number for event in events for number in documents_of(event)} | {sought.document or 0}
        titles = await self._naming.titles(actor, documents - {0})
        return {
            **names,
            **{user_id: f"@{handle}" for user_id, handle in handles.items()},
            **{f"document:{number}": title for number, title in titles.items()},
        }


def without_addresses(event: Event) -> Event:
    """An address says what a document is about: it is told with its title, or not at all."""
    if event.relation != "document" or event.details is None:
        return event
    rows = {name: {**row, "uri": None} if row else row for name, row in event.details.items()}
    return replace(event, details=rows)


def _described(sought: shows.Search, names: Mapping[str, str]) -> str:
    """What was sought, in words."""
    parts = [
        f"by or about {names.get(sought.who, sought.who)}" if sought.who else "",
        _document(sought.document, names) if sought.document else "",
        shows.KINDS[sought.kind].lower() if sought.kind else "",
        f"from {sought.since:%-d %B %Y}" if sought.since else "",
        f"until {sought.until:%-d %B %Y}" if sought.until else "",
    ]
    said = ", ".join(part for part in parts if part) or "everything"
    return f"{capitalised(said)}, the latest first."


def _document(document_id: int, names: Mapping[str, str]) -> str:
    title = names.get(f"document:{document_id}")
    return f"about document {document_id}" + (f" ({title})" if title else "")
