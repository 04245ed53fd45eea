"""Questions on their way into the database: those that come at the same moment are stored together.

Slack hears "ok" when a question is stored and waits three seconds for it. One transaction takes about as long for
many as for one, so whatever comes while one is under way shares the next.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import InterfaceError, OperationalError

from auth.database import Database
from bot.queue import JobQueue, NotQueued
from bot.slack.questions import IncomingQuestion, claim_all
from bot.slack.replying import ANSWER_JOB

MOST_TOGETHER = 100
AWAY = (OperationalError, InterfaceError, NotQueued, TimeoutError)


class QuestionStore:
    """Keeps questions of one workspace, and leaves each to a job. For one event loop."""

    def __init__(self, database: Database, workspace_id: int, queue: JobQueue) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._queue = queue
        self._waiting: list[tuple[IncomingQuestion, asyncio.Future[None]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, question: IncomingQuestion) -> None:
        """Return once it is stored, by this or, where it is here already, before. Raises what kept it from that.

        Cancelled, it may be stored all the same: it is claimed then when it comes again.
        """
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((question, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        await stored

    async def _store_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                await self._store(batch)
        finally:
            self._storing = None
            for _, left in self._waiting:  # this was cancelled: the loop ends
                left.cancel()
            self._waiting = []

    async def _store(self, batch: Sequence[tuple[IncomingQuestion, asyncio.Future[None]]]) -> None:
        """Where one of them cannot be stored, each is tried alone; where the database is away, none is."""
        try:
            await self._store_together([question for question, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, AWAY):
                await asyncio.gather(*(self._store([one]) for one in batch))
                return
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(error)
            return
        for _, stored in batch:
            if not stored.done():
                stored.set_result(None)

    async def _store_together(self, questions: Sequence[IncomingQuestion]) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            if ids := await claim_all(connection, questions):
                await self._queue.defer_many(connection, ANSWER_JOB, [{"question_id": each} for each in ids])
