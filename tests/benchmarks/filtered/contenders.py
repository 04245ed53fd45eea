"""Ways to find the nearest of what somebody may read: ours, and how others do it. Each answers with chunk ids."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from retrieval.search import SearchSettings, search
from tests.benchmarks.made_up import Asked, Corpus

K = 10
Ask = Callable[[Clearance, Asked], Sequence[int]]
_BATCH, _AT_ONCE = 5000, 50_000


@dataclass(frozen=True)
class Contender:
    """`ask` gives at most K ids, best first. Slow ones are asked fewer questions."""

    name: str
    ask: Ask
    is_slow: bool = False


@contextmanager
def ours(urls: DatabaseUrls) -> Iterator[list[Contender]]:
    """The product's own search, whole: transaction, clearance, both locks, texts brought along."""
    with asyncio.Runner() as runner:
        database = Database(urls, pool_size=1)

        def by(settings: SearchSettings) -> Ask:
            def ask(clearance: Clearance, asked: Asked) -> list[int]:
                # Not `runner.run`: it writes out what was found wherever SIGINT is not ignored, which takes 35 ms.
                asking = search(database, clearance, asked.words, asked.vector, settings)
                found = runner.get_loop().run_until_complete(asking)
                return [candidate.passage.chunk_id for candidate in found]

            return ask

        try:
            yield [
                Contender("Ostiary, vectors", by(SearchSettings(candidates=K, lexical_weight=0))),
                Contender("Ostiary, strict", by(SearchSettings(candidates=K, lexical_weight=0, strict=True))),
                Contender("Ostiary, hybrid", by(SearchSettings())),
            ]
        finally:
            runner.run(database.close())


