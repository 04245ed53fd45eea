"""A throwaway PostgreSQL with the judged sets in it, each in a workspace of its own, all under one label."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from auth.clearance import Clearance
from auth.database import APP, READER, DatabaseUrls
from auth.server import throwaway_server
from migrations.upgrade import upgrade
from retrieval.chunking import embedding_text
from retrieval.embedding import LocalEmbeddings, Vectors, as_pgvector
from retrieval.reranking.token_codes import EncodedPassage, encode_passages
from tests.benchmarks.quality.sets import JudgedSet, Paper

LABEL = 1

# Words as `retrieval.ingestion` makes them.
_STORE = """
    INSERT INTO retrieval.document (workspace_id, id, label_id, uri, title)
        SELECT DISTINCT ON (document_id) {workspace}, document_id, 1, 'doc' || document_id, title
        FROM given ORDER BY document_id;
    INSERT INTO retrieval.version
        (workspace_id, id, document_id, label_id, is_current, content_hash, title, media_type)
        SELECT workspace_id, id, id, label_id, true, '', title, 'text/plain' FROM retrieval.document
        WHERE workspace_id = {workspace};
    INSERT INTO retrieval.chunk
        (workspace_id, id, document_id, version_id, label_id, is_current, ordinal, text, heading_path, tokens, words,
            token_codes)
        SELECT {workspace}, id, document_id, document_id, 1, true, ordinal, said, headings, tokens,
            retrieval.chunk_words(title, headings, said, 'en'), codes
        FROM given ORDER BY id;
    INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)
        SELECT {workspace}, id, 1, document_id, emb::vector FROM given ORDER BY id;
"""


@dataclass(frozen=True)
class Shelf:
    """A set in the database: who may read it, and the unit that each chunk belongs to."""

    judged: JudgedSet
    clearance: Clearance
    unit_of: dict[int, str]


@contextmanager
def throwaway_library() -> Iterator[DatabaseUrls]:
    with throwaway_server() as server:
        upgrade(server.url())
        yield DatabaseUrls(server.url(), server.url(APP), server.url(READER))


def shelve(
    urls: DatabaseUrls, workspace: int, judged: JudgedSet, passages: Sequence[EncodedPassage]
) -> Shelf:
    """Bring a set in, by COPY. `passages` has a row for each chunk, in order."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute(
            "SELECT set_config('ostiary.workspace_id', %s, false), set_config('ostiary.actor', 'benchmark', false)",
            [str(workspace)],
        )
        connection.execute(
            "INSERT INTO auth.workspace (id, team_id, name) VALUES (%s, %s, %s)",
            [workspace, f"T{workspace}", judged.name],
        )
        connection.execute(
            "INSERT INTO auth.access_label (workspace_id, id, policy) VALUES (%s, 1, 'everyone')", [workspace]
        )
        connection.execute(
            "CREATE TEMP TABLE given (id bigint, document_id bigint, title text, ordinal bigint, said text,"
            " headings text[], tokens bigint, emb text, codes bytea)"
        )
        with connection.cursor().copy("COPY given FROM STDIN") as copy:
            for row in _rows(judged.papers, passages):
                copy.write_row(row)
        for statement in _STORE.format(workspace=workspace).split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("DROP TABLE given")
        connection.execute("SELECT retrieval.count_words(%s)", [LABEL])
        connection.execute("VACUUM ANALYZE")
    units = [unit for paper in judged.papers for unit in paper.units]
    return Shelf(judged, Clearance(workspace, frozenset([LABEL]), 1), dict(enumerate(units, start=1)))


def _rows(papers: Sequence[Paper], passages: Sequence[EncodedPassage]) -> Iterator[tuple[object, ...]]:
    number = 0
    for document, paper in enumerate(papers, start=1):
        for ordinal, piece in enumerate(paper.chunks):
            emb, codes = as_pgvector(passages[number].vector), passages[number].token_codes
            number += 1
            headings = list(piece.heading_path)
            yield number, document, paper.title, ordinal, piece.text, headings, piece.tokens, emb, codes


def texts_of(papers: Sequence[Paper]) -> list[str]:
    return [embedding_text(paper.title, p.heading_path, p.text) for paper in papers for p in paper.chunks]


@dataclass(frozen=True)
class KeptEncoder:
    """The embedder, with what it made of the same texts before kept in a folder."""

    embeddings: LocalEmbeddings
    model: Path
    folder: Path

    def questions(self, texts: Sequence[str]) -> Vectors:
        kept = self._file("questions", texts)
        if not kept.is_file():
            np.save(kept, self.embeddings.encode(texts))
        found: Vectors = np.load(kept)
        return found

    def passages(self, papers: Sequence[Paper]) -> list[EncodedPassage]:
        texts = texts_of(papers)
        kept = self._file("passages", texts).with_suffix(".npz")
        if not kept.is_file():
            made = [
                encode_passages(self.embeddings, texts[at : at + 256]) for at in range(0, len(texts), 256)
            ]
            codes = [passage.token_codes for some in made for passage in some]
            np.savez(
                kept,
                vectors=np.stack([passage.vector for some in made for passage in some]),
                codes=np.frombuffer(b"".join(codes), dtype=np.uint8),
                ends=np.cumsum([len(code) for code in codes]),
            )
        with np.load(kept) as held:
            codes = [part.tobytes() for part in np.split(held["codes"], held["ends"][:-1])]
            return [EncodedPassage(*one) for one in zip(held["vectors"], codes, strict=True)]

    def _file(self, kind: str, texts: Sequence[str]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(json.dumps([str(self.model), *texts]).encode()).hexdigest()[:24]
        return self.folder / f"{kind}-{digest}.npy"
