"""Roles from user groups, channels and flags: mapped here, and who is in them read from Slack at once."""

from datetime import UTC, datetime

from slack_bolt.app.async_app import AsyncApp

from auth.database import Database
from auth.sources import SourceKind, UnknownSource, list_sources
from bot.administering.administration import Administration
from bot.administering.changes import Change, MapSource, UnmapSource
from bot.slack.admin import mapping_screens as forms
from bot.slack.admin import role_screens as shows
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming, NoUserGroups
from bot.slack.admin.screens import Screen, said, undoable
from bot.slack.admin.wording import done_in_words
from bot.slack.membership import CannotGrant
from bot.slack.people import Roster
from bot.slack.standing import StandingReader


class MappingDesk:
    """Takes in what is mapped to a role, and what no longer shall be."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        administration: Administration,
        naming: Naming,
        roster: Roster,
        standing: StandingReader,
        counter: Counter,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._administration = administration
        self._naming = naming
        self._roster = roster
        self._standing = standing
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.action(app, shows.MAP_GROUP, self.group_form)
        self._counter.action(app, shows.MAP_CHANNEL, self.channel_form)
        self._counter.action(app, shows.MAP_FLAG, self.flag_form)
        self._counter.action(app, shows.UNMAP, self.unmap)
        self._counter.form(app, forms.GROUP_FORM, self.map_group)
        self._counter.form(app, forms.CHANNEL_FORM, self.map_channel)
        self._counter.form(app, forms.FLAG_FORM, self.map_flag)
        self._counter.menu(app, forms.GROUP_FIELD, self._naming.suggest_groups)

    async def group_form(self, visit: Visit) -> Screen:
        back = (shows.OPEN, visit.value)
        try:
            groups = await self._naming.group_options()
        except NoUserGroups as error:
            return said(str(error), title="Map a user group", back=back)
        if not groups:
            return said("This workspace has no user groups yet.", title="Map a user group", back=back)
        return forms.group_form(visit.value, groups)

    async def channel_form(self, visit: Visit) -> Screen:
        return forms.channel_form(visit.value)

    async def flag_form(self, visit: Visit) -> Screen:
        return forms.flag_form(visit.value)

    async def map_group(self, visit: Visit) -> Screen:
        group_id = visit.entered.required("group", visit.entered.option("group"), "Choose a user group.")
        began = datetime.now(UTC)
        handle = (await self._naming.groups()).get(group_id)
        if handle is None:
            raise NotFilledIn("group", "There is no such user group any more.")
        try:
            members = await self._standing.members_of_group(group_id)
        except CannotGrant as error:
            raise NotFilledIn("group", str(error)) from error
        role, guests_too = _wanted(visit)
        change = MapSource(SourceKind.USER_GROUP, group_id, handle, role, guests_too, members, began)
        return await self._map(change, visit)

    async def map_channel(self, visit: Visit) -> Screen:
        channel_id = visit.entered.required("channel", visit.entered.channel("channel"), "Choose a channel.")
        began = datetime.now(UTC)
        try:
            channel = await self._standing.members_of_channel(channel_id)
        except CannotGrant as error:
            raise NotFilledIn("channel", str(error)) from error
        role, guests_too = _wanted(visit)
        change = MapSource(
            SourceKind.CHANNEL,
            channel_id,
            channel.name,
            role,
            guests_too,
            channel.user_ids,
            began,
            anybody_may_join=channel.is_public,
        )
        return await self._map(change, visit)

    async def map_flag(self, visit: Visit) -> Screen:
        """The flags of people are read with the people: all of them, now, so that it counts at once."""
        flag = visit.entered.option("flag")
        began = datetime.now(UTC)
        await self._roster.read_all()
        return await self._map(MapSource(SourceKind.FLAG, flag, flag, *_wanted(visit), (), began), visit)

    async def _map(self, change: MapSource, visit: Visit) -> Screen:
        screen = await self._carry_out(change, change.role, visit)
        await self._standing.read_again(change.kind, change.reference)  # who came or went since
        return screen

    async def unmap(self, visit: Visit) -> Screen:
        """`visit.value` is the id of a source, and the role that it shall not grant any more."""
        source_id, _, role = visit.value.partition(" ")
        async with self._database.writing_in(self._workspace_id) as connection:
            sources = {str(source.id): source for source in await list_sources(connection)}
        if source_id not in sources:
            raise UnknownSource("It is not mapped to anything any more.")
        source = sources[source_id]
        return await self._carry_out(
            UnmapSource(source.kind, source.reference, source.name, role), role, visit
        )

    async def _carry_out(self, change: Change, role: str, visit: Visit) -> Screen:
        done = await self._administration.carry_out(change, visit.actor)
        return undoable(done_in_words(change, done), done.change_id, back=(shows.OPEN, role))

    async def read_what_is_unread(self) -> None:
        """After a mapping came back that had been taken away: ask Slack who is in it, so that it counts at once."""
        began = datetime.now(UTC)
        async with self._database.writing_in(self._workspace_id) as connection:
            unread = [source for source in await list_sources(connection) if source.read_at is None]
        if any(source.kind is SourceKind.FLAG for source in unread):
            await self._roster.read_all()
        for source in unread:
            await self._standing.read(source, began if source.kind is SourceKind.FLAG else None)


def _wanted(visit: Visit) -> tuple[str, bool]:
    """The role that a form was opened for, and whether guests shall hold it too."""
    return str(visit.carried.get("role") or ""), visit.entered.ticked("guests")
