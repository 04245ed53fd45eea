"""`/access`: who may read which document and why, and changes of it, each with a dry run first."""

from dataclasses import replace

from slack_bolt.app.async_app import AsyncApp

from auth.labelling import UnknownLabel
from auth.labels import Policy
from bot.administering.administration import Administration
from bot.administering.changes import (
    Change,
    ChangeLabel,
    FileDocuments,
    RelabelCollection,
    RelabelDocuments,
    RelabelSource,
    RemoveDocuments,
    RemoveSource,
)
from bot.administering.overviews import LabelEntry
from bot.slack.admin import access_screens as shows
from bot.slack.admin import source_screens
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming, called
from bot.slack.admin.proposals import NoProposal, proposed
from bot.slack.admin.readers_fields import readers_entered
from bot.slack.admin.screens import Back, Screen, said, undoable
from bot.slack.admin.wording import done_in_words
from bot.slack.messages import plain_text, typed_id
from retrieval.cataloguing import UnknownDocument

MOST_AT_ONCE, NAMED = 100, 5


class AccessDesk:
    """Takes in `/access` and what its modals ask for, collections themselves left to their own desk."""

    def __init__(self, administration: Administration, naming: Naming, counter: Counter) -> None:
        self._administration = administration
        self._naming = naming
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.command(app, "/access", self.typed)
        for action_id, serve in (
            (shows.HOME, self.documents),
            (f"{shows.HOME}:earlier", self.documents),
            (f"{shows.HOME}:later", self.documents),
            (shows.DOCUMENT, self.document),
            (shows.WHY, self.why),
            (shows.LABELS, self.labels),
            (f"{shows.LABELS}:earlier", self.labels),
            (f"{shows.LABELS}:later", self.labels),
            (shows.CHANGE, self.readers_form),
            (shows.CHANGE_ALIKE, self.readers_form),
            (shows.FILE, self.file_form),
            (shows.REMOVE, self.remove),
        ):
            self._counter.action(app, action_id, serve)
        self._counter.form(app, shows.READERS_FORM, self.readers_chosen)
        self._counter.form(app, shows.FILE_FORM, self.collection_chosen)
        self._counter.form(app, shows.CONFIRM_FORM, self.confirmed)
        self._counter.menu(app, shows.DOCUMENT, self._naming.suggest_documents)
        self._counter.menu(app, shows.COLLECTION_FIELD, self._naming.suggest_collections)

    async def typed(self, visit: Visit) -> Screen:
        words = plain_text(visit.text)
        if words.lower() == "help":
            return said(shows.HELP).whisper()
        return await self._found(visit, words, 0)

    async def documents(self, visit: Visit) -> Screen:
        return await self._found(visit, str(visit.carried.get("words") or ""), typed_id(visit.value) or 0)

    async def _found(self, visit: Visit, words: str, start: int) -> Screen:
        viewer = await self._naming.viewer(visit.actor)
        entries = await self._administration.documents(viewer, words, shows.PAGE + 1, start)
        return shows.documents(entries, words, start)

    async def document(self, visit: Visit) -> Screen:
        entry = await self._naming.document(visit.actor, _document(visit.value))
        return shows.document(entry, await self._label(entry.policy))

    async def why(self, visit: Visit) -> Screen:
        """`visit.value` is a person; the document is the one that the modal is about."""
        entry = await self._naming.document(visit.actor, _document(str(visit.carried.get("document"))))
        person = await self._naming.person(visit.value)
        explained = await self._administration.explain(person, entry.id)
        return shows.document(entry, await self._label(entry.policy), explained)

    async def labels(self, visit: Visit) -> Screen:
        return shows.labels(await self._administration.labels(), typed_id(visit.value) or 0)

    async def readers_form(self, visit: Visit) -> Screen:
        what, policy = await self._described(visit)
        return shows.readers_form(
            visit.value, what, await self._naming.role_options(), policy, _back(visit.value)
        )

    async def _described(self, visit: Visit) -> tuple[str, Policy]:
        """In words what `documents 1,2`, `label 3`, `collection 4` or `source 5` is, and who may read it now."""
        match _subject(visit.value):
            case ("label", label_id):
                label = await self._label_with(label_id)
                return f"Everything that is for {label.in_words}", label.policy
            case ("collection", collection_id):
                collection = await self._naming.collection(str(collection_id))
                return f"{collection.name}, with all of its documents", collection.policy
            case ("source", source_id):
                source = await self._naming.source(visit.actor, source_id)
                return f"{source_screens.called(source)}, with all that came from it", source.policy
            case _:
                ids = _documents(visit.value.partition(" ")[2])
                entry = await self._naming.document(visit.actor, ids[0])
                return (called(entry) if len(ids) == 1 else f"{len(ids)} documents"), entry.policy

    async def remove(self, visit: Visit) -> Screen:
        """`visit.value` is the number of a document."""
        number = _document(visit.value)
        seen = Visit(visit.actor, carried={"back": [shows.DOCUMENT, str(number)]})
        return await self.dry_run(RemoveDocuments((number,)), seen)

    async def readers_chosen(self, visit: Visit) -> Screen:
        of = str(visit.carried.get("of") or "")
        policy = readers_entered(visit.entered)
        match _subject(of):
            case ("label", label_id):
                change: Change = ChangeLabel(label_id, policy)
            case ("collection", collection_id):
                change = RelabelCollection(collection_id, policy)
            case ("source", source_id):
                change = RelabelSource(source_id, policy)
            case _:
                change = RelabelDocuments(_documents(of.partition(" ")[2]), policy)
        return await self.dry_run(change, visit)

    async def file_form(self, visit: Visit) -> Screen:
        ids = _documents(visit.value)
        entry = await self._naming.document(visit.actor, ids[0])
        what = called(entry) if len(ids) == 1 else f"{len(ids)} documents"
        options = await self._naming.collection_options()
        return shows.file_form(visit.value, what, options, _back(f"documents {visit.value}"))

    async def collection_chosen(self, visit: Visit) -> Screen:
        chosen = visit.entered.option("collection")
        collection_id = typed_id(chosen)
        if collection_id is None and chosen != shows.NO_COLLECTION:
            raise NotFilledIn("collection", "Choose a collection.")
        ids = _documents(str(visit.carried.get("documents") or ""))
        return await self.dry_run(FileDocuments(ids, collection_id), visit)

    async def dry_run(self, change: Change, visit: Visit) -> Screen:
        """Who would gain or lose what; a second button does it."""
        effect = await self._administration.preview(change, visit.actor)
        return shows.confirm(change, effect, visit.back, await self._names_in(change, visit.actor))

    async def confirmed(self, visit: Visit) -> Screen:
        change = proposed(visit.carried)
        names = await self._names_in(change, visit.actor)
        done = await self._administration.carry_out(change, visit.actor)
        shown = undoable(done_in_words(change, done), done.undoable_id, back=_after(change, visit.back))
        return replace(shown, blocks=[*shown.blocks, *shows.named(names)])

    async def _names_in(self, change: Change, actor: str) -> list[str]:
        """What the numbers in a change's words stand for, as far as the administrator may know."""
        if isinstance(change, RemoveSource | RelabelSource):
            return source_screens.numbered(await self._naming.source(actor, change.source_id))
        titles = await self._naming.titles(actor, getattr(change, "document_ids", ())[:NAMED])
        return [f"Document {number} is {title}." for number, title in sorted(titles.items())]

    async def _label(self, policy: Policy) -> LabelEntry:
        """The label with these readers: no two have the same."""
        for label in await self._administration.labels():
            if label.policy == policy:
                return label
        raise UnknownLabel("Its readers were changed just now. Please open it again.")

    async def _label_with(self, label_id: int) -> LabelEntry:
        for label in await self._administration.labels():
            if label.id == label_id:
                return label
        raise UnknownLabel("There are no such readers any more.")


