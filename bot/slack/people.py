"""Who Slack says is there, brought into the directory: the roster of a workspace, kept as Slack changes."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.directory import PersonFacts, deactivate_all_but, find_people, upsert_people
from auth.people import PersonKind
from bot.slack.paging import pages
from bot.slack.refusals import reason
from bot.slack.team import Team

log = structlog.get_logger(__name__)

PAGE = 1000
ACTOR = "slack"


def facts_of(user: Mapping[str, Any], team_id: str) -> PersonFacts:
    """A Slack user object as the directory knows people. Whoever is of another team is an outsider."""
    profile = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or user["id"]
    return PersonFacts(
        slack_user_id=user["id"],
        handle=user.get("name") or user["id"],
        name=name,
        kind=_kind(user, team_id),
        active=not user.get("deleted", False),
        is_workspace_admin=bool(user.get("is_admin")),
        is_workspace_owner=bool(user.get("is_owner")),
    )


def _kind(user: Mapping[str, Any], team_id: str) -> PersonKind:
    if user.get("is_bot") or user["id"] == "USLACKBOT":
        return PersonKind.BOT
    if user.get("is_stranger") or user.get("team_id") != team_id:
        return PersonKind.OUTSIDER
    if user.get("is_ultra_restricted"):
        return PersonKind.SINGLE_CHANNEL_GUEST
    if user.get("is_restricted"):
        return PersonKind.GUEST
    return PersonKind.MEMBER


class Roster:
    """The people of one workspace, read from Slack into the directory."""

    def __init__(self, client: AsyncWebClient, database: Database, team: Team) -> None:
        self._client = client
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id

    async def read_all(self) -> int:
        """Read every user of the workspace; whoever is not among them is no longer of it. Returns how many."""
        began = datetime.now(UTC)
        users = [
            user async for page in pages(self._client.users_list, limit=PAGE) for user in page["members"]
        ]
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            await upsert_people(connection, [facts_of(user, self._team_id) for user in users], began)
            await deactivate_all_but(connection, [user["id"] for user in users], began)
        return len(users)

    async def note_now(self, told: Mapping[str, Any]) -> bool:
        """Something changed about a user: what an event takes away, and what Slack says now.

        The event may have been on its way for minutes: of what it gives, only what Slack still gives may stand.
        False where Slack does not say.
        """
        facts = facts_of(told, self._team_id)
        if not facts.active or facts.kind is not PersonKind.MEMBER:
            await self._note([facts], datetime.now(UTC))
        return await self._ask(facts.slack_user_id)

    async def _note(self, facts: Collection[PersonFacts], seen_at: datetime) -> None:
        async with self._database.writing_in(self._workspace_id, ACTOR) as connection:
            await upsert_people(connection, facts, seen_at)

    async def _ask(self, slack_user_id: str) -> bool:
        """Take over what Slack says of somebody now; False where it does not say."""
        began = datetime.now(UTC)
        try:
            response = await self._client.users_info(user=slack_user_id)
        except SlackApiError as error:
            # Of people of other companies Slack may say nothing: that is how it is, and no reason for concern.
            tell = log.debug if reason(error) == "user_not_found" else log.warning
            tell("cannot ask who somebody is", error=reason(error))
            return False
        await self._note([facts_of(response["user"], self._team_id)], began)
        return True

    async def know(self, slack_user_ids: Collection[str]) -> None:
        """Ask Slack about those who are not in the directory yet. Whoever cannot be found stays unknown."""
        async with self._database.writing_in(self._workspace_id) as connection:
            known = await find_people(connection, slack_user_ids)
        for user_id in set(slack_user_ids) - set(known):
            await self._ask(user_id)
