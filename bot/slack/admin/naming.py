"""Whom and what an administrator names: people, roles, documents. Each is looked up at the moment of use."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.clearance import Clearance
from auth.database import Database
from auth.directory import UnknownPerson, find_people, person_called
from auth.errors import OstiaryError
from auth.granting import UnknownRole, list_roles
from auth.people import Person
from auth.rights import nothing, rights_of
from auth.roles import EVERYONE, GUEST
from bot.administering.administration import Administration
from bot.administering.kept_sources import SourceEntry
from bot.administering.overviews import CollectionEntry, DocumentEntry, RoleSummary
from bot.administering.wording import policy_in_words
from bot.slack.admin.counter import Visit
from bot.slack.admin.elements import OPTIONS_LIMIT, option
from bot.slack.people import Roster
from bot.slack.refusals import reason
from bot.slack.views import Block
from retrieval.cataloguing import UnknownCollection, titles_of
from retrieval.sources.kept import IN_SLACK, UnknownSource

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_FIRST = {EVERYONE: 0, GUEST: 1}
_ORIGINS = {
    "slack-file": "a file handed in through Slack",
    "slack-text": "text handed in through Slack",
    "slack-message": "a message in Slack",
    "slack-thread": "a thread in Slack",
}


class NoUserGroups(OstiaryError):
    """Slack does not give out user groups; the message says why."""


class Naming:
    """Finds what ids and words in commands, menus and forms stand for."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        workspace_id: int,
        roster: Roster,
        administration: Administration,
    ) -> None:
        self._client = client
        self._database = database
        self._workspace_id = workspace_id
        self._roster = roster
        self._administration = administration

    async def person(self, slack_user_id: str) -> Person:
        """Who was chosen in a menu. Raises UnknownPerson."""
        await self._roster.know([slack_user_id])
        async with self._database.writing_in(self._workspace_id) as connection:
            found = (await find_people(connection, [slack_user_id])).get(slack_user_id)
        if found is None:
            raise UnknownPerson("Slack does not tell me who that is. Choose somebody of this workspace.")
        return found

    async def person_typed(self, word: str) -> Person:
        """`@ada`, or Slack's own way of writing a person. Raises UnknownPerson."""
        mention = _MENTION.fullmatch(word)
        if mention is not None:
            return await self.person(mention[1])
        async with self._database.writing_in(self._workspace_id) as connection:
            return await person_called(connection, word)

    async def handles(self, slack_user_ids: Sequence[str]) -> dict[str, str]:
        """Slack user id -> handle, of those who are known."""
        async with self._database.writing_in(self._workspace_id) as connection:
            people = await find_people(connection, slack_user_ids)
        return {user_id: person.handle for user_id, person in people.items()}

    async def viewer(self, actor: str) -> Clearance:
        """What the administrator may read: administering opens no document."""
        rights = await rights_of(self._database, self._workspace_id, actor)
        return rights.clearance if rights else nothing(self._workspace_id)

    async def document(self, actor: str, document_id: int) -> DocumentEntry:
        """One document, with its title only if `actor` may read it. Raises UnknownDocument."""
        return await self._administration.document(await self.viewer(actor), document_id)

    async def titles(self, actor: str, document_ids: Collection[int]) -> dict[int, str]:
        """The titles of those documents that `actor` may read."""
        async with self._database.reading_as(await self.viewer(actor)) as reader:
            return await titles_of(reader, document_ids)

    async def role(self, name: str) -> RoleSummary:
        """Raises UnknownRole."""
        for role in await self._administration.roles():
            if role.name == name:
                return role
        raise UnknownRole("There is no such role any more.")

    async def source(self, actor: str, source_id: int) -> SourceEntry:
        """A source of documents, with its name only if `actor` may know it. Raises UnknownSource."""
        try:
            entry = await self._administration.source(await self.viewer(actor), source_id)
        except UnknownSource as error:
            raise UnknownSource("There is no such source any more.") from error
        return await self.with_channel(entry)

    async def with_channel(self, entry: SourceEntry) -> SourceEntry:
        """A source under the name of its channel. What a private one is called is kept nowhere: Slack is asked."""
        if entry.kind not in IN_SLACK or entry.name is None or entry.name.startswith("#"):
            return entry
        try:
            channel = (await self._client.conversations_info(channel=entry.name))["channel"]
        except SlackApiError:
            return replace(entry, name="A channel that I am not in any more")
        return replace(entry, name=f"#{channel['name']}")

    async def collection(self, collection_id: str) -> CollectionEntry:
        """Raises UnknownCollection."""
        for collection in await self._administration.collections():
            if str(collection.id) == collection_id:
                return collection
        raise UnknownCollection("There is no such collection any more.")

    async def role_options(self) -> list[Block]:
        """Every role, those that everybody knows first."""
        async with self._database.writing_in(self._workspace_id) as connection:
            roles = await list_roles(connection)
        names = sorted(roles, key=lambda name: (_FIRST.get(name, len(_FIRST)), name))
        return [option(name, name, roles[name]) for name in names]

    async def groups(self) -> dict[str, str]:
        """Id -> handle of every user group in use. Raises NoUserGroups."""
        try:
            said = await self._client.usergroups_list()
        except SlackApiError as error:
            raise NoUserGroups(_why_no_groups(reason(error))) from error
        return {group["id"]: group["handle"] for group in said["usergroups"]}

    async def group_options(self) -> list[Block]:
        groups = sorted((await self.groups()).items(), key=lambda group: group[1])
        return [option(f"@{handle}", group_id) for group_id, handle in groups]

    async def collection_options(self) -> list[Block]:
        return [
            option(entry.name, str(entry.id), policy_in_words(entry.policy))
            for entry in await self._administration.collections()
        ]

    async def suggest_roles(self, visit: Visit) -> list[Block]:
        return _matching(await self.role_options(), visit.text)

    async def suggest_groups(self, visit: Visit) -> list[Block]:
        return _matching(await self.group_options(), visit.text)

    async def suggest_collections(self, visit: Visit) -> list[Block]:
        return _matching(await self.collection_options(), visit.text)

    async def suggest_documents(self, visit: Visit) -> list[Block]:
        viewer = await self.viewer(visit.actor)
        found = await self._administration.documents(viewer, visit.text, OPTIONS_LIMIT)
        return [option(called(entry), str(entry.id), policy_in_words(entry.policy)) for entry in found]


def called(entry: DocumentEntry) -> str:
    """What to call a document towards somebody who may not be allowed to read it."""
    return entry.title or f"Document {entry.id}"


def origin_in_words(uri: str | None) -> str:
    """Where a document came from. What Slack calls a file or a channel by itself says nothing to anybody."""
    kind, _, rest = (uri or "").partition(":")
    if kind == "slack-day":
        return f"said in a channel on {rest.rpartition(':')[2]}"
    return _ORIGINS.get(kind, uri or "")


def chosen_of(options: Sequence[Block], values: Sequence[str]) -> list[Block]:
    """Those of the options that have these values."""
    return [made for made in options if made["value"] in values]


def _matching(options: Sequence[Block], words: str) -> list[Block]:
    wanted = words.lower().removeprefix("@")
    return [made for made in options if wanted in made["text"]["text"].lower()]


def _why_no_groups(code: str) -> str:
    if code == "plan_upgrade_required":
        return "This workspace has no user groups: Slack's paid plans have them. Map a channel to the role instead."
    return f"Slack does not tell me the user groups ({code}). Please try again later."