def _after(change: Change, back: Back | None) -> Back | None:
    """Back to what was changed, or to the beginning where it is no more."""
    if isinstance(change, RemoveSource):
        return source_screens.HOME, "0"
    return (shows.HOME, "0") if isinstance(change, RemoveDocuments) else back


def _subject(written: str) -> tuple[str, int] | None:
    """(`label`, `collection` or `source`, its id), where that is what a button names."""
    kind, _, number = written.partition(" ")
    found = typed_id(number)
    return (kind, found) if kind in {"label", "collection", "source"} and found is not None else None


def _document(written: str) -> int:
    return _documents(written)[0]


def _documents(written: str) -> tuple[int, ...]:
    """Ids, separated by commas. Raises UnknownDocument or NoProposal."""
    parts = written.split(",")
    if len(parts) > MOST_AT_ONCE:
        raise NoProposal(f"Choose at most {MOST_AT_ONCE} documents at once.")
    found = [typed_id(part) for part in parts]
    ids = tuple(number for number in found if number is not None)
    if len(ids) != len(parts):
        raise UnknownDocument("There is no such document any more.")
    return ids


def _back(of: str) -> Back:
    """Where a form leads back to: to the one thing that it is about, or to the beginning."""
    kind, _, written = of.partition(" ")
    if kind == "label":
        return shows.LABELS, "0"
    if kind == "collection":
        return shows.COLLECTION, written
    if kind == "source":
        return source_screens.ONE, written
    return (shows.DOCUMENT, written) if typed_id(written) is not None else (shows.HOME, "0")
