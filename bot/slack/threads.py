"""Threads of a channel as documents: what people said, by whom and when. What the bot said is left out.

Its answers were made from documents with readers of their own, who may be others than those in the channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.directory import find_people
from auth.errors import OstiaryError
from bot.slack.messages import is_written_by_a_person, plain_text
from bot.slack.paging import pages
from bot.slack.refusals import reason

PAGE, TITLE_LENGTH = 200, 60


class NotThere(OstiaryError):
    """Something in Slack cannot be read; the message says why, and what to do."""


class NothingSaid(NotThere):
    """Nobody's words stand in a thread (any more)."""


@dataclass(frozen=True)
class Thread:
    """A thread as a document. `text` is Markdown; `day` that of its first message (UTC)."""

    name: str
    title: str
    text: bytes
    day: date


class ThreadReader:
    """Reads threads in channels that the bot is in."""

    def __init__(
        self, client: AsyncWebClient, database: Database, workspace_id: int, bot_user_id: str
    ) -> None:
        self._client = client
        self._database = database
        self._workspace_id = workspace_id
        self._bot_user_id = bot_user_id

    async def read(self, channel_id: str, ts: str) -> Thread:
        """Raises NotThere."""
        try:
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
            listed = pages(self._client.conversations_replies, channel=channel_id, ts=ts, limit=PAGE)
            said = [message async for page in listed for message in page["messages"]]
        except SlackApiError as error:
            raise NotThere(
                f"Slack does not give me that thread ({reason(error)}). Invite me to its channel."
            ) from error
        theirs = [message for message in said if self.is_theirs(message)]
        if not theirs:
            raise NothingSaid("Nobody said anything in that thread that could be read.")
        first = plain_text(theirs[0].get("text") or "")
        about = first if len(first) <= TITLE_LENGTH else first[:TITLE_LENGTH].rsplit(" ", 1)[0] + " ..."
        return await self._written(f"#{channel.get('name') or channel_id}: {about or 'a thread'}", theirs)

    async def of_day(self, channel_id: str, day: str, messages: Sequence[Mapping[str, Any]]) -> Thread:
        """What people said in a channel on one day, outside of threads; oldest first. Raises NotThere."""
        try:
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            raise NotThere(f"Slack does not give me that channel ({reason(error)}).") from error
        return await self._written(f"#{channel.get('name') or channel_id}, {day}", messages)

    async def _written(self, title: str, messages: Sequence[Mapping[str, Any]]) -> Thread:
        names = await self._names({str(message["user"]) for message in messages})
        parts = [f"# {title}", *(_told(message, names) for message in messages)]
        return Thread(f"{title}.md", title, "\n\n".join(parts).encode(), _moment(messages[0]).date())

    def is_theirs(self, message: Mapping[str, Any]) -> bool:
        """Whether somebody said it, and not the bot."""
        return is_written_by_a_person(message) and message["user"] != self._bot_user_id

    async def _names(self, slack_user_ids: set[str]) -> dict[str, str]:
        async with self._database.writing_in(self._workspace_id) as connection:
            people = await find_people(connection, slack_user_ids)
        return {user_id: person.name for user_id, person in people.items()}


def _told(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    who = names.get(str(message["user"]), "Somebody")
    lines = [plain_text(line) for line in str(message.get("text") or "").splitlines()]
    files = [f"(a file: {file.get('name') or file.get('id')})" for file in message.get("files") or ()]
    said = "\n".join([*lines, *files])
    return f"**{who}**, {_moment(message):%-d %B %Y, %H:%M} UTC:\n\n{said}"


def _moment(message: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(float(message["ts"]), UTC)
