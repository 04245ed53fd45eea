"""A probe in progress: the moves that surfaces are made of, and the count of what was tried."""

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from auth.database import WORKSPACE, Database
from bot.assistant import Assistant
from bot.probe.canaries import Canary
from bot.probe.casting import Actor, Cast
from bot.probe.judging import Judge
from bot.probe.listening import Logged
from bot.probe.parrot import Parrot
from bot.probe.patience import until
from bot.probe.staging import BOT, Meeting, Stage
from bot.sandbox.delivery import Outcome
from bot.sandbox.seen import SeenMessage
from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import Visitor, VisitorError
from retrieval.ingestion import Ingestor

_REST_S = 0.06
_OF = f"workspace_id = {WORKSPACE}"
_ENDED = text(
    f"SELECT count(*) FROM bot.question WHERE {_OF} AND message_ts = ANY(:asked)"
    " AND state IN ('answered', 'failed')"
)
_QUESTIONS = text(f"SELECT id FROM bot.question WHERE {_OF} ORDER BY id")
_ASKED = text(
    f"SELECT count(*) AS asked, count(*) FILTER (WHERE state = 'failed') AS failed FROM bot.question WHERE {_OF}"
)
_HANDED_IN = text(f"SELECT count(*) FROM bot.ingestion_request WHERE {_OF} AND locator = ANY(:files)")
_WAITING = text(
    "SELECT EXISTS (SELECT FROM procrastinate.procrastinate_jobs"
    f" WHERE regexp_replace(queue_name, '^(workspace-[0-9]+)-.*$', '\\1') = 'workspace-' || {WORKSPACE}"
    # What fails again and again waits ever longer: somebody who is gone cannot be told anything.
    "  AND (status = 'doing' OR (status = 'todo' AND (attempts < 2 OR scheduled_at <= now()))))"
)


@dataclass(frozen=True)
class Ask:
    """A question: who writes what where. Without a meeting: in the direct message with the bot."""

    actor: Actor
    text: str
    meeting: Meeting | None = None
    thread_ts: str | None = None


@dataclass
class Tally:
    """What was tried on one surface."""

    tried: int = 0
    compared: int = 0
    unequal: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """How much to try: people, questions on each surface, and how many of them wait for an answer at once."""

    people: int = 300
    asks: int = 2500
    at_once: int = 16


