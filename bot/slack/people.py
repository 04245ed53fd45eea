"""Who Slack says is there, brought into the directory: the roster of a workspace, kept as Slack changes."""

from collections.abc import Collection, Mapping
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.directory import PersonFacts, find_people, upsert_people
from auth.people import PersonKind
from bot.slack.paging import pages

PAGE = 200


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
    if user.get("is_stranger") or user.get("team_id", team_id) != team_id:
        return PersonKind.OUTSIDER
    if user.get("is_ultra_restricted"):
        return PersonKind.SINGLE_CHANNEL_GUEST
    if user.get("is_restricted"):
        return PersonKind.GUEST
    return PersonKind.MEMBER


class Roster:
    """The people of one workspace, read from Slack into the directory."""

    def __init__(self, client: AsyncWebClient, database: Database, workspace_id: int, team_id: str) -> None:
        self._client = client
        self._database = database
        self._workspace_id = workspace_id
        self._team_id = team_id

    async def read_all(self) -> int:
        """Read every user of the workspace; returns how many there are."""
        read = 0
        async for page in pages(self._client.users_list, limit=PAGE):
            await self.note(page["members"])
            read += len(page["members"])
        return read

    async def note(self, users: Collection[Mapping[str, Any]]) -> None:
        """Take over what Slack says of these users now."""
        async with self._database.writing_in(self._workspace_id) as connection:
            await upsert_people(connection, [facts_of(user, self._team_id) for user in users])

    async def know(self, slack_user_ids: Collection[str]) -> None:
        """Ask Slack about those who are not in the directory yet. Whoever cannot be found stays unknown."""
        async with self._database.writing_in(self._workspace_id) as connection:
            known = await find_people(connection, slack_user_ids)
        for user_id in set(slack_user_ids) - set(known):
            try:
                response = await self._client.users_info(user=user_id)
            except SlackApiError:
                continue
            await self.note([response["user"]])
