"""Who is in a user group or a channel that grants a role, as Slack says it now.

Where Slack does not say it, SlackApiError is raised.
"""

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.slack.places import channel_members, is_shared
from bot.slack.refusals import reason


class CannotGrant(OstiaryError):
    """Nobody can hold a role by being in there; the message says why, and what would help."""


@dataclass(frozen=True)
class ChannelMembers:
    """The people in a channel, the bot itself left out. Whoever likes may come into a public one.

    `name` is empty for a private one: what it is called is for those who are in it, and roles are seen by others.
    """

    name: str
    user_ids: tuple[str, ...]
    is_public: bool


async def read_group(client: AsyncWebClient, group_id: str) -> tuple[str, ...]:
    """The Slack user ids of a user group's members. Raises CannotGrant for one that is disabled or gone."""
    try:
        return tuple((await client.usergroups_users_list(usergroup=group_id))["users"])
    except SlackApiError as error:
        if reason(error) in {"no_such_subteam", "subteam_not_found"}:
            raise CannotGrant("There is no such user group any more.") from error
        raise


async def read_channel(client: AsyncWebClient, channel_id: str, bot_user_id: str) -> ChannelMembers:
    """Who is in a channel. Raises CannotGrant where the bot would not hear who leaves, or outsiders may come in."""
    try:
        channel = (await client.conversations_info(channel=channel_id))["channel"]
        members = await channel_members(client, channel_id)
    except SlackApiError as error:
        if reason(error) in {"channel_not_found", "not_in_channel"}:
            raise CannotGrant(_NOT_SEEN) from error
        raise
    if is_shared(channel) or channel.get("is_archived"):
        raise CannotGrant(_NOT_OURS)
    if bot_user_id not in members:
        raise CannotGrant(_NOT_SEEN)
    people = tuple(user_id for user_id in members if user_id != bot_user_id)
    is_public = not channel.get("is_private")
    return ChannelMembers(channel["name"] if is_public else "", people, is_public)


_NOT_SEEN = (
    "I am not in that channel. Invite me first: I must hear who leaves it, so that they lose the role."
)
_NOT_OURS = "That channel is archived, or people of another company may be in it: it cannot grant a role."
