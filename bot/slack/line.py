"""Who waits for their turn, told so: which place they have in the line before the bot."""

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from auth.database import WORKSPACE, Database
from bot.queue import Lane, queue_name
from bot.slack.delivery import Outbox
from bot.slack.places import Place
from bot.slack.presence import waiting
from bot.slack.team import Team

log = structlog.get_logger(__name__)

LOOK_S = 2.0
MOST_TOLD = 20
"""At once: of a long line the first. Slack takes about a hundred such calls a minute."""

_WAITING = text(
    "SELECT q.id, q.channel_id, q.channel_type, coalesce(q.thread_ts, q.message_ts) AS thread_ts,"
    "  row_number() OVER (ORDER BY j.id) AS place"
    " FROM procrastinate.procrastinate_jobs j JOIN bot.question q ON q.id = (j.args ->> 'question_id')::bigint"
    f" WHERE q.workspace_id = {WORKSPACE} AND j.queue_name = :queue AND j.task_name = :task AND j.status = 'todo'"
    "  AND j.attempts = 0 AND q.state = 'received' AND q.purpose <> 'digest' AND q.channel_id <> q.asker_slack_id"
    " ORDER BY j.id LIMIT :most"
)


class Line:
    """Tells each once when they begin to wait, and again when half of those before them are through.

    Nobody is looked for while nobody asks. What is said is how many ask, and nothing of what they may read.
    """

    def __init__(
        self, database: Database, team: Team, outbox: Outbox, job: str, look_s: float = LOOK_S
    ) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._outbox = outbox
        self._values = {"queue": queue_name(team.workspace_id, Lane.TALK), "task": job, "most": MOST_TOLD}
        self._look_s = look_s
        self._somebody_asked = asyncio.Event()
        self._told: dict[int, int] = {}

    def somebody_asked(self) -> None:
        self._somebody_asked.set()

    async def keep_telling(self) -> None:
        while True:
            await self._somebody_asked.wait()
            await asyncio.sleep(self._look_s)  # most are begun at once
            self._somebody_asked.clear()
            try:
                if await self._tell():
                    self._somebody_asked.set()
            except (SQLAlchemyError, OSError) as error:
                log.warning("nobody in the line was told their place", error=type(error).__name__)

    async def _tell(self) -> bool:
        """Whether somebody waits."""
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = (await connection.execute(_WAITING, self._values)).all()
        self._told = {row.id: self._told[row.id] for row in rows if row.id in self._told}
        for row in rows:
            if row.place * 2 <= self._told.get(row.id, row.place * 2):
                self._told[row.id] = row.place
                place = Place(row.channel_id, row.channel_type, row.thread_ts)
                await self._outbox.show_status(place, waiting(row.place))
        return bool(rows)
