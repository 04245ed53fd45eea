"""Listeners for questions: what is asked is stored and left to a job, and so is what its buttons ask for."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from auth.audit import record
from auth.database import Database
from bot.queue import JobQueue, NotQueued
from bot.slack import revising
from bot.slack.answer_views import ASK_AGAIN
from bot.slack.delivery import Outbox
from bot.slack.lending import FORWARDED, LENDING_JOB, Lending
from bot.slack.line import Line
from bot.slack.messages import (
    DELETED,
    TOMBSTONE,
    asks_something,
    is_written_by_a_person,
    mentions,
    plain_text,
    typed_id,
    viewed_channel,
)
from bot.slack.places import DIRECT, Place, type_by_id
from bot.slack.questions import IncomingQuestion, claim, find_question, has_asked
from bot.slack.replying import ANSWER_JOB, SHARE
from bot.slack.stopping import Stops
from bot.slack.storing import QuestionStore
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
AGAIN = "again"
NAMING_S = 1.0
_THIS_CHANNEL = re.compile(r"\bthis (?:channel|room)\b", re.IGNORECASE)
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
        stops: Stops | None = None,
        line: Line | None = None,
    ) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._team_id = team.team_id
        self._bot_user_id = team.bot_user_id
        self._queue = queue
        self._outbox = outbox
        self._lending = lending
        self._questions = QuestionStore(database, team.workspace_id, queue)
        self._stops = stops or Stops()
        self._line = line
        self._apologised_for: deque[str] = deque(maxlen=REMEMBERED_APOLOGIES)

    def register(self, app: AsyncApp) -> None:
        app.event("app_mention")(self.on_mention)
        app.event("agent_session_stopped")(self.on_stop)
        app.action(SHARE_ANSWER)(self.on_share)
        app.action(ASK_AGAIN)(self.on_ask_again)
        app.action(ASK_OWNER)(self.on_ask_owner)
        app.action(LEND)(self.on_lend)
        app.action(DECLINE)(self.on_decline)

    async def on_mention(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        if is_written_by_a_person(event):
            await self.take_question(event, body, client)

    async def on_stop(self, event: Mapping[str, Any]) -> None:
        """The stop button stops what its presser has asked in that thread, and nobody else's."""
        where = event["channel"], event["thread_ts"], event["user"]
        async with self._database.writing_in(self._workspace_id, event["user"]) as connection:
            stopped = await revising.stop(connection, *where)
        self._stops.stop(stopped)

    async def on_revision(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """Messages were edited or deleted: those among them that are questions follow.

        What asks now that it is edited is a question, too; so is what Slack tells of sooner than of its writing.
        """
        changed = event.get("message") or {}
        if event["subtype"] == DELETED or changed.get("subtype") == TOMBSTONE:
            await self._drop(event, body)
        elif is_written_by_a_person(changed) and (words := plain_text(changed.get("text") or "")):
            where = event["channel"], changed["ts"], changed["user"]
            written = _as_written(event, changed)
            if changed["user"] != self._bot_user_id and self.is_asked(written):
                await self.take_question(written, body, client)
            # Only now: if it is just being stored as it was before, that has been waited for.
            async with self._database.writing_in(self._workspace_id) as connection:
                await revising.edit(connection, *where, words)

    async def _drop(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Where the question itself has not come yet, it is here already when it comes."""
        before = event.get("previous_message") or {}
        ts = str(event.get("deleted_ts") or before.get("ts") or event["message"]["ts"])
        written = _as_written(event, {**before, "ts": ts})
        async with self._database.writing_in(self._workspace_id) as connection:
            if is_written_by_a_person(before) and self.is_asked(written):
                await claim(connection, self._incoming(written, body, ""))
            self._stops.stop(await revising.drop(connection, event["channel"], ts))

    def is_asked(self, event: Mapping[str, Any]) -> bool:
        """A direct message is a question; elsewhere only what mentions the bot, which `app_mention` brings too."""
        return event.get("channel_type") == DIRECT or mentions(event, self._bot_user_id)

    async def is_follow_up(self, event: Mapping[str, Any]) -> bool:
        """Whether somebody who asked the bot in a thread asks on there, without saying its name again."""
        thread_ts, said = event.get("thread_ts"), event.get("text") or ""
        if thread_ts in {None, event["ts"]} or "<@" in said or not asks_something(plain_text(said)):
            return False
        async with self._database.writing_in(self._workspace_id) as connection:
            return await has_asked(connection, event["channel"], str(thread_ts), event["user"])

    async def take_question(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        question = self._incoming(event, body, await self._in_context(event, client))
        async with self.apologising(event, client):
            await self.store(question)

    def _incoming(self, event: Mapping[str, Any], body: Mapping[str, Any], words: str) -> IncomingQuestion:
        return IncomingQuestion(
            event_id=body["event_id"],
            channel_id=event["channel"],
            channel_type=event.get("channel_type") or type_by_id(event["channel"]),
            message_ts=event["ts"],
            thread_ts=event.get("thread_ts"),
            asker_slack_id=event["user"],
            asker_team_id=event.get("user_team") or event.get("source_team") or self._team_id,
            text=words,
        )

    async def _in_context(self, event: Mapping[str, Any], client: AsyncWebClient) -> str:
        """What is asked; "this channel", said in the pane beside one, by its name: what came from it has it."""
        said, viewed = plain_text(event.get("text") or ""), viewed_channel(event)
        if not viewed or not _THIS_CHANNEL.search(said):
            return said
        try:
            async with asyncio.timeout(NAMING_S):
                channel = (await client.conversations_info(channel=viewed))["channel"]
        except (SlackApiError, ClientError, OSError, TimeoutError):
            return said
        name = channel.get("name")
        return _THIS_CHANNEL.sub(f"#{name}", said) if name else said

    async def store(self, question: IncomingQuestion, shared_from: int | None = None) -> None:
        """Keep a question, and leave it to a job; nothing happens where it is here already."""
        if shared_from is None:
            await self._questions.keep(question)
        else:
            await self._store_shared(question, shared_from)
        if self._line is not None:
            self._line.somebody_asked()

    async def _store_shared(self, question: IncomingQuestion, shared_from: int) -> None:
        async with self._database.writing_in(self._workspace_id, question.asker_slack_id) as connection:
            question_id = await claim(connection, question)
            if question_id is not None:
                await self._queue.defer(connection, ANSWER_JOB, question_id=question_id)
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
        await self._ask_again(body, SHARE)

    async def on_ask_again(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The same question under the rights of now; only whoever asked it asks it again."""
        await ack()
        await self._ask_again(body, AGAIN)

    async def _ask_again(self, body: Mapping[str, Any], way: str) -> None:
        user_id, clicked = body["user"]["id"], body["actions"][0]
        asked_id = typed_id(clicked.get("value"))
        async with self._database.writing_in(self._workspace_id) as connection:
            asked = await find_question(connection, asked_id) if asked_id is not None else None
        here = (body.get("channel") or {}).get("id")
        if asked is None or asked.asker_slack_id != user_id or asked.channel_id != here:
            await self._tell(body, NO_LONGER)
            return
        again = IncomingQuestion(
            event_id=f"{way}:{asked.id}:{clicked['action_ts']}",
            channel_id=asked.channel_id,
            channel_type=asked.channel_type,
            message_ts=clicked["action_ts"],
            thread_ts=asked.place.thread_ts,
            asker_slack_id=user_id,
            asker_team_id=asked.asker_team_id,
            text=asked.text,
            purpose=SHARE if way == SHARE else asked.purpose,
        )
        await self.store(again, shared_from=asked.id if way == SHARE else None)

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


def _as_written(event: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """A message inside of an event that tells of its change, as if it had been written just now."""
    return {"channel": event["channel"], "channel_type": event.get("channel_type"), **message}


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
