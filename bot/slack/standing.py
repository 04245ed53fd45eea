"""Who stands where: people, user groups, channels. Kept as Slack changes, and read anew now and then.

What takes something away is done at once, as the event says it. What gives something is read from Slack first:
an event that was delayed, or came twice, must not bring back what was lost since.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.granting import brings_admin
from auth.roles import ADMIN
from auth.sources import (
    RoleSource,
    SourceKind,
    leave_source,
    list_sources,
    mark_lapsed,
    name_source,
    shut_source,
    source_was_read,
)
from bot import metrics
from bot.slack.audiences import Audiences
from bot.slack.membership import CannotGrant, ChannelMembers, read_channel, read_group
from bot.slack.people import Roster
from bot.slack.refusals import reason
from bot.slack.team import Team

log = structlog.get_logger(__name__)

RESYNC_S = 600.0
ACTOR = "slack"


class StandingReader:
    """Reads people and the sources of roles from Slack into the directory. One per workspace."""

    def __init__(self, client: AsyncWebClient, database: Database, team: Team, roster: Roster) -> None:
        self._client = client
        self._database = database
        self._workspace_id = team.workspace_id
        self._bot_user_id = team.bot_user_id
        self._roster = roster
        self._look_now = asyncio.Event()

    def look_again(self) -> None:
        """Read everything anew soon, without waiting for the time to come."""
        self._look_now.set()

    async def read_all(self) -> None:
        """Everything anew: repairs whatever no event told of. What cannot be read stays, and grows too old."""
        began = datetime.now(UTC)
        await self._roster.read_all()
        for source in await self._sources():
            await self.read(source, began if source.kind is SourceKind.FLAG else None)
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            for lapsed_source in await mark_lapsed(connection):
                log.warning("a source of roles is too old and grants nothing", source=lapsed_source)
            lapsed = [s for s in await list_sources(connection) if not s.is_fresh(datetime.now(UTC))]
        metrics.LAPSED_SOURCES.set(len(lapsed))

    async def read(self, source: RoleSource, flags_read_at: datetime | None = None) -> None:
        """Who is in a source now. The flags of people are read with the people themselves."""
        began = datetime.now(UTC)
        if source.kind is SourceKind.FLAG:
            if flags_read_at is not None:
                await self._was_read(source, (), flags_read_at)
            return
        try:
            await self._was_read(source, await self._members_of(source), began)
        except CannotGrant as error:
            log.warning("a source of roles grants nothing", source=source.in_words, why=str(error))
            async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
                await shut_source(connection, source.kind, source.reference, began)
        except SlackApiError as error:
            log.warning("a source of roles cannot be read", source=source.in_words, error=reason(error))

    async def _was_read(self, source: RoleSource, members: Collection[str], read_at: datetime) -> None:
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            await source_was_read(connection, source.id, members, read_at)

    async def _members_of(self, source: RoleSource) -> Collection[str]:
        """Raises CannotGrant, or SlackApiError where Slack does not say."""
        if source.kind is SourceKind.USER_GROUP:
            return await self.members_of_group(source.reference)
        channel = await self.members_of_channel(source.reference)
        if channel.name != source.name:
            async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
                await name_source(connection, source.id, channel.name)
        if channel.is_public:
            async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
                if await brings_admin(connection, [role for role, _ in source.roles]):
                    raise CannotGrant(f"Whoever likes can join it, and would hold {ADMIN}.")
        return channel.user_ids

    async def read_again(self, kind: SourceKind, reference: str) -> None:
        """Something was added there: ask Slack who is in it now, if it is a source at all."""
        for source in await self._sources():
            if (source.kind, source.reference) == (kind, reference):
                await self.read(source)

    async def left(self, kind: SourceKind, reference: str, user_ids: Collection[str]) -> None:
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            await leave_source(connection, kind, reference, user_ids, datetime.now(UTC))

    async def shut(self, kind: SourceKind, reference: str) -> None:
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            await shut_source(connection, kind, reference, datetime.now(UTC))

    async def _sources(self) -> list[RoleSource]:
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            return await list_sources(connection)

    async def members_of_group(self, group_id: str) -> tuple[str, ...]:
        """Who is in a user group now. Raises CannotGrant, or SlackApiError."""
        return await read_group(self._client, group_id)

    async def members_of_channel(self, channel_id: str) -> ChannelMembers:
        """Who is in a channel now. Raises CannotGrant, or SlackApiError."""
        return await read_channel(self._client, channel_id, self._bot_user_id)

    async def keep_reading(self, every_s: float) -> None:
        """Read everything anew, again and again; one process of all that serve this workspace."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), every_s)
            self._look_now.clear()
            try:
                async with self._database.sole("standing", self._workspace_id) as alone:
                    if alone:
                        await self.read_all()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the workspace could not be read anew; trying again")


