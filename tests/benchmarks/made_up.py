"""A made-up company for benchmarks: vectors in clusters, words by Zipf's law, labels of very different size."""

import random
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import psycopg
from pgvector.psycopg import register_vector

from auth.clearance import Clearance

Vectors = npt.NDArray[np.float32]
LABELS, VOCABULARY, WORDS_A_CHUNK = 200, 20_000, 60
FEWEST_CHUNKS = 20_000
_CENTRES = 200

# As a superuser, and without the triggers that would look at each row: foreign keys hold, and counts are made below.
_BEFORE = """
    SELECT set_config('ostiary.workspace_id', '1', false), set_config('ostiary.actor', 'benchmark', false),
        set_config('maintenance_work_mem', '2GB', false);
    INSERT INTO auth.workspace (id, team_id, name) VALUES (1, 'T0BENCH', 'Benchmark');
    INSERT INTO auth.access_label (workspace_id, id, policy)
        SELECT 1, n, 'role' || n FROM generate_series(1, {labels}) AS n;
    SET session_replication_role = replica;
    DROP INDEX retrieval.ix_chunk_vec_nearest;
    DROP INDEX retrieval.ix_chunk_words;
    CREATE UNLOGGED TABLE given (id bigint, document_id bigint, label_id bigint, said text);
"""
_ROWS = """
    INSERT INTO retrieval.document (workspace_id, id, label_id, uri, title)
        SELECT DISTINCT ON (document_id) 1, document_id, label_id, 'doc' || document_id, 'Document ' || document_id
        FROM given ORDER BY document_id;
    INSERT INTO retrieval.version
        (workspace_id, id, document_id, label_id, is_current, content_hash, title, media_type)
        SELECT 1, id, id, label_id, true, '', title, 'text/plain' FROM retrieval.document;
    INSERT INTO retrieval.chunk
        (workspace_id, id, document_id, version_id, label_id, is_current, ordinal, text, heading_path, tokens, words)
        SELECT 1, id, document_id, document_id, label_id, true, id, said, '{}', 80, to_tsvector('english', said)
        FROM given ORDER BY id;
    DROP TABLE given;
    INSERT INTO retrieval.label_count (workspace_id, label_id, chunks)
        SELECT 1, label_id, count(*) FROM retrieval.chunk_vec GROUP BY label_id;
    SET session_replication_role = origin
"""
_NEAREST = (
    "CREATE INDEX ix_chunk_vec_nearest ON retrieval.chunk_vec"
    " USING hnsw (emb vector_ip_ops) WITH (m = 16, ef_construction = 128)"
)
_WORDS = (
    "CREATE INDEX ix_chunk_words ON retrieval.chunk"
    " USING gin (retrieval.word_keys(workspace_id, label_id, words)) WITH (fastupdate = off) WHERE is_current"
)


@dataclass(frozen=True)
class Corpus:
    """Chunks by number: the document, label and cluster of each, and its vector, (n, 384)."""

    documents: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    clusters: npt.NDArray[np.int64]
    vectors: Vectors

    def visible_to(self, clearance: Clearance) -> npt.NDArray[np.bool_]:
        """Which chunks a clearance opens, (n,)."""
        return np.isin(self.labels, list(clearance.label_ids))


@dataclass(frozen=True)
class Asked:
    """A question as search takes it."""

    words: str
    vector: Vectors


@dataclass(frozen=True)
class Building:
    """Seconds that the rows, the index of the vectors and that of the words took."""

    rows: float
    nearest: float
    words: float


