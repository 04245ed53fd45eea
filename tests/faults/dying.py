"""A worker that dies where it is told to, forked from a process that has the models loaded.

    python -m tests.faults.dying

Reads a line of JSON for each trial, {"urls": [...], "workspace_id": 1, "dies_at": 7}, forks, and answers with
{"status": ..., "awaits": ...}. The child is a real worker on a real queue. Each time that the coroutine of its job
gives up control is a point at which it may be killed: at `dies_at` it sends itself SIGKILL. 0: it lives, and ends
when no job is left. The last point is when the job is done and not yet taken from the queue.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Generator
from typing import Any

from auth.database import Database, DatabaseUrls
from bot.queue import JobQueue, Lane, QueueSettings
from bot.source_jobs import REFRESH_JOB, SourceKeeper, readers
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor
from retrieval.parsing.isolated import ParserProcess
from retrieval.weights import embedder_folder
from tests.conftest import CACHE

SETTINGS = QueueSettings(polling_s=0.05, heartbeat_s=0.5, dead_after_s=2.0, retry_wait_s=0, tries=100)
LONGEST_S = 90


class Mortal:
    """Runs a coroutine, counts how often it gives up control, and dies at one of those moments."""

    def __init__(self, work: Coroutine[Any, Any, None], dies_at: int) -> None:
        self._work = work
        self._dies_at = dies_at
        self.awaits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._work.__await__()
        sent: Any = None
        raised: BaseException | None = None
        while True:
            try:
                awaited = steps.throw(raised) if raised is not None else steps.send(sent)
            except StopIteration:
                self._pass_by()
                return
            self._pass_by()
            sent, raised = None, None
            try:
                sent = yield awaited
            except BaseException as error:
                raised = error

    def _pass_by(self) -> None:
        self.awaits += 1
        if self.awaits == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


async def live(embeddings: LocalEmbeddings, urls: DatabaseUrls, workspace_id: int, dies_at: int) -> int:
    """Work until no job is left; returns how often the jobs gave up control."""
    counted = 0
    database = Database(urls)
    async with ParserProcess() as parser:
        keeper = SourceKeeper(database, workspace_id, Ingestor(database, embeddings, parser), readers(2**20))
        queue = JobQueue(urls, workspace_id, SETTINGS, [Lane.SOURCES])

        async def refresh(source_id: int) -> None:
            nonlocal counted
            mortal = Mortal(keeper.refresh(source_id), dies_at)
            try:
                await mortal
            finally:
                counted += mortal.awaits

        queue.on(REFRESH_JOB, refresh, given_up=keeper.give_up, lane=Lane.SOURCES)
        async with asyncio.timeout(LONGEST_S), queue.working():
            while await jobs_left(database, workspace_id):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await database.close()
    return counted


async def jobs_left(database: Database, workspace_id: int) -> bool:
    from bot.jobs import list_jobs

    try:
        async with database.writing_in(workspace_id) as connection:
            return bool(await list_jobs(connection, ["waiting", "running"]))
    except Exception:
        return True  # the database is away: it comes back


def main() -> None:
    import torch

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what is logged is no answer
    torch.set_num_threads(1)  # what was started in threads would not be there after a fork
    embeddings = LocalEmbeddings.load(embedder_folder(cache=CACHE))
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        trial = json.loads(line)
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reads)
            urls = DatabaseUrls(*trial["urls"])
            awaits = asyncio.run(live(embeddings, urls, trial["workspace_id"], trial["dies_at"]))
            os.write(writes, str(awaits).encode())
            os._exit(0)
        os.close(writes)
        said = os.read(reads, 100).decode()
        os.close(reads)
        _, status = os.waitpid(child, 0)
        answer = {"status": os.waitstatus_to_exitcode(status), "awaits": int(said or 0)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
