"""One trial: a source is kept and read, changes, and is read again by a worker that dies; then by one that does not.

The folder then holds a document that changed, one that is new, one that did not change, and misses one that is gone.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from auth.database import Database, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles
from auth.labels import parse_policy
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import AddSource
from bot.queue import JobQueue, Lane
from bot.source_jobs import REFRESH_JOB
from retrieval.sources.kept import Kind, list_sources
from tests.faults.dying import SETTINGS

REPOSITORY = Path(__file__).parents[2]
PARAGRAPH = "The {} of {} is kept in the second drawer, and whoever takes it says so at the desk. "
_STATE = """
    SELECT split_part(d.uri, '/', -1), d.withdrawn, v.is_current, v.content_hash,
        (SELECT count(*) FROM retrieval.chunk c WHERE c.version_id = v.id),
        (SELECT count(*) FROM retrieval.chunk c WHERE c.version_id = v.id AND c.is_current),
        (SELECT count(*) FROM retrieval.chunk c JOIN retrieval.chunk_vec e
            ON e.workspace_id = c.workspace_id AND e.chunk_id = c.id WHERE c.version_id = v.id),
        (SELECT count(*) FROM retrieval.chunk_vec e WHERE e.document_id = d.id)
    FROM retrieval.document d LEFT JOIN retrieval.version v ON v.document_id = d.id ORDER BY d.uri, v.id
"""
_COUNTS = """
    SELECT (SELECT coalesce(sum(chunks), 0) FROM retrieval.label_count),
        (SELECT count(*) FROM retrieval.chunk_vec WHERE label_id IS NOT NULL)
"""


class HalfDone(AssertionError):
    """Something was lost, doubled, or half of it could be seen."""


@dataclass(frozen=True)
class Version:
    """A version in the database: its chunks, those of them that answer, and the vectors they have."""

    name: str
    withdrawn: str | None
    is_current: bool
    content_hash: bytes
    chunks: int
    current_chunks: int
    vectors: int
    vectors_of_document: int


class Forge:
    """A process with the models loaded, that makes workers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def work(self, urls: DatabaseUrls, workspace_id: int, dies_at: int = 0) -> tuple[int, int]:
        """(exit status, awaits) of a worker: -9 where it died."""
        given = {
            "urls": [urls.admin, urls.app, urls.reader],
            "workspace_id": workspace_id,
            "dies_at": dies_at,
        }
        self._tell(given)
        said = self._hear()
        return said["status"], said["awaits"]

    def begin(self, urls: DatabaseUrls, workspace_id: int) -> None:
        """Start a worker and do not wait for it: see `end`."""
        self._tell({"urls": [urls.admin, urls.app, urls.reader], "workspace_id": workspace_id, "dies_at": 0})

    def end(self) -> int:
        """Wait for the worker that was begun; its exit status."""
        return int(self._hear()["status"])

    def _tell(self, given: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def forge() -> Iterator[Forge]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        made = Forge(process)
        try:
            made._hear()
            yield made
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()


@dataclass
class Trial:
    """A workspace with a folder that is kept, read once, and has changed since."""

    urls: DatabaseUrls
    workspace_id: int
    source_id: int
    folder: Path

    def versions(self) -> list[Version]:
        with psycopg.connect(self.urls.admin) as connection:
            return [Version(*row) for row in connection.execute(_STATE)]

    def require_whole(self, size: dict[bytes, int]) -> None:
        """Whatever happened: no version is half there, no document has two, and all counts agree.

        `size`: how many chunks a version of this content has.
        """
        versions = self.versions()
        for version in versions:
            answers = version.is_current and version.withdrawn is None
            if version.chunks != size[version.content_hash]:
                raise HalfDone(f"{version} has not all of its chunks")
            if version.is_current and not version.chunks == version.current_chunks == version.vectors:
                raise HalfDone(f"{version} is current in part")
            if not version.is_current and version.current_chunks:
                raise HalfDone(f"{version} was retired in part")
            if answers and version.vectors_of_document != version.vectors:
                raise HalfDone(f"{version} has vectors of other versions")
        current = [version.name for version in versions if version.is_current]
        if len(current) != len(set(current)):
            raise HalfDone(f"documents have two current versions: {current}")
        with psycopg.connect(self.urls.admin) as connection:
            counted, there = connection.execute(_COUNTS).fetchone() or (0, 0)
        if counted != there:
            raise HalfDone(f"{counted} vectors are counted, and there are {there}")

    def require_done(self) -> None:
        """Nothing was lost or doubled: what changed has two versions, the new one answers; what is gone does not."""
        found = [(v.name, v.withdrawn, v.is_current) for v in self.versions()]
        wanted = [
            ("changed.md", None, False),
            ("changed.md", None, True),
            ("gone.md", "vanished", True),
            ("new.md", None, True),
            ("same.md", None, True),
        ]
        if found != wanted:
            raise HalfDone(f"there is {found}")

    def take_for_dead(self) -> None:
        """As if an hour had gone by without a word from whoever has work in hand."""
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            connection.execute(
                "UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
            )

    def due(self) -> None:
        asyncio.run(self._due())

    async def _due(self) -> None:
        database = Database(self.urls)

        async def nothing(source_id: int) -> None: ...

        queue = JobQueue(self.urls, self.workspace_id, SETTINGS, [Lane.SOURCES])
        queue.on(REFRESH_JOB, nothing, nothing, lane=Lane.SOURCES)
        async with database.writing_in(self.workspace_id) as connection:
            await queue.defer_once(connection, REFRESH_JOB, source_id=self.source_id)
        await database.close()


def prepared(urls: DatabaseUrls, folder: Path, forged: Forge, length: int = 40) -> Trial:
    """A trial about to begin: read once, changed since, and due."""
    for name in ("changed", "gone", "same"):
        write(folder, name, "Monday", length)
    workspace_id, source_id = asyncio.run(_kept(urls, folder))
    trial = Trial(urls, workspace_id, source_id, folder)
    trial.due()
    status, _ = forged.work(urls, workspace_id)
    assert status == 0
    write(folder, "changed", "Tuesday", length * 2)
    write(folder, "new", "Tuesday", length)
    (folder / "gone.md").unlink()
    trial.due()
    return trial


def write(folder: Path, name: str, day: str, length: int) -> None:
    said = "".join(PARAGRAPH.format(f"key number {n}", day) + "\n\n" for n in range(length))
    (folder / f"{name}.md").write_text(f"# {name} of {day}\n\n{said}")


async def _kept(urls: DatabaseUrls, folder: Path) -> tuple[int, int]:
    database = Database(urls)
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, "T0TEST", "Test")
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
    every = timedelta(days=1)
    change = AddSource(Kind.PATH, str(folder), parse_policy("everyone"), every=every)
    await Administration(database, workspace_id).carry_out(change, COMMAND_LINE)
    async with database.writing_in(workspace_id) as connection:
        source_id = (await list_sources(connection))[-1].id
    await database.close()
    return workspace_id, source_id