def made_up(chunks: int, rng: np.random.Generator) -> Corpus:
    """Documents of about 20 chunks, each near one of 200 centres, under labels of log-normal size."""
    how_many = max(chunks // 20, 1)
    weights = rng.lognormal(0, 1.5, LABELS)
    label_of = rng.choice(LABELS, how_many, p=weights / weights.sum()) + 1
    cluster_of = rng.integers(0, _CENTRES, how_many)
    documents = np.sort(rng.integers(0, how_many, chunks))
    centres = rng.normal(size=(_CENTRES, 384)).astype(np.float32)
    vectors = np.empty((chunks, 384), dtype=np.float32)
    for start in range(0, chunks, 50_000):
        near = centres[cluster_of[documents[start : start + 50_000]]]
        vectors[start : start + len(near)] = near + 0.7 * rng.standard_normal(near.shape, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Corpus(documents + 1, label_of[documents], cluster_of[documents], vectors)


def load(admin_url: str, corpus: Corpus) -> Building:
    """Bring a corpus into a database that was just migrated; indexes are built when all is in it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        register_vector(connection)
        for statement in filter(str.strip, _BEFORE.format(labels=LABELS).split(";")):
            connection.execute(statement)
        began = time.perf_counter()
        _copy(connection, corpus)
        for statement in _ROWS.split(";"):
            connection.execute(statement)
        rows, nearest, words = (
            time.perf_counter() - began,
            _timed(connection, _NEAREST),
            _timed(connection, _WORDS),
        )
        connection.execute("SELECT retrieval.count_words(label_id) FROM retrieval.label_count")
        connection.execute("VACUUM ANALYZE")
    return Building(rows, nearest, words)


def _copy(connection: psycopg.Connection, corpus: Corpus) -> None:
    rng = np.random.default_rng(8)
    numbered = list(enumerate(zip(corpus.documents.tolist(), corpus.labels.tolist(), strict=True)))
    with connection.cursor().copy("COPY given FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "int8", "int8", "text"])
        for at, (document, label) in numbered:
            copy.write_row((at + 1, document, label, sentence(int(corpus.clusters[at]), rng, WORDS_A_CHUNK)))
    columns = "(workspace_id, chunk_id, label_id, document_id, emb)"
    with connection.cursor().copy(f"COPY retrieval.chunk_vec {columns} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "int8", "int8", "int8", "vector"])
        for at, (document, label) in numbered:
            copy.write_row((1, at + 1, label, document, corpus.vectors[at]))


def _timed(connection: psycopg.Connection, statement: str) -> float:
    began = time.perf_counter()
    connection.execute(statement)
    return time.perf_counter() - began


def sentence(cluster: int, rng: np.random.Generator, length: int) -> str:
    """Words by Zipf's law; every fourth belongs to the subject of the cluster."""
    ranks = np.minimum(rng.zipf(1.2, length), VOCABULARY)
    own = rng.integers(0, 40, length)
    return " ".join(
        f"subject{cluster}x{own[at]}" if at % 4 == 0 else f"word{rank}" for at, rank in enumerate(ranks)
    )


def clearance_of(share: float, corpus: Corpus, rng: random.Random) -> Clearance:
    """Labels whose chunks make up `share` of all as nearly as in the best of a hundred draws."""
    sizes = np.bincount(corpus.labels, minlength=LABELS + 1)
    wanted = round(share * len(corpus.labels))
    draws = [_drawn(sizes, wanted, rng) for _ in range(100)] if share < 1 else [set(range(1, LABELS + 1))]
    best = min(draws, key=lambda held: abs(wanted - int(sizes[list(held)].sum())))
    return Clearance(1, frozenset(best), 1)


def _drawn(sizes: npt.NDArray[np.int64], wanted: int, rng: random.Random) -> set[int]:
    held: set[int] = set()
    left = wanted
    for label_id in rng.sample(range(1, LABELS + 1), LABELS):
        if 0 < sizes[label_id] <= left * 1.2:
            held.add(label_id)
            left -= int(sizes[label_id])
    return held


def a_question(corpus: Corpus, clearance: Clearance, rng: np.random.Generator) -> Asked:
    """Near to a chunk that may be read: six words, two of them rare."""
    at = int(rng.choice(np.flatnonzero(corpus.visible_to(clearance))))
    vector = corpus.vectors[at] + rng.normal(scale=0.02, size=384).astype(np.float32)
    words = sentence(int(corpus.clusters[at]), rng, 6)
    return Asked(f"What of {words}?", vector / np.linalg.norm(vector))
