"""Sending to Slack: to a place for everybody in it, or to one person alone; and finding what was sent before."""

from collections.abc import Sequence
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.paging import pages
from bot.slack.places import DIRECT, Place
from bot.slack.refusals import is_gone, reason
from bot.slack.views import ANSWER_EVENT, Block

HISTORY_PAGE = 100
_CANNOT_BE_SHOWN_THERE = {"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived"}


class Unreachable(Exception):
    """Whoever was to be told something is not in Slack any more: trying again helps nobody."""


class Outbox:
    """Messages of the bot. Links are never unfurled: that would fetch what a document names.

    `client` reads; the messages themselves go by clients that are less eager to try again. One that says nothing of
    documents may wait until Slack has time. An answer (`at_once`) may not: rights were checked just before it.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self._patient = _sender_like(client, [AsyncRateLimitErrorRetryHandler(max_retry_count=3)])
        self._at_once = _sender_like(client, [])

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
        marked = {"event_type": ANSWER_EVENT, "event_payload": {"question": question_id}}
        response = await self._sender(at_once).chat_postMessage(
            channel=place.channel_id,
            thread_ts=place.thread_ts,
            text=text,
            blocks=list(blocks),
            unfurl_links=False,
            unfurl_media=False,
            metadata=marked if question_id is not None else None,
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

    async def show_status(self, place: Place, message_ts: str, status: str) -> None:
        """A passing line such as "is reading ...". Only a courtesy: failing to show it is no failure."""
        try:
            await self.client.assistant_threads_setStatus(
                channel_id=place.channel_id, thread_ts=place.thread_ts or message_ts, status=status
            )
        except SlackApiError:
            return

    async def find_answer(
        self, place: Place, message_ts: str, question_id: int, bot_user_id: str
    ) -> str | None:
        """The ts of the bot's answer to this question if it is out. Raises SlackApiError if it cannot tell.

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
                if message.get("user") == bot_user_id and _answers(message, question_id):
                    return str(message["ts"])
        return None


def _sender_like(client: AsyncWebClient, retries: list[AsyncRetryHandler]) -> AsyncWebClient:
    """Tries again at most where Slack says that it took nothing: a line that broke may have carried the message."""
    return AsyncWebClient(token=client.token, base_url=client.base_url, retry_handlers=retries)


def _answers(message: dict[str, Any], question_id: int) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == ANSWER_EVENT and payload.get("question") == question_id
