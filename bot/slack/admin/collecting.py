"""Collections in `/access`: documents with one set of readers, whose owners can be asked for them."""

from datetime import timedelta

from slack_bolt.app.async_app import AsyncApp

from bot.administering.administration import Administration
from bot.administering.changes import DefineCollection, FadeCollection
from bot.slack.admin import collection_screens as shows
from bot.slack.admin.access import AccessDesk
from bot.slack.admin.access_screens import COLLECTION, COLLECTIONS
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming
from bot.slack.admin.readers_fields import readers_entered
from bot.slack.admin.screens import Screen
from bot.slack.messages import typed_id

_MOST_S = 366 * 24 * 3600


class CollectionsDesk:
    """Takes in what the modals of collections ask for."""

    def __init__(
        self, administration: Administration, naming: Naming, access: AccessDesk, counter: Counter
    ) -> None:
        self._administration = administration
        self._naming = naming
        self._access = access
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        for action_id, serve in (
            (COLLECTIONS, self.collections),
            (f"{COLLECTIONS}:earlier", self.collections),
            (f"{COLLECTIONS}:later", self.collections),
            (COLLECTION, self.one_collection),
            (shows.DEFINE, self.new_form),
            (shows.LOAN, self.edit_form),
            (shows.FADE, self.fade_form),
        ):
            self._counter.action(app, action_id, serve)
        self._counter.form(app, shows.COLLECTION_FORM, self.define)
        self._counter.form(app, shows.FADE_FORM, self.fade)

    async def collections(self, visit: Visit) -> Screen:
        return shows.collections(await self._administration.collections(), typed_id(visit.value) or 0)

    async def one_collection(self, visit: Visit) -> Screen:
        return shows.one_collection(await self._naming.collection(visit.value))

    async def new_form(self, visit: Visit) -> Screen:
        return shows.collection_form(await self._naming.role_options())

    async def edit_form(self, visit: Visit) -> Screen:
        entry = await self._naming.collection(visit.value)
        return shows.collection_form(await self._naming.role_options(), entry)

    async def fade_form(self, visit: Visit) -> Screen:
        return shows.fade_form(await self._naming.collection(visit.value))

    async def fade(self, visit: Visit) -> Screen:
        entry = await self._naming.collection(str(visit.carried.get("collection")))
        written = visit.entered.text("days")
        days = typed_id(written)
        if written and days is None:
            raise NotFilledIn("days", "Write a number of days, as 30, or nothing.")
        return await self._access.dry_run(FadeCollection(entry.name, days), visit)

    async def define(self, visit: Visit) -> Screen:
        """A new collection, which must not be there, or the one that the form was opened for, which must."""
        filled, existing = visit.entered, visit.carried.get("collection")
        if existing is not None:
            name = (await self._naming.collection(str(existing))).name
        else:
            name = filled.required("name", filled.text("name"), "A collection needs a name.")
            if any(entry.name == name for entry in await self._administration.collections()):
                raise NotFilledIn("name", f"There is a collection called {name} already.")
        seconds = typed_id(filled.option("lent_for"))
        change = DefineCollection(
            name,
            readers_entered(filled),
            filled.option("owner") or None,
            filled.option("lent") or None,
            timedelta(seconds=min(seconds, _MOST_S)) if seconds else timedelta(days=1),
        )
        return await self._access.dry_run(change, visit)
