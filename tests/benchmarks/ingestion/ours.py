"""Ostiary's own pipeline: parsed in a confined process, chunked by structure, embedded together, stored one by one.

Each document is a transaction of its own, behind row-level security, with its full-text and its HNSW index.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auth.database import Database
from auth.errors import OstiaryError
from auth.labelling import intern_label
from auth.labels import FOR_EVERYONE
from bot.cli.ingesting import AT_ONCE
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from tests.benchmarks.ingestion.measured import Measured


class Counting(LocalEmbeddings):
    """Counts the tokens that the model reads."""

    tokens = 0

    def _encode_batch(self, token_ids: list[list[int]]) -> Any:
        self.tokens += sum(map(len, token_ids))
        return super()._encode_batch(token_ids)


async def run(
    database: Database, workspace_id: int, embeddings: Counting, parser: ParserProcess, files: Sequence[Path]
) -> Measured:
    ingestor = Ingestor(database, embeddings, parser)
    async with database.writing_in(workspace_id) as connection:
        label_id = await intern_label(connection, FOR_EVERYONE)
    turn = asyncio.Semaphore(AT_ONCE)

    async def ingest(file: Path) -> int:
        async with turn:
            data = await asyncio.to_thread(file.read_bytes)
            try:
                submission = Submission(str(file), file.name, data, label_id)
                return (await ingestor.ingest(workspace_id, submission)).chunks
            except OstiaryError as error:
                print(f"    Ostiary says: {error}")
                return 0

    before = embeddings.tokens
    began, worked = time.perf_counter(), time.process_time()
    passages = sum(await asyncio.gather(*map(ingest, files)))
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    return Measured(seconds, work, passages, embeddings.tokens - before)