@dataclass
class Scene:
    """Everything that a surface needs."""

    database: Database
    workspace_id: int
    real_workspace_id: int
    server: SandboxServer
    assistant: Assistant
    ingestor: Ingestor
    cast: Cast
    stage: Stage
    canaries: list[Canary]
    judge: Judge
    rng: random.Random
    limits: Limits
    parrot: Parrot | None
    logged: Logged
    surface: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    not_there: list[str] = field(default_factory=list)
    pressed: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def visitor(self) -> Visitor:
        return self.server.visitor

    @property
    def tally(self) -> Tally:
        return self.tallies.setdefault(self.surface, Tally())

    @property
    def writers(self) -> list[Actor]:
        """Everybody who could write a message, strangers included."""
        return [actor for actor in self.cast.actors if actor.may_write]

    def may_read(self, actor: Actor, canary: Canary) -> bool:
        return self.cast.may_read(actor, canary.policies, datetime.now(UTC))

    def some(self, asks: Iterable[Ask], most: int | None = None) -> list[Ask]:
        """All of them, or as many as the limits allow, drawn by the seed; what is left out is counted."""
        every = list(asks)
        most = min(most or self.limits.asks, self.limits.asks)
        if len(every) <= most:
            return every
        self.left_out[self.surface] += len(every) - most
        return self.rng.sample(every, most)

    def share(self, most: int, one_in: int = 10) -> int:
        """`most`, or less where the limits on questions are narrow: one in ten of those, and never none."""
        return max(1, min(most, self.limits.asks // one_in))

    async def ask(self, asks: Iterable[Ask]) -> list[SeenMessage]:
        """Ask, many at once, and judge after each lot. Returns the messages that asked."""
        every, posted = list(asks), []
        for start in range(0, len(every), self.limits.at_once):
            lot = every[start : start + self.limits.at_once]
            said = [await self._post(ask) for ask in lot]
            await self.settle([message.ts for message in said])
            self.tally.tried += len(lot)
            self.judge.look(self.surface)
            posted += said
        return posted

    async def post(self, ask: Ask) -> SeenMessage:
        """Only write it: without waiting for an answer."""
        self.tally.tried += 1
        return await self._post(ask)

    async def _post(self, ask: Ask) -> SeenMessage:
        if ask.meeting is None:
            return await self.visitor.dm(ask.actor.user_id, ask.text, thread_ts=ask.thread_ts)
        words = f"@{BOT} {ask.text}"
        return await self.visitor.post(
            ask.actor.user_id, ask.meeting.channel_id, words, thread_ts=ask.thread_ts
        )

    async def settle(self, asked: Collection[str] = ()) -> None:
        """Wait until each of these messages is answered and no job waits. Raises ProbeStuck."""
        await until(lambda: self._is_settled(asked), f"answers on the surface {self.surface}")

    async def _is_settled(self, asked: Collection[str]) -> bool:
        async with self.database.writing_in(self.workspace_id) as connection:
            ended = (await connection.execute(_ENDED, {"asked": list(asked)})).scalar_one()
            if ended < len(asked):
                return False
            return not (await connection.execute(_WAITING)).scalar_one()

    async def settle_files(self, message: SeenMessage) -> None:
        """Wait until the files of a message are taken in, and no job waits."""
        files = [str(file["id"]) for file in message.files]
        await until(lambda: self._handed_in(files), "a file to be taken in")
        await self.settle()

    async def _handed_in(self, files: list[str]) -> bool:
        async with self.database.writing_in(self.workspace_id) as connection:
            taken = (await connection.execute(_HANDED_IN, {"files": files})).scalar_one()
            return bool(taken >= len(files))

    async def rest(self) -> None:
        """Wait until the bot has said nothing for a moment: what it shows late, it shows within seconds."""
        await self.settle()
        said = -1
        while said != len(self.server.calls):
            said = len(self.server.calls)
            await asyncio.sleep(_REST_S)

    def known_by(self, canary: Canary, policy: str) -> Canary:
        """From now on whoever this policy admits may read the canary too."""
        wider = replace(canary, policies=(*canary.policies, policy))
        self.judge.canaries[canary.topic] = wider
        self.canaries[self.canaries.index(canary)] = wider
        return wider

    async def question_ids(self) -> list[int]:
        """The ids of every question that was asked so far: what somebody who guesses could hit."""
        async with self.database.writing_in(self.workspace_id) as connection:
            return [row.id for row in await connection.execute(_QUESTIONS)]

    async def questions(self) -> tuple[int, int]:
        """(how many questions came to the bot, on how many of them it gave up)."""
        async with self.database.writing_in(self.workspace_id) as connection:
            row = (await connection.execute(_ASKED)).one()
            return row.asked, row.failed

    async def press(self, actor: Actor, message_ts: str, channel: str, action_id: str) -> None:
        """Press a button that this person sees, if it is still there; wait for what comes of it, and judge."""
        try:
            await self.visitor.click(actor.user_id, message_ts, channel, action_id)
        except VisitorError:
            return  # the bot has taken it away
        await self._after_a_move()

    async def forge(self, actor: Actor, channel_id: str, message_ts: str, action: Mapping[str, Any]) -> None:
        """What a program of this person's could send: a click with any value on any message of a place.

        Slack itself would not let them see the message; the bot must not rely on that.
        """
        interactions, workspace = self.server.sandbox.interactions, self.server.sandbox.workspace
        message = workspace.message(channel_id, message_ts)
        if message is not None:
            await interactions.act_on_message(self.visitor.who(actor.user_id), message, dict(action))
            await self._after_a_move()

    async def command(self, actor: Actor, channel: str, name: str, words: str) -> Outcome:
        """Run a slash command and judge what comes of it."""
        outcome = await self.visitor.command(actor.user_id, channel, name, words)
        await self._after_a_move()
        return outcome

    async def _after_a_move(self) -> None:
        await self.settle()
        self.tally.tried += 1
        self.judge.look(self.surface)

    def heard_by(self, actor: Actor, channel: str, after: str = "") -> list[SeenMessage]:
        """What the bot said there that this person sees, in threads too."""
        top = self.visitor.visible_to(actor.user_id, channel)
        threads = {message.ts for message in top if message.reply_count}
        replies = [m for ts in threads for m in self.visitor.visible_to(actor.user_id, channel, ts)]
        said = {m.ts: m for m in (*top, *replies) if m.by_bot and m.ts > after}
        return [said[ts] for ts in sorted(said)]

    def equal(self, what: str, denied: Sequence[object], missing: Sequence[object]) -> None:
        """Note whether what is denied looks like what is missing."""
        self.tally.compared += 1
        if denied != missing:
            self.tally.unequal.append(what)
