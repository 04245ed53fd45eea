"""A message that grows while people watch: and whatever Slack does to it, it is whole at the end."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.refusals import reason, retry_after_s
from bot.slack.views import ANSWER_EVENT, Block

log = structlog.get_logger(__name__)

STREAMS_A_MINUTE = 20
MINUTE_S = 60.0
UNCERTAIN = (ClientError, OSError, TimeoutError)
"""The line broke: Slack may have done what it was asked, or not."""
_STOPPED = "stopped_by_user"
_NOT_THERE = {"message_not_found", "cant_update_message", "cant_delete_message"}


class StreamStopped(Exception):
    """Somebody pressed the stop button: no more words are wanted."""


class StreamGone(Exception):
    """The message is not there any more."""


class StreamBudget:
    """Slack begins and ends about twenty streams a minute for a workspace: above that an answer is one message."""

    def __init__(self, a_minute: int = STREAMS_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._taken: deque[float] = deque()
        self._shut_until = 0.0

    def take(self) -> bool:
        """Whether one more may be begun now; then it counts as begun."""
        now = self._clock()
        while self._taken and now - self._taken[0] >= MINUTE_S:
            self._taken.popleft()
        if now < self._shut_until or len(self._taken) >= self._a_minute:
            return False
        self._taken.append(now)
        return True

    def refused(self, wait_s: float) -> None:
        """Slack has no time for streams: none is begun before it has."""
        self._shut_until = max(self._shut_until, self._clock() + wait_s)


class Stream:
    """A message of the bot's that has been begun. Its calls are never made twice without looking again.

    Where Slack has ended it (after about five minutes), or it is not known whether it took a piece, nothing is
    added any more, and `finish` puts the whole in its place. SlackApiError `ratelimited` goes to the caller: rights
    are looked at again before another try.
    """

    def __init__(self, client: AsyncWebClient, channel_id: str, ts: str, *, lame: bool = False) -> None:
        self._client = client
        self._channel_id = channel_id
        self.ts = ts
        self._lame = lame

    @property
    def takes_more(self) -> bool:
        return not self._lame

    async def append(self, blocks: Sequence[Block]) -> None:
        """Add blocks at the end. Raises StreamStopped."""
        try:
            await self._client.chat_appendStream(
                channel=self._channel_id, ts=self.ts, chunks=in_chunks(blocks)
            )
        except SlackApiError as error:
            if reason(error) == _STOPPED:
                raise StreamStopped from error
            if retry_after_s(error) is not None:
                raise
            self._go_lame(error)
        except UNCERTAIN as error:
            self._go_lame(error)

    async def finish(
        self, closing: Sequence[Block], text: str, whole: Sequence[Block], question_id: int
    ) -> None:
        """End it with `closing`; where that is not possible, put `whole` in its place. Raises StreamGone."""
        if not self._lame:
            try:
                await self._client.chat_stopStream(
                    channel=self._channel_id, ts=self.ts, blocks=list(closing), metadata=marked(question_id)
                )
                return
            except SlackApiError as error:
                if retry_after_s(error) is not None:
                    raise
                self._go_lame(error)
            except UNCERTAIN as error:
                self._go_lame(error)
        await self._replace(text, whole, question_id)

    async def take_back(self) -> None:
        """Leave nothing of it. Raises SlackApiError."""
        await self._end()
        try:
            await self._client.chat_delete(channel=self._channel_id, ts=self.ts)
        except SlackApiError as error:
            if reason(error) not in _NOT_THERE:
                raise

    async def _replace(self, text: str, whole: Sequence[Block], question_id: int) -> None:
        """However often: the same stands there. A message cannot be changed while it streams."""
        await self._end()
        try:
            await self._client.chat_update(
                channel=self._channel_id,
                ts=self.ts,
                text=text,
                blocks=list(whole),
                metadata=marked(question_id),
            )
        except SlackApiError as error:
            if reason(error) in _NOT_THERE:
                raise StreamGone from error
            raise

    async def _end(self) -> None:
        try:
            await self._client.chat_stopStream(channel=self._channel_id, ts=self.ts)
        except SlackApiError as error:
            if retry_after_s(error) is not None:
                raise

    def _go_lame(self, error: Exception) -> None:
        log.warning("a stream ended early", error=str(error), channel=self._channel_id)
        self._lame = True


def marked(question_id: int) -> dict[str, Any]:
    """By this a message is found again as the answer to a question. It says nothing else: anybody can read it."""
    return {"event_type": ANSWER_EVENT, "event_payload": {"question": question_id}}


def in_chunks(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [{"type": "blocks", "blocks": list(blocks)}]
