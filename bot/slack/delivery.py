"""Sending to Slack: to a place for everybody in it, or to one person alone; and finding what was sent before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.paging import pages
from bot.slack.places import DIRECT, Place
from bot.slack.refusals import is_gone, reason, retry_after_s, was_refused
from bot.slack.streaming import UNCERTAIN, Stream, StreamBudget, in_chunks, marked
from bot.slack.views import ANSWER_EVENT, Block, answer_mark

HISTORY_PAGE = 100
_CANNOT_BE_SHOWN_THERE = {"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived"}


class Unreachable(Exception):
    """Whoever was to be told something is not in Slack any more: trying again helps nobody."""


class Outbox:
    """Messages of the bot. Links are never unfurled: that would fetch what a document names.

    `client` reads; the messages themselves go by clients that are less eager to try again. One that says nothing of
    documents may wait until Slack has time. An answer (`at_once`) may not: rights were checked just before it.
    """

    def __init__(self, client: AsyncWebClient, streams: StreamBudget | None = None) -> None:
        self.client = client
        self._patient = _sender_like(client, [AsyncRateLimitErrorRetryHandler(max_retry_count=3)])
        self._at_once = _sender_like(client, [])
        self._streams = streams or StreamBudget()

    async def post(
        self,
        place: Place,
        text: str,
        blocks: Sequence[Block],
        *,
        question_id: int | None = None,
        at_once: bool = False,
    ) -> str:
        """Post for everybody in `place`; returns the message's ts. `question_id` marks it as that answer.

        Raises SlackApiError; `at_once` also where Slack has no time for it now (`ratelimited`).
        """
        response = await self._sender(at_once).chat_postMessage(
            channel=place.channel_id,
            thread_ts=place.thread_ts,
            text=text,
            blocks=list(blocks),
            unfurl_links=False,
            unfurl_media=False,
            metadata=marked(question_id) if question_id is not None else None,
        )
        return str(response["ts"])

    async def tell_alone(
        self,
        place: Place,
        user_id: str,
        text: str,
        blocks: Sequence[Block],
        *,
        question_id: int | None = None,
        at_once: bool = False,
    ) -> str:
        """Tell one person in a place something that nobody else there sees; returns the message's ts.

        A direct message is that already. Elsewhere Slack keeps no copy: what was told cannot be found again.
        Whoever has left the place meanwhile is told in a direct message. Raises Unreachable, or SlackApiError.
        """
        if place.is_direct:
            return await self._post_in_person(place, text, blocks, question_id, at_once)
        try:
            response = await self._sender(at_once).chat_postEphemeral(
                channel=place.channel_id,
                user=user_id,
                text=text,
                blocks=list(blocks),
                thread_ts=place.thread_ts,
            )
        except SlackApiError as error:
            if reason(error) not in _CANNOT_BE_SHOWN_THERE:
                raise
            in_person = Place(user_id, DIRECT, None)
            return await self._post_in_person(in_person, text, blocks, question_id, at_once)
        return str(response["message_ts"])

    async def _post_in_person(
        self, place: Place, text: str, blocks: Sequence[Block], question_id: int | None, at_once: bool
    ) -> str:
        try:
            return await self.post(place, text, blocks, question_id=question_id, at_once=at_once)
        except SlackApiError as error:
            if is_gone(error):
                raise Unreachable from error
            raise

    def _sender(self, at_once: bool) -> AsyncWebClient:
        return self._at_once if at_once else self._patient

    async def tell_in_person(self, user_id: str, text: str, blocks: Sequence[Block]) -> None:
        """A direct message to somebody."""
        await self.post(Place(user_id, DIRECT, None), text, blocks)

    async def begin_in_person(
        self, user_id: str, text: str, blocks: Sequence[Block]
    ) -> tuple[str, str] | None:
        """A direct message that will be changed: its channel and ts; None where Slack did not take it."""
        try:
            response = await self._at_once.chat_postMessage(
                channel=user_id, text=text, blocks=list(blocks), unfurl_links=False, unfurl_media=False
            )
        except (SlackApiError, ClientError, OSError, TimeoutError):
            return None
        return str(response["channel"]), str(response["ts"])

    async def change(self, channel_id: str, ts: str, text: str, blocks: Sequence[Block]) -> bool:
        """Say something else in a message of the bot's. False where Slack did not take it, or has it no more."""
        try:
            await self._at_once.chat_update(channel=channel_id, ts=ts, text=text, blocks=list(blocks))
        except (SlackApiError, ClientError, OSError, TimeoutError):
            return False
        return True

    async def show_status(self, place: Place, status: str) -> None:
        """A passing line such as "is reading ..." in a thread. A courtesy: failing to show it is no failure."""
        if place.thread_ts is None:
            return
        try:
            await self._patient.assistant_threads_setStatus(
                channel_id=place.channel_id, thread_ts=place.thread_ts, status=status
            )
        except (SlackApiError, *UNCERTAIN):
            return

    async def show_session(self, place: Place, asker_slack_id: str, *, at_work: bool) -> None:
        """While it is at work, whoever asked sees a stop button. Only a courtesy, too."""
        if place.thread_ts is None:
            return
        try:
            client = self._at_once
            await client.agents_sessions_setStatus(
                channel_id=place.channel_id,
                thread_ts=place.thread_ts,
                status="processing" if at_work else "active",
                initiator_user_id=asker_slack_id,
            )
        except (SlackApiError, *UNCERTAIN):
            return

    def may_stream(self, place: Place) -> bool:
        """Whether an answer may be streamed there now; then it counts as begun. A stream is always in a thread."""
        return place.thread_ts is not None and self._streams.take()

    async def begin_stream(
        self, place: Place, user_id: str, team_id: str, blocks: Sequence[Block]
    ) -> Stream | None:
        """Begin a message that grows, with these blocks; None where Slack certainly has not begun it."""
        client = self._at_once
        try:
            response = await client.chat_startStream(
                channel=place.channel_id,
                thread_ts=str(place.thread_ts),
                recipient_team_id=team_id,
                recipient_user_id=user_id,
                chunks=in_chunks(blocks),
            )
        except SlackApiError as error:
            if not was_refused(error):
                raise
            self._streams.refused(retry_after_s(error) or 0)
            return None
        return Stream(client, place.channel_id, str(response["ts"]))

    def stream_again(self, place: Place, ts: str) -> Stream:
        """A stream that an earlier process began: nobody knows how far it came."""
        return Stream(self._at_once, place.channel_id, ts, lame=True)

    async def find_answer(
        self, place: Place, message_ts: str, question_id: int, bot_user_id: str
    ) -> "FoundAnswer | None":
        """The bot's answer to this question if it is out, or begun. Raises SlackApiError if it cannot tell.

        Metadata alone proves nothing: any app may write what it likes there.
        """
        since: dict[str, Any] = {
            "channel": place.channel_id,
            "oldest": message_ts,
            "limit": HISTORY_PAGE,
            "include_all_metadata": True,
        }
        if place.thread_ts:
            listed = pages(self.client.conversations_replies, ts=place.thread_ts, **since)
        else:
            listed = pages(self.client.conversations_history, **since)
        async for page in listed:
            for message in page["messages"]:
                if message.get("user") != bot_user_id:
                    continue
                if _answers(message, question_id):
                    return FoundAnswer(str(message["ts"]), whole=True)
                if _begins_to_answer(message, question_id):
                    return FoundAnswer(str(message["ts"]), whole=False)
        return None


@dataclass(frozen=True)
class FoundAnswer:
    """An answer that was found in Slack; not `whole`: it was begun and never ended."""

    ts: str
    whole: bool


def _begins_to_answer(message: dict[str, Any], question_id: int) -> bool:
    """A stream gets its metadata at its end; until then its first block says whose it is."""
    return any(block.get("block_id") == answer_mark(question_id) for block in message.get("blocks") or ())


def _sender_like(client: AsyncWebClient, retries: list[AsyncRetryHandler]) -> AsyncWebClient:
    """Tries again at most where Slack says that it took nothing: a line that broke may have carried the message."""
    return AsyncWebClient(token=client.token, base_url=client.base_url, retry_handlers=retries)


def _answers(message: dict[str, Any], question_id: int) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == ANSWER_EVENT and payload.get("question") == question_id