@contextmanager
def plain_pgvector(admin_url: str) -> Iterator[list[Contender]]:
    """The same table and index, no row-level security, everything as the planner and pgvector have it by default."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        register_vector(connection)
        statement = (
            "SELECT chunk_id FROM retrieval.chunk_vec WHERE workspace_id = 1 AND label_id = ANY(%s)"
            f" ORDER BY emb <#> %s LIMIT {K}"
        )

        def ask(clearance: Clearance, asked: Asked) -> list[int]:
            rows = connection.execute(statement, (sorted(clearance.label_ids), asked.vector))
            return [number for (number,) in rows]

        yield [Contender("pgvector, plain", ask)]


@contextmanager
def metadata_filter(admin_url: str, corpus: Corpus) -> Iterator[list[Contender]]:
    """A table and a filter as LangChain's PGVector makes them: the label in JSONB, compared as text."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        register_vector(connection)
        connection.execute("DROP TABLE IF EXISTS public.langchain_pg_embedding")
        connection.execute(
            "CREATE TABLE public.langchain_pg_embedding"
            " (id varchar PRIMARY KEY, embedding vector(384), document varchar, cmetadata jsonb)"
        )
        columns = "(id, embedding, document, cmetadata)"
        with connection.cursor().copy(
            f"COPY public.langchain_pg_embedding {columns} FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(["varchar", "vector", "varchar", "jsonb"])
            for at, label in enumerate(corpus.labels.tolist()):
                copy.write_row(
                    (str(at + 1), corpus.vectors[at], "text", psycopg.types.json.Jsonb({"label": label}))
                )
        connection.execute("SET maintenance_work_mem = '2GB'")
        connection.execute(
            "CREATE INDEX ON public.langchain_pg_embedding USING gin (cmetadata jsonb_path_ops);"
            "CREATE INDEX ON public.langchain_pg_embedding"
            " USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 128)"
        )
        connection.execute("VACUUM ANALYZE public.langchain_pg_embedding")
        statement = (
            "SELECT id, embedding <=> %s AS distance FROM public.langchain_pg_embedding"
            f" WHERE cmetadata ->> 'label' = ANY(%s) ORDER BY distance LIMIT {K}"
        )

        def ask(clearance: Clearance, asked: Asked) -> list[int]:
            wanted = [str(label) for label in sorted(clearance.label_ids)]
            return [int(number) for number, _ in connection.execute(statement, (asked.vector, wanted))]

        try:
            yield [Contender("JSONB filter (LangChain)", ask)]
        finally:
            connection.execute("DROP TABLE public.langchain_pg_embedding")


@contextmanager
def chroma(corpus: Corpus) -> Iterator[list[Contender]]:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    shelf = client.create_collection(
        "chunks", configuration={"hnsw": {"space": "ip", "ef_construction": 128}}
    )
    for start in range(0, len(corpus.labels), _BATCH):
        batch = range(start, min(start + _BATCH, len(corpus.labels)))
        shelf.add(
            ids=[str(at + 1) for at in batch],
            embeddings=corpus.vectors[batch.start : batch.stop],
            metadatas=[{"label": int(label)} for label in corpus.labels[batch.start : batch.stop]],
        )

    def ask(clearance: Clearance, asked: Asked) -> list[int]:
        where: Any = {"label": {"$in": sorted(clearance.label_ids)}}
        found = shelf.query(query_embeddings=asked.vector[None, :], n_results=K, where=where, include=[])
        return [int(number) for number in found["ids"][0]]

    yield [Contender("chromadb, $in", ask, is_slow=True)]


@contextmanager
def lance(corpus: Corpus) -> Iterator[list[Contender]]:
    import lancedb
    import pyarrow as pa

    with tempfile.TemporaryDirectory() as folder:
        flat = pa.FixedSizeListArray.from_arrays(pa.array(corpus.vectors.ravel()), 384)
        ids = pa.array(np.arange(1, len(corpus.labels) + 1))
        table = lancedb.connect(folder).create_table(
            "chunks", pa.table({"id": ids, "label": pa.array(corpus.labels), "vector": flat})
        )
        table.create_index(metric="cosine", num_partitions=256, num_sub_vectors=96)
        table.create_scalar_index("label")

        def ask(clearance: Clearance, asked: Asked) -> list[int]:
            labels = ", ".join(map(str, sorted(clearance.label_ids)))
            found = (
                table.search(asked.vector)
                .distance_type("cosine")
                .where(f"label IN ({labels})", prefilter=True)
                .nprobes(32)
                .refine_factor(10)
                .limit(K)
                .select(["id", "_distance"])
                .to_arrow()
            )
            return [int(number) for number in found["id"].to_pylist()]

        yield [Contender("lancedb, prefilter", ask, is_slow=True)]


def right_answers(corpus: Corpus, clearance: Clearance, asked: Sequence[Asked]) -> list[frozenset[int]]:
    """The K nearest of what is open, of many questions together: what recall is measured by."""
    open_to = np.flatnonzero(corpus.visible_to(clearance))
    vectors = np.stack([one.vector for one in asked])
    best = np.empty((len(asked), 0), dtype=np.int64)
    likeness = np.empty((len(asked), 0), dtype=np.float32)
    for start in range(0, len(open_to), _AT_ONCE):
        these = open_to[start : start + _AT_ONCE]
        likeness = np.concatenate([likeness, vectors @ corpus.vectors[these].T], axis=1)
        best = np.concatenate([best, np.broadcast_to(these + 1, (len(asked), len(these)))], axis=1)
        kept = np.argpartition(-likeness, min(K, likeness.shape[1] - 1), axis=1)[:, :K]
        likeness, best = (np.take_along_axis(some, kept, axis=1) for some in (likeness, best))
    return [frozenset(row.tolist()) for row in best]


def exact(corpus: Corpus) -> Contender:
    """Every visible vector compared in memory."""

    def ask(clearance: Clearance, asked: Asked) -> list[int]:
        open_to = np.flatnonzero(corpus.visible_to(clearance))
        near = corpus.vectors[open_to] @ asked.vector
        best = np.argpartition(-near, min(K, len(near) - 1))[:K]
        return [int(open_to[at]) + 1 for at in best[np.argsort(-near[best])]]

    return Contender("numpy, exact", ask)
