"""Listeners for questions: what is asked is stored and left to a job, and so is what its buttons ask for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from auth.audit import record
from auth.database import Database
from bot.queue import JobQueue, NotQueued
from bot.slack.delivery import Outbox
from bot.slack.lending import FORWARDED, LENDING_JOB, Lending
from bot.slack.messages import is_written_by_a_person, mentions, plain_text, typed_id
from bot.slack.places import DIRECT, Place, type_by_id
from bot.slack.questions import IncomingQuestion, claim, find_question
from bot.slack.replying import ANSWER_JOB, SHARE
from bot.slack.team import Team
from bot.slack.views import ASK_OWNER, DECLINE, LEND, SHARE_ANSWER, escape, plain_blocks

log = structlog.get_logger(__name__)

NOT_NOW = (
    "I cannot reach my database just now. I try again for the next five minutes; if no answer comes, please ask me"
    " again."
)
NO_LONGER = "That button does nothing for you any more."
DATABASE_AWAY = (SQLAlchemyError, NotQueued, TimeoutError)
STORING_S = 10
REMEMBERED_APOLOGIES = 1000


class AskingDesk:
    """Takes in questions, and the buttons under answers. A button's value grants nothing: all is looked up."""

    def __init__(
        self,
        database: Database,
        team: Team,
        queue: JobQueue,
        outbox: Outbox,
        lending: Lending,
    ) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id
        self._bot_user_id = team.bot_user_id
        self._queue = queue
        self._outbox = outbox
        self._lending = lending
        self._apologised_for: deque[str] = deque(maxlen=REMEMBERED_APOLOGIES)

    def register(self, app: AsyncApp) -> None:
        app.event("app_mention")(self.on_mention)
        app.action(SHARE_ANSWER)(self.on_share)
        app.action(ASK_OWNER)(self.on_ask_owner)
        app.action(LEND)(self.on_lend)
        app.action(DECLINE)(self.on_decline)

    async def on_mention(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        if is_written_by_a_person(event):
            await self.take_question(event, body, client)

    def is_asked(self, event: Mapping[str, Any]) -> bool:
        """A direct message is a question; elsewhere only what mentions the bot, which `app_mention` brings too."""
        return event.get("channel_type") == DIRECT or mentions(event, self._bot_user_id)

    async def take_question(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        question = IncomingQuestion(
            event_id=body["event_id"],
            channel_id=event["channel"],
            channel_type=event.get("channel_type") or type_by_id(event["channel"]),
            message_ts=event["ts"],
            thread_ts=event.get("thread_ts"),
            asker_slack_id=event["user"],
            asker_team_id=event.get("user_team") or event.get("source_team") or self._team_id,
            text=plain_text(event.get("text") or ""),
        )
        async with self.apologising(event, client):
            await self._store(question)

    async def _store(self, question: IncomingQuestion, shared_from: int | None = None) -> None:
        async with self._database.writing_in(self._workspace_id, question.asker_slack_id) as connection:
            question_id = await claim(connection, question)
            if question_id is None:
                return
            await self._queue.defer(connection, ANSWER_JOB, question_id=question_id)
            if shared_from is not None:
                details = {"question": question_id, "from": shared_from, "channel": question.channel_id}
                await record(connection, "answer.shared", details, person=question.asker_slack_id)

    @asynccontextmanager
    async def apologising(self, event: Mapping[str, Any], client: AsyncWebClient) -> AsyncIterator[None]:
        """Where the database is away, tell whoever wrote the message, alone, and once.

        The error goes on: the event is not acknowledged, and Slack delivers it again, at once and for minutes.
        """
        try:
            async with asyncio.timeout(STORING_S):
                yield
        except DATABASE_AWAY:
            if event["ts"] not in self._apologised_for:
                self._apologised_for.append(event["ts"])
                await _say_not_now(client, event)
            raise

    async def on_share(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Ask again for everybody in the place: what was told to one alone is never posted."""
        await ack()
        user_id, clicked = body["user"]["id"], body["actions"][0]
        asked_id = typed_id(clicked.get("value"))
        async with self._database.writing_in(self._workspace_id) as connection:
            asked = await find_question(connection, asked_id) if asked_id is not None else None
        here = (body.get("channel") or {}).get("id")
        if asked is None or asked.asker_slack_id != user_id or asked.channel_id != here:
            await self._tell(body, NO_LONGER)
            return
        again = IncomingQuestion(
            event_id=f"share:{asked.id}:{clicked['action_ts']}",
            channel_id=asked.channel_id,
            channel_type=asked.channel_type,
            message_ts=clicked["action_ts"],
            thread_ts=asked.place.thread_ts,
            asker_slack_id=user_id,
            asker_team_id=asked.asker_team_id,
            text=asked.text,
            purpose=SHARE,
        )
        await self._store(again, shared_from=asked.id)

    async def on_ask_owner(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Pass a question on. Its asker is told the same whether there is anybody to pass it to or not."""
        await ack()
        question_id = typed_id(body["actions"][0].get("value"))
        async with self._database.writing_in(self._workspace_id, body["user"]["id"]) as connection:
            asked = await find_question(connection, question_id) if question_id is not None else None
            if asked is not None and asked.asker_slack_id == body["user"]["id"]:
                await self._queue.defer_once(connection, LENDING_JOB, question_id=asked.id)
        await self._tell(body, FORWARDED)

    async def on_lend(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await self._decide(ack, body, client, lend=True)

    async def on_decline(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await self._decide(ack, body, client, lend=False)

    async def _decide(
        self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient, *, lend: bool
    ) -> None:
        await ack()
        loan_id = typed_id(body["actions"][0].get("value"))
        said = None
        if loan_id is not None:
            said = await self._lending.decide(loan_id, body["user"]["id"], lend=lend)
        if said is None:
            await self._tell(body, NO_LONGER)
            return
        try:
            await client.chat_update(
                channel=body["container"]["channel_id"],
                ts=body["container"]["message_ts"],
                text=escape(said),
                blocks=plain_blocks(said),
            )
        except SlackApiError as error:
            log.warning("could not take the buttons away", error=str(error))

    async def _tell(self, body: Mapping[str, Any], said: str) -> None:
        """Tell whoever clicked, alone, where they clicked."""
        container, channel_id = body.get("container") or {}, (body.get("channel") or {}).get("id", "")
        place = Place(channel_id, type_by_id(channel_id), container.get("thread_ts"))
        await self._outbox.tell_alone(place, body["user"]["id"], escape(said), plain_blocks(said))


async def _say_not_now(client: AsyncWebClient, event: Mapping[str, Any]) -> None:
    """In a direct message everything is private; elsewhere only its author sees this."""
    channel_id = event["channel"]
    try:
        if (event.get("channel_type") or type_by_id(channel_id)) == DIRECT:
            await client.chat_postMessage(channel=channel_id, text=NOT_NOW)
        else:
            await client.chat_postEphemeral(channel=channel_id, user=event["user"], text=NOT_NOW)
    except SlackApiError:
        log.exception("could not say that the database is away")
