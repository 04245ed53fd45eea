"""Whose eyes are for what was said in a channel: a role for those who are in it now, kept as they come and go."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.errors import OstiaryError
from auth.granting import list_roles
from auth.labels import NOBODY, Clause, Policy, parse_policy
from auth.sources import SourceKind, list_sources
from bot.administering.administration import Administration
from bot.administering.changes import DefineRole, MapSource
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.membership import read_channel
from bot.slack.places import DIRECT, channel_members, type_by_id
from bot.slack.refusals import reason

NOT_IN_IT = "I am not in that channel. Invite me first, so that I know who may read it."
_ROLE = re.compile(r"\bin-[a-z][0-9][a-z0-9]*")


class NotInThere(OstiaryError):
    """The bot may not take in what is said somewhere; the message says why, and what would help."""


@dataclass(frozen=True)
class Room:
    """Where something was said. `limited`: nobody but its members may read what was."""

    channel_id: str
    name: str
    limited: bool


class ChannelReaders:
    """Finds out what kind of place a channel is, and makes the role of its members."""

    def __init__(
        self, client: AsyncWebClient, database: Database, workspace_id: int, bot_user_id: str
    ) -> None:
        self._client = client
        self._database = database
        self._workspace_id = workspace_id
        self._administration = Administration(database, workspace_id)
        self._bot_user_id = bot_user_id

    async def room(self, channel_id: str) -> Room:
        """Raises NotInThere for a place that the bot is not in, and for a group's direct messages."""
        try:
            if type_by_id(channel_id) == DIRECT:
                await self._client.conversations_history(channel=channel_id, limit=1)  # only of the bot's own
                return Room(channel_id, "direct message", limited=False)
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            if reason(error) not in {"channel_not_found", "not_in_channel"}:
                raise
            channel = {}
        if channel.get("is_mpim"):
            raise NotInThere("What is said in a group's direct message stays there. Send me the text itself.")
        if not channel.get("is_member"):
            raise NotInThere(NOT_IN_IT)
        return Room(channel_id, channel["name"], limited=bool(channel.get("is_private")))

    async def room_of(self, channel_id: str, slack_user_id: str) -> Room:
        """The same for somebody who named it: a private one that they are not in looks like one without the bot."""
        room = await self.room(channel_id)
        if room.limited or type_by_id(channel_id) == DIRECT:
            members = await channel_members(self._client, channel_id)
            if slack_user_id not in members:
                raise NotInThere(NOT_IN_IT)
        return room

    async def readers_of(self, request: IngestionRequest) -> Policy:
        """Those who were chosen; of a thread, and of a private channel, only who is in there."""
        chosen = parse_policy(request.readers) if request.readers else None
        if request.kind in {"message", "thread", "channel"}:
            room = await self.room(request.locator.partition(":")[0])
            if request.kind != "message" or room.limited:
                return limited_to(chosen, await self.limit(room.channel_id, request.requested_by))
        return chosen or NOBODY

    async def limit(self, channel_id: str, actor: str) -> Clause:
        """Those who are in a channel, as a role that follows who comes and goes. Raises CannotGrant, NotAllowed."""
        began = datetime.now(UTC)
        members = await read_channel(self._client, channel_id, self._bot_user_id)
        role = role_of(channel_id)
        async with self._database.writing_in(self._workspace_id) as connection:
            is_there = role in await list_roles(connection)
            sources = await list_sources(connection)
        if not is_there:
            # What a private channel is called is not for everybody who sees the roles.
            where = f"the channel #{members.name}" if members.is_public else "a private channel"
            await self._administration.carry_out(DefineRole(role, f"Is in {where}"), actor)
        if not any(
            (source.kind, source.reference) == (SourceKind.CHANNEL, channel_id) and role in dict(source.roles)
            for source in sources
        ):
            mapped = MapSource(
                SourceKind.CHANNEL,
                channel_id,
                members.name,
                role,
                guests_too=True,
                members=members.user_ids,
                read_at=began,
                anybody_may_join=members.is_public,
            )
            await self._administration.carry_out(mapped, actor)
        return Clause(frozenset({role}))


def role_of(channel_id: str) -> str:
    """The role of those who are in a channel. By its id: names change, and are given to other channels."""
    return f"in-{channel_id.lower()}"


def readers_of_a_channel(words: str) -> str:
    """Readers in words, without the role of those who are in the channel: it goes by the channel's id."""
    return _ROLE.sub("who is in it", words)


def limited_to(chosen: Policy | None, limit: Clause) -> Policy:
    """Those whom somebody chose, as far as they are among these; all of these where nobody was chosen."""
    clauses = chosen.clauses if chosen else [Clause(frozenset())]
    return Policy(frozenset(Clause(clause.all_of | limit.all_of, clause.none_of) for clause in clauses))
