"""`/roles`: who holds which role, and what gives it."""

from slack_bolt.app.async_app import AsyncApp

from auth.database import Database
from auth.granting import list_grants, list_roles, require_roles
from auth.sources import RoleSource, list_sources
from bot.administering.administration import Administration
from bot.administering.changes import Change, DefineRole, DeleteRole, GrantRole, RevokeRole
from bot.slack.admin import role_screens as shows
from bot.slack.admin.counter import Counter, Visit
from bot.slack.admin.entered import NotFilledIn
from bot.slack.admin.naming import Naming
from bot.slack.admin.role_words import GrantWords, MayReadWords, RevokeWords, WhoWords, parse
from bot.slack.admin.screens import Back, Screen, said, undoable
from bot.slack.admin.wording import done_in_words, end_of_day, readable_in_words
from bot.slack.messages import typed_id


class RolesDesk:
    """Takes in `/roles` and what its modals ask for."""

    def __init__(
        self,
        database: Database,
        workspace_id: int,
        administration: Administration,
        naming: Naming,
        counter: Counter,
    ) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._administration = administration
        self._naming = naming
        self._counter = counter

    def register(self, app: AsyncApp) -> None:
        self._counter.command(app, "/roles", self.typed)
        for action_id, serve in (
            (shows.HOME, self.overview),
            (f"{shows.HOME}:earlier", self.overview),
            (f"{shows.HOME}:later", self.overview),
            (shows.OPEN, self.one_role),
            (f"{shows.OPEN}:earlier", self.one_role),
            (f"{shows.OPEN}:later", self.one_role),
            (shows.MAY_READ, self.may_read),
            (shows.MAY_READ_OF, self.may_read_of),
            (shows.GIVE, self.give_form),
            (shows.NEW, self.new_form),
            (shows.EDIT, self.edit_form),
            (shows.TAKE, self.take),
            (shows.DELETE, self.delete),
        ):
            self._counter.action(app, action_id, serve)
        self._counter.form(app, shows.GIVE_FORM, self.give)
        self._counter.form(app, shows.ROLE_FORM, self.define)
        self._counter.menu(app, shows.OPEN, self._naming.suggest_roles)
        self._counter.menu(app, shows.ROLE_FIELD, self._naming.suggest_roles)

    async def typed(self, visit: Visit) -> Screen:
        """The command, alone or with words."""
        if not visit.text.strip():
            return await self.overview(visit)
        if visit.text.strip().lower() == "help":
            return said(shows.HELP).whisper()
        match parse(visit.text):
            case GrantWords(role, word, reason, until):
                person = await self._naming.person_typed(word)
                change: Change = GrantRole(person, role, reason, end_of_day(until))
                return (await self._carry_out(change, visit)).whisper()
            case RevokeWords(role, word):
                change = RevokeRole(await self._naming.person_typed(word), role)
                return (await self._carry_out(change, visit)).whisper()
            case WhoWords(role):
                return shows.who_holds(role, await self._administration.holders(role))
            case MayReadWords(word):
                person = await self._naming.person_typed(word)
                viewer = await self._naming.viewer(visit.actor)
                readable = await self._administration.readable_by(person, viewer)
                return said(readable_in_words(readable)).whisper()

    async def overview(self, visit: Visit) -> Screen:
        roles = await self._administration.roles()
        return shows.overview(roles, typed_id(visit.value) or 0, await self._naming.role_options())

    async def one_role(self, visit: Visit) -> Screen:
        """`visit.value` is a role, and from which of its holders on."""
        name, _, start = visit.value.partition(" ")
        role = await self._naming.role(name)
        holders = await self._administration.holders(name)
        async with self._database.writing_in(self._workspace_id) as connection:
            by_hand = {grant.person_id for grant in await list_grants(connection) if grant.role == name}
        return shows.one_role(role, holders, by_hand, await self.sources_of(name), typed_id(start) or 0)

    async def sources_of(self, role: str) -> list[RoleSource]:
        async with self._database.writing_in(self._workspace_id) as connection:
            return [source for source in await list_sources(connection) if role in dict(source.roles)]

    async def may_read(self, visit: Visit) -> Screen:
        return shows.may_read()

    async def may_read_of(self, visit: Visit) -> Screen:
        person = await self._naming.person(visit.value)
        viewer = await self._naming.viewer(visit.actor)
        return shows.may_read(await self._administration.readable_by(person, viewer))

    async def give_form(self, visit: Visit) -> Screen:
        return shows.give_form(await self._naming.role_options(), visit.value)

    async def give(self, visit: Visit) -> Screen:
        filled = visit.entered
        person = filled.required("person", filled.person("person"), "Choose somebody.")
        role = filled.required("role", filled.option("role"), "Choose a role.")
        change = GrantRole(
            await self._naming.person(person), role, filled.text("reason"), end_of_day(filled.day("until"))
        )
        return await self._carry_out(change, visit, (shows.OPEN, role))

    async def take(self, visit: Visit) -> Screen:
        user_id, _, role = visit.value.partition(" ")
        change = RevokeRole(await self._naming.person(user_id), role)
        return await self._carry_out(change, visit, (shows.OPEN, role))

    async def new_form(self, visit: Visit) -> Screen:
        return shows.role_form(await self._naming.role_options())

    async def edit_form(self, visit: Visit) -> Screen:
        role = await self._naming.role(visit.value)
        return shows.role_form(await self._naming.role_options(), role.name, role.description, role.inherits)

    async def define(self, visit: Visit) -> Screen:
        """A new role, which must not be there, or the one that the form was opened for, which must."""
        filled, existing = visit.entered, visit.carried.get("role")
        name = str(existing) if existing else filled.text("name").lower()
        async with self._database.writing_in(self._workspace_id) as connection:
            if existing:
                await require_roles(connection, [name])
            elif name in await list_roles(connection):
                raise NotFilledIn("name", f"There is a role called {name} already.")
        change = DefineRole(name, filled.text("description"), filled.options("brings"))
        return await self._carry_out(change, visit, (shows.OPEN, name))

    async def delete(self, visit: Visit) -> Screen:
        return await self._carry_out(DeleteRole(visit.value), visit, (shows.HOME, "0"))

    async def _carry_out(self, change: Change, visit: Visit, back: Back | None = None) -> Screen:
        done = await self._administration.carry_out(change, visit.actor)
        return undoable(done_in_words(change, done), done.change_id, back=back)
