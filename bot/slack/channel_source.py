"""A channel as a source: each thread a document, and what was said outside of threads a document for each day.

Read again on a schedule: what was edited or deleted there makes a new version here, as for any source.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.paging import pages
from bot.slack.refusals import reason
from bot.slack.threads import NothingSaid, Thread, ThreadReader
from retrieval.sources.items import Mark, SkippedFile
from retrieval.sources.kept import Item, Source
from retrieval.sources.reading import Found, ItemGone, Loaded, SourceUnreadable

PAGE = 200


class ChannelReader:
    """Reads channels that the bot is in. A day or thread of which nothing is left is gone at once."""

    patience = 1

    def __init__(self, client: AsyncWebClient, threads: ThreadReader) -> None:
        self._client = client
        self._threads = threads

    async def read(self, source: Source, known: Mapping[str, Item]) -> AsyncIterator[Found | SkippedFile]:
        channel_id = source.reference
        days: dict[str, list[dict[str, Any]]] = {}
        try:
            async for page in pages(self._client.conversations_history, channel=channel_id, limit=PAGE):
                for message in page["messages"]:
                    if message.get("reply_count"):
                        ts = str(message["ts"])
                        name = f"slack-thread:{channel_id}:{ts}"
                        yield Found(name, name, partial(self._thread, channel_id, ts))
                    elif self._threads.is_theirs(message):
                        days.setdefault(_day(message), []).append(message)
        except SlackApiError as error:
            raise SourceUnreadable(
                f"Slack does not give me that channel ({reason(error)}). Invite me to it, or remove the source."
            ) from error
        for day, messages in days.items():
            name = f"slack-day:{channel_id}:{day}"
            yield Found(name, name, partial(self._of_day, channel_id, day, messages[::-1]))

    async def _thread(self, channel_id: str, ts: str, _known: Mark) -> Loaded | None:
        try:
            return _loaded(await self._threads.read(channel_id, ts))
        except NothingSaid as error:
            raise ItemGone(str(error)) from error

    async def _of_day(
        self, channel_id: str, day: str, messages: list[dict[str, Any]], _known: Mark
    ) -> Loaded | None:
        return _loaded(await self._threads.of_day(channel_id, day, messages))


def _loaded(thread: Thread) -> Loaded:
    return Loaded(thread.text, thread.name, title=thread.title, dated=thread.day)


def _day(message: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(float(message['ts']), UTC):%Y-%m-%d}"