class StandingDesk:
    """Listeners for what changes somebody's standing."""

    def __init__(
        self, standing: StandingReader, roster: Roster, audiences: Audiences, bot_user_id: str
    ) -> None:
        self._standing = standing
        self._roster = roster
        self._audiences = audiences
        self._bot_user_id = bot_user_id

    def register(self, app: AsyncApp) -> None:
        for name, listener in (
            ("team_join", self.on_person),
            ("user_change", self.on_person),
            ("subteam_created", self.on_group),
            ("subteam_updated", self.on_group),
            ("subteam_members_changed", self.on_group_members),
            ("member_joined_channel", self.on_joined),
            ("member_left_channel", self.on_left),
            ("channel_shared", self.on_shared),
            ("channel_unshared", self.on_channel),
            ("channel_archive", self.on_gone),
            ("channel_deleted", self.on_gone),
            ("group_archive", self.on_gone),
            ("group_deleted", self.on_gone),
        ):
            app.event(name)(_timed(listener))

    async def on_person(self, event: Mapping[str, Any]) -> None:
        """The event's own account may be old: somebody who is a member there may be deactivated by now."""
        if not await self._roster.note_now(event["user"]):
            self._standing.look_again()

    async def on_group(self, event: Mapping[str, Any]) -> None:
        group = event["subteam"]
        if group.get("date_delete"):
            await self._standing.shut(SourceKind.USER_GROUP, group["id"])
        else:
            await self._standing.read_again(SourceKind.USER_GROUP, group["id"])

    async def on_group_members(self, event: Mapping[str, Any]) -> None:
        group_id = event["subteam_id"]
        await self._standing.left(SourceKind.USER_GROUP, group_id, event.get("removed_users") or ())
        await self._standing.read_again(SourceKind.USER_GROUP, group_id)

    async def on_joined(self, event: Mapping[str, Any]) -> None:
        self._audiences.forget(event["channel"])
        await self._standing.read_again(SourceKind.CHANNEL, event["channel"])

    async def on_left(self, event: Mapping[str, Any]) -> None:
        self._audiences.forget(event["channel"])
        if event["user"] == self._bot_user_id:
            # The bot was removed: from now on it hears of nobody who leaves.
            await self._standing.shut(SourceKind.CHANNEL, event["channel"])
            return
        await self._standing.left(SourceKind.CHANNEL, event["channel"], [event["user"]])
        await self._standing.read_again(SourceKind.CHANNEL, event["channel"])

    async def on_shared(self, event: Mapping[str, Any]) -> None:
        self._audiences.forget(event["channel"])
        await self._standing.shut(SourceKind.CHANNEL, event["channel"])

    async def on_channel(self, event: Mapping[str, Any]) -> None:
        self._audiences.forget(event["channel"])
        await self._standing.read_again(SourceKind.CHANNEL, event["channel"])

    async def on_gone(self, event: Mapping[str, Any]) -> None:
        self._audiences.forget(event["channel"])
        await self._standing.shut(SourceKind.CHANNEL, event["channel"])


Listener = Callable[[Mapping[str, Any]], Awaitable[None]]


def _timed(listener: Listener) -> Callable[..., Awaitable[None]]:
    """Measures how long ago Slack says that a thing happened, once it counts here."""

    async def run(event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        await listener(event)
        happened = float(event.get("event_ts") or body.get("event_time") or time.time())
        metrics.LEARNED.observe(max(0.0, time.time() - happened))

    return run
