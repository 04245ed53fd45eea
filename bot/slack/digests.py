"""`/digest`: what is new, for whoever asks, now; or for a channel, every day or week, until somebody stops it."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from auth.channels import channel_names
from auth.database import Database
from auth.errors import OstiaryError
from bot.administering.administration import Administration
from bot.administering.changes import Change, ScheduleDigest, StopDigest
from bot.administering.wording import capitalised
from bot.answering.intents import period_of
from bot.digests import CannotSchedule, Every, begin_sending, due_digests
from bot.queue import JobQueue
from bot.slack.admin.counter import ADMINS_ONLY, AWAY
from bot.slack.admin.entered import storable
from bot.slack.admitting import Door
from bot.slack.asking import DATABASE_AWAY
from bot.slack.places import DIRECT
from bot.slack.questions import DIGEST, IncomingQuestion, claim
from bot.slack.replying import ANSWER_JOB
from bot.slack.team import Team
from bot.slack.views import escape, plain_blocks

log = structlog.get_logger(__name__)

LOOK_JOB = "look_for_due_digests"
CLOCKS_APART = timedelta(minutes=5)
"""After a crash an answer is looked for in Slack from the moment of its question on, and clocks differ."""
HELP = (
    "`/digest` tells you what is new in the documents that you may read; `/digest backups since March` what is new"
    " on a topic, or in a collection, since a date.\n"
    "For administrators: `/digest daily #channel [topic]` and `/digest weekly #channel [topic]` tell a channel what"
    " is new that everybody in it may read, at 8:00 UTC, weekly ones on Mondays, and nothing where nothing is new;"
    " `/digest list` shows them, `/digest stop 3` ends one."
)
LOOKING = "I am looking what is new, and tell you in a direct message."
NO_CHANNEL = "Name the channel as Slack offers it: `/digest weekly #general backups`."
_CHANNEL = re.compile(r"<#(?P<id>[A-Z0-9]+)(?:\|(?P<name>[^>]*))?>")
_WRITTEN = re.compile(r"(?<!\S)#(?P<name>[a-z0-9_-]+)(?!\S)")
_SCHEDULE = re.compile(r"(?P<every>daily|weekly)\b\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_STOP = re.compile(r"stop\s+#?(?P<id>\d{1,18})", re.IGNORECASE)
_WHEN = re.compile(
    r"(?:^|\s)(?P<when>(?:since|in|after|between|this|last|today|yesterday)\b.*)$", re.IGNORECASE
)


class DigestDesk:
    """Takes in `/digest`. Whoever sets one up or stops one must administer at that moment."""

    def __init__(self, database: Database, team: Team, queue: JobQueue) -> None:
        self._database = database
        self._team = team
        self._queue = queue
        self._administration = Administration(database, team.workspace_id)
        self._door = Door(self._administration.may_administer, ADMINS_ONLY, AWAY)

    def register(self, app: AsyncApp) -> None:
        app.command("/digest")(self.on_command)

    async def on_command(self, ack: AsyncAck, command: Mapping[str, Any]) -> None:
        said = await self._answer(command["user_id"], storable(command.get("text") or "").strip())
        await ack(text=escape(said), blocks=plain_blocks(said), response_type="ephemeral")

    async def _answer(self, user_id: str, words: str) -> str:
        try:
            if words.lower() == "help":
                return HELP
            if words.lower() == "list":
                return await self._door.admit(user_id, self._listed)
            if found := _STOP.fullmatch(words):
                change = StopDigest(int(found["id"]))
                return await self._door.admit(user_id, lambda: self._carry_out(user_id, change))
            if found := _SCHEDULE.fullmatch(words):
                return await self._schedule(user_id, Every(found["every"].lower()), found["rest"])
            return await self._ask(user_id, words)
        except OstiaryError as error:
            return str(error)
        except DATABASE_AWAY:
            log.exception("a digest was asked for with the database away")
            return AWAY

    async def _schedule(self, user_id: str, every: Every, words: str) -> str:
        async def set_up() -> str:
            channel_id, name, rest = await self._channel(words)
            topic = " ".join(rest.split()).removeprefix("on ").strip()
            return await self._carry_out(user_id, ScheduleDigest(channel_id, topic, every, name))

        return await self._door.admit(user_id, set_up)

    async def _channel(self, words: str) -> tuple[str, str, str]:
        """Id and name of the channel that is named, and the words besides. Raises CannotSchedule."""
        if found := _CHANNEL.search(words):
            return found["id"], found["name"] or "", _CHANNEL.sub(" ", words)
        if found := _WRITTEN.search(words):
            async with self._database.writing_in(self._team.workspace_id) as connection:
                known = {name: channel_id for channel_id, name in (await channel_names(connection)).items()}
            if found["name"] in known:
                return known[found["name"]], found["name"], _WRITTEN.sub(" ", words)
        raise CannotSchedule(NO_CHANNEL)

    async def _carry_out(self, user_id: str, change: Change) -> str:
        done = await self._administration.carry_out(change, user_id)
        return " ".join([f"{capitalised(change.in_words())}.", *done.effect.notes])

    async def _listed(self) -> str:
        digests = await self._administration.digests()
        lines = [
            f"• {digest.id}: {digest.every.value}, to {digest.channel_id}"
            f"{f', on {digest.topic}' if digest.topic else ''}; next on {digest.next_at:%-d %B %Y, %H:%M} UTC"
            for digest in digests
        ]
        return "\n".join(lines) or "No digest is sent to any channel. `/digest help` says how to set one up."

    async def _ask(self, user_id: str, words: str) -> str:
        """As a question of theirs in a direct message: answered once, under the rights of then, with its proof."""
        ts = f"{time.time() - CLOCKS_APART.total_seconds():.6f}"
        question = IncomingQuestion(
            event_id=f"digest:{user_id}:{ts}",
            channel_id=user_id,
            channel_type=DIRECT,
            message_ts=ts,
            thread_ts=None,
            asker_slack_id=user_id,
            asker_team_id=self._team.team_id,
            text=question_for(words),
        )
        async with self._database.writing_in(self._team.workspace_id, user_id) as connection:
            question_id = await claim(connection, question)
            if question_id is not None:
                await self._queue.defer(connection, ANSWER_JOB, question_id=question_id)
        return LOOKING


class DigestSender:
    """Sends what is due, as a question that nobody asked: once, whatever is killed in between."""

    def __init__(self, database: Database, team: Team, now: Callable[[], datetime] | None = None) -> None:
        self._database = database
        self._team = team
        self._now = now or (lambda: datetime.now(UTC))
        self._queue: JobQueue | None = None

    def register(self, queue: JobQueue) -> None:
        self._queue = queue
        queue.every_minute(LOOK_JOB, self.look)

    async def look(self) -> None:
        """What is due is asked and noted in one transaction: it is sent, and sent once, or not at all."""
        assert self._queue is not None
        now = self._now()
        async with self._database.writing_in(self._team.workspace_id) as connection:
            for digest in await due_digests(connection, now):
                ts = f"{(now - CLOCKS_APART).timestamp() + digest.id % 1000 * 1e-6:.6f}"
                question = IncomingQuestion(
                    event_id=f"digest:{digest.id}:{digest.next_at.isoformat()}",
                    channel_id=digest.channel_id,
                    channel_type="channel",
                    message_ts=ts,
                    thread_ts=None,
                    asker_slack_id=self._team.bot_user_id,
                    text=digest.asked,
                    purpose=DIGEST,
                )
                question_id = await claim(connection, question)
                if question_id is not None:
                    await begin_sending(connection, digest, question_id, now)
                    await self._queue.defer(connection, ANSWER_JOB, question_id=question_id)


def question_for(words: str) -> str:
    """`backups since March` -> `What is new on backups since March?`"""
    found = _WHEN.search(words)
    when = found["when"] if found and period_of(found["when"], datetime.now(UTC).date()) else ""
    topic = words.removesuffix(when).strip().removeprefix("on ").strip() if when else words
    return " ".join(part for part in ("What is new", f"on {topic}" if topic else "", when) if part) + "?"
