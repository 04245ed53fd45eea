"""The bot as a process of its own, which can be killed, beside a Slack that can be made to keep it waiting."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from aiohttp import web
from aiohttp.typedefs import Handler

from auth.database import READER, Database, DatabaseUrls
from bot.demo.workspace import workspace_seed
from bot.directory_file import load_directory
from bot.sandbox.delivery import DeliveryPolicy
from bot.sandbox.seen import SeenMessage
from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import Visitor
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from tests.conftest import CACHE
from tests.scenarios.conftest import OFFICE, fill, install_by_manifest

REPOSITORY = Path(__file__).parents[2]
START_S = 120.0
PATIENCE_S = 45.0
LOOK_AGAIN_S = 0.02
SLICE_S = 0.005
# Slack repeats at once, after a minute and after five: here it is seconds, so that a test need not wait.
HASTY_SLACK = DeliveryPolicy(retry_delays=(0.0, *[3.0] * 20))


@dataclass
class Gate:
    """Where a call of the bot's waits: before Slack acts on it, or after, so that the bot does not hear of it.

    `cuts` breaks the line there instead. `dropped` is set when a caller died in front of the gate.
    """

    method: str
    about: str
    after: bool
    passes: int
    cuts: bool
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: asyncio.Event = field(default_factory=asyncio.Event)

    async def is_reached(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.reached.wait()


class StallingSandbox(SandboxServer):
    """The sandbox workspace, with gates in front of and behind its Web API."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._gates: list[Gate] = []

    def _application(self) -> web.Application:
        application = super()._application()
        application.middlewares.append(self._pass_gates)
        return application

    @contextmanager
    def gate(
        self, method: str, about: str = "", *, after: bool = False, passes: int = 0, cuts: bool = False
    ) -> Iterator[Gate]:
        """Stop calls of `method` whose arguments name `about`; the first `passes` go through."""
        gate = Gate(method, about, after, passes, cuts)
        self._gates.append(gate)
        try:
            yield gate
        finally:
            self._gates.remove(gate)
            gate.opened.set()

    @web.middleware
    async def _pass_gates(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        called = request.path.rpartition("/")[2]
        said = request.query_string + (await request.read()).decode(errors="replace")
        shut = [gate for gate in self._gates if gate.method == called and gate.about in said]
        for gate in shut:
            gate.passes -= 1
        shut = [gate for gate in shut if gate.passes < 0]
        for gate in (gate for gate in shut if not gate.after):
            await self._wait_at(gate, request)
            if request.transport is None:
                gate.dropped.set()
                raise web.HTTPGone  # the call never came through
        response = await handler(request)
        for gate in (gate for gate in shut if gate.after):
            await self._wait_at(gate, request)
        return response

    @staticmethod
    async def _wait_at(gate: Gate, request: web.Request) -> None:
        gate.reached.set()
        if not gate.cuts:
            await gate.opened.wait()
        elif request.transport is not None:
            request.transport.abort()


class BotProcess:
    """`ostiary serve`, or `ostiary worker`, as anybody would start it."""

    def __init__(self, name: str, environment: dict[str, str], home: Path, *words: str) -> None:
        self.name = name
        self._log = home / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(sys.executable).with_name("ostiary")), *words],
                env=environment | {"PGAPPNAME": name},  # by which PostgreSQL tells one from another
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")[-6000:]

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is closed."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Stop it if it still runs; killed if it does not heed."""
        if not self.is_running:
            return
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Workplace:
    """A workspace, a database, and as many bots at the desk as a test starts."""

    slack: StallingSandbox
    urls: DatabaseUrls
    home: Path
    bots: list[BotProcess] = field(default_factory=list)
    workers: list[BotProcess] = field(default_factory=list)
    serves_by: tuple[str, ...] = ("serve",)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def visitor(self) -> Visitor:
        return self.slack.visitor

    async def staff(self, count: int) -> list[BotProcess]:
        """Bring the bots at the desk to this number, and wait until each listens to Slack; returns them."""
        running = [bot for bot in self.bots if bot.is_running]
        for bot in running[count:]:
            await asyncio.to_thread(bot.end)
        await until(lambda: self.slack.connections <= min(count, len(running)), "the others are gone")
        started = []
        for number in range(len(self.bots), len(self.bots) + count - len(running)):
            started.append(BotProcess(f"bot-{number}", self._environment(), self.home, *self.serves_by))
            self.bots.append(started[-1])

        def all_listen() -> bool:
            for bot in started:
                assert bot.is_running, bot.said
            return self.slack.connections == count

        await until(all_listen, "the bots are at their desk", START_S)
        return running[:count] + started

    def hire(self, *words: str, **settings: str) -> BotProcess:
        """Start a worker, or what the words say; it is at work once it says so."""
        name = f"worker-{len(self.workers)}"
        self.workers.append(
            BotProcess(name, self._environment() | settings, self.home, *(words or ("worker",)))
        )
        return self.workers[-1]

    def end_bots(self) -> None:
        for bot in (*self.bots, *self.workers):
            bot.end()

    def _environment(self) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")}
        paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        return mine | {
            "PYTHONPATH": os.pathsep.join(paths),
            "DATABASE_URL": self.urls.admin,
            "DATABASE_APP_URL": self.urls.app or "",
            "DATABASE_READER_URL": self.urls.reader or "",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "OSTIARY_SLACK_API_URL": self.slack.api_url,
            "OSTIARY_HOME": str(self.home),
            "OSTIARY_THREADS": "2",
            **self.settings,
        }

    def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, seen past all its walls."""
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def state_of(self, asked: SeenMessage) -> str | None:
        """The state of the question that this message is; None where it is not stored."""
        rows = self.rows("SELECT state FROM bot.question WHERE message_ts = %s", asked.ts)
        assert len(rows) <= 1
        return rows[0][0] if rows else None

    def recorded(self, asked: SeenMessage) -> list[tuple[Any, ...]]:
        """(part, ts) of what stands there as the answer, by the bot's own record."""
        return self.rows(
            "SELECT a.part, a.message_ts FROM bot.answer a JOIN bot.question q ON q.id = a.question_id"
            " WHERE q.message_ts = %s AND NOT a.taken_back",
            asked.ts,
        )

    async def is_stored(self, asked: SeenMessage) -> None:
        await until(lambda: self.state_of(asked) is not None, "the question is stored")

    @contextmanager
    def shut_library(self) -> Iterator[None]:
        """Nobody gets to read passages meanwhile: every question that is begun waits there."""
        with psycopg.connect(self.urls.admin) as connection:
            connection.execute("LOCK TABLE retrieval.chunk_vec IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    async def is_at_the_library(self) -> BotProcess:
        """Wait until a question is begun and waits for its passages; the bot that answers it."""
        waiting = (
            "SELECT application_name FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
        )
        await until(lambda: bool(self.rows(waiting, READER)), "passages are waited for")
        name = self.rows(waiting, READER)[0][0]
        return next(bot for bot in self.bots if bot.name == name)

    @asynccontextmanager
    async def frozen_while_generating(self) -> AsyncIterator[list[BotProcess]]:
        """What is asked inside is begun; at the end its bot stands still, passages read, not a word said.

        It has no change open, which would hold up the others. The bot runs in slices of a few milliseconds once
        the passages are there, and is looked at while it stands still: no answer can slip out between looking and
        stopping.
        """
        frozen: list[BotProcess] = []
        with self.shut_library():
            yield frozen
            bot = await self.is_at_the_library()
            bot.freeze()
            frozen.append(bot)
            since = self.rows("SELECT clock_timestamp()")[0][0]
        has_read = (
            "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND application_name = %s AND state = 'idle'"
            " AND query = 'COMMIT' AND state_change > %s AND NOT EXISTS (SELECT FROM pg_stat_activity b"
            "  WHERE b.application_name = %s AND b.backend_xid IS NOT NULL)"
        )
        async with asyncio.timeout(PATIENCE_S):
            while not self.rows(has_read, READER, bot.name, since, bot.name):
                bot.thaw()
                await asyncio.sleep(SLICE_S)
                bot.freeze()

    def take_for_dead(self) -> None:
        """As if an hour had gone by without a word from those who have work in hand."""
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            connection.execute(
                "UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
                " WHERE id IN (SELECT worker_id FROM procrastinate.procrastinate_jobs WHERE status = 'doing')"
            )

    async def nobody_is_there(self) -> None:
        """Wait until Slack, too, knows that every bot is gone."""
        await until(lambda: self.slack.connections == 0, "nobody listens")

    async def everything_is_done(self) -> None:
        """Wait until no work is left: what has not been said by now will not be said."""
        waiting = "SELECT 1 FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"
        await until(lambda: not self.rows(waiting), "no job is left")

    def said_to(self, person: str, asked: SeenMessage) -> list[SeenMessage]:
        """All that the bot said after a question, as this person sees it: in its thread and beside it."""
        beside = self.visitor.conversation(person, asked.channel_id)
        below = self.visitor.visible_to(person, asked.channel_id, asked.thread_ts or asked.ts)
        seen = {message.ts: message for message in (*beside, *below)}
        return [message for ts, message in sorted(seen.items()) if message.by_bot and ts > asked.ts]

    def said_below(self, asked: SeenMessage) -> list[SeenMessage]:
        """What the bot said in the thread of a question, as its author sees it."""
        thread = self.visitor.visible_to(asked.user_id, asked.channel_id, asked.ts)
        return [message for message in thread if message.by_bot]


async def until(is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Look again and again until it is so; TimeoutError names what was waited for."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_so():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"Waited {seconds:g} s in vain until {what}.")
        await asyncio.sleep(LOOK_AGAIN_S)


@asynccontextmanager
async def open_workplace(urls: DatabaseUrls, embeddings: LocalEmbeddings) -> AsyncIterator[Workplace]:
    """A workspace and a filled database. Nobody is at the desk yet."""
    await _fill(urls, embeddings)
    with tempfile.TemporaryDirectory(prefix="ostiary-desk-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(CACHE)
        slack = StallingSandbox(workspace_seed(OFFICE), delivery=HASTY_SLACK)
        install_by_manifest(slack)
        async with slack:
            workplace = Workplace(slack, urls, home)
            try:
                yield workplace
            finally:
                await asyncio.to_thread(workplace.end_bots)


async def _fill(urls: DatabaseUrls, embeddings: LocalEmbeddings) -> None:
    database = Database(urls)
    try:
        workspace_id = await load_directory(database, OFFICE)
        async with ParserProcess() as parser:
            await fill(database, workspace_id, Ingestor(database, embeddings, parser))
    finally:
        await database.close()
