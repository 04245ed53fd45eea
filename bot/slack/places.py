"""Where something is said, and who can read it there. Read from Slack each time: members come and go."""

from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.rights import Audience
from bot.slack.paging import pages

PAGE = 1000
DIRECT = "im"


@dataclass(frozen=True)
class Place:
    """A conversation, and the thread in it that an answer belongs to (None: the conversation itself)."""

    channel_id: str
    channel_type: str
    thread_ts: str | None

    @property
    def is_direct(self) -> bool:
        return self.channel_type == DIRECT


def type_by_id(channel_id: str) -> str:
    """`app_mention` carries no channel type; direct messages alone need telling apart: their ids begin with D."""
    return DIRECT if channel_id.startswith("D") else "channel"


async def read_audience(
    client: AsyncWebClient, place: Place, asker_slack_id: str, bot_user_id: str
) -> Audience:
    """Everybody who will see what is posted in `place`, the bot itself left out.

    A public channel is open to every full member. Where Slack does not say who is there, or where people of
    another company may come in (a shared channel), the audience is incomplete.
    """
    alone = frozenset({asker_slack_id})
    if place.is_direct:
        return Audience(alone)
    try:
        members = await channel_members(client, place.channel_id)
        channel = (await client.conversations_info(channel=place.channel_id))["channel"]
    except SlackApiError:
        return Audience(alone, complete=False)
    return Audience(
        slack_user_ids=(frozenset(members) | alone) - {bot_user_id},
        every_member=not (channel.get("is_private") or channel.get("is_mpim")),
        complete=not is_shared(channel),
    )


def is_shared(channel: dict[str, Any]) -> bool:
    """Whether people of another company are there, or may come."""
    return bool(
        channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or channel.get("is_org_shared")
    )


async def channel_members(client: AsyncWebClient, channel_id: str) -> list[str]:
    """The Slack user ids of everybody in a channel. Raises SlackApiError."""
    listed = pages(client.conversations_members, channel=channel_id, limit=PAGE)
    return [user_id async for page in listed for user_id in page["members"]]
