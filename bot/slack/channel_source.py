"""A channel as a source: each thread a document, and what was said outside of threads a document for each day.

Read again on a schedule: what was edited or deleted there makes a new version here, as for any source. Of an answer
in a thread that was edited Slack tells nothing: threads in which nothing else happened are read again once a day.
"""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
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

PAGE, DAY_S = 200, 86_400


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
                        name = f"slack-thread:{channel_id}:{message['ts']}"
                        yield Found(name, name, partial(self._thread, channel_id, message))
                    elif self._threads.is_theirs(message):
                        days.setdefault(_day(message), []).append(message)
        except SlackApiError as error:
            raise SourceUnreadable(
                f"Slack does not give me that channel ({reason(error)}). Invite me to it, or remove the source."
            ) from error
        for day, messages in days.items():
            name = f"slack-day:{channel_id}:{day}"
            yield Found(name, name, partial(self._of_day, channel_id, day, messages[::-1]))

    async def _thread(self, channel_id: str, root: Mapping[str, Any], known: Mark) -> Loaded | None:
        """None where nobody answered, and it was read today: of an answer that was edited, Slack tells nothing."""
        mark = _mark(root, time.time())
        if known == mark:
            return None
        try:
            thread = await self._threads.read(channel_id, str(root["ts"]))
            return replace(_loaded(thread), mark=mark)
        except NothingSaid as error:
            raise ItemGone(str(error)) from error

    async def _of_day(
        self, channel_id: str, day: str, messages: list[dict[str, Any]], _known: Mark
    ) -> Loaded | None:
        return _loaded(await self._threads.of_day(channel_id, day, messages))


def _mark(root: Mapping[str, Any], now: float) -> Mark:
    """Changes with what Slack says of a thread as a whole, and once a day, for each thread at a time of its own."""
    day = int((now + float(root["ts"]) * 1000 % DAY_S) // DAY_S)
    edited = (root.get("edited") or {}).get("ts", "")
    return Mark(f"{root.get('reply_count')} {root.get('latest_reply')} {edited} {day}", None)


def _loaded(thread: Thread) -> Loaded:
    return Loaded(thread.text, thread.name, title=thread.title, dated=thread.day)


def _day(message: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(float(message['ts']), UTC):%Y-%m-%d}"
