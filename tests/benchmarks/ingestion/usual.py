"""The usual pipeline, as LangChain's tutorials write it, with the same weights and the same database.

Loader, RecursiveCharacterTextSplitter of 1000 characters with 200 shared, sentence-transformers with its default
batch of 32, and one executemany into the tables that LangChain's PGVector makes: text, JSONB metadata with a GIN
index, and a vector without an index.
"""

import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from langchain_community.document_loaders import CSVLoader, PyPDFium2Loader, TextLoader
from langchain_core.documents import Document
from langchain_text_splitters import RecursiveCharacterTextSplitter
from sentence_transformers import SentenceTransformer

from tests.benchmarks.ingestion.measured import Measured

TABLE = """
    CREATE TABLE IF NOT EXISTS langchain_pg_embedding (
        id text PRIMARY KEY, collection_id uuid, embedding vector(384), document text, cmetadata jsonb
    );
    CREATE INDEX IF NOT EXISTS ix_cmetadata_gin ON langchain_pg_embedding USING gin (cmetadata jsonb_path_ops);
"""
HNSW = """
    CREATE INDEX IF NOT EXISTS ix_nearest ON langchain_pg_embedding
        USING hnsw (embedding vector_ip_ops) WITH (m = 16, ef_construction = 128);
"""
ADD = """
    INSERT INTO langchain_pg_embedding (id, collection_id, embedding, document, cmetadata)
    VALUES (%s, %s, %s::vector, %s, %s::jsonb)
"""


class UsualPipeline:
    """`indexed` gives its table the index that Ostiary keeps, which the tutorials leave out."""

    def __init__(self, weights: Path, url: str, *, indexed: bool) -> None:
        self._url = url
        self._model = SentenceTransformer(str(weights), device="cpu")
        self._splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000, chunk_overlap=200, add_start_index=True
        )
        self._collection = uuid.uuid4()
        with psycopg.connect(url) as connection:
            connection.execute(TABLE + (HNSW if indexed else ""))

    @staticmethod
    def can_read(file: Path) -> bool:
        return any(document.page_content.strip() for document in _loaded(file))

    def run(self, files: Sequence[Path]) -> Measured:
        began, worked = time.perf_counter(), time.process_time()
        loaded = [document for file in files for document in _loaded(file)]
        pieces = self._splitter.split_documents(loaded)
        texts = [_storable(piece.page_content) for piece in pieces]
        parsed = time.perf_counter()
        vectors = self._model.encode(texts).tolist()
        embedded = time.perf_counter()
        self._store(pieces, texts, vectors)
        ended = time.perf_counter()
        stages = {"parsing": parsed - began, "embedding": embedded - parsed, "storing": ended - embedded}
        worked = time.process_time() - worked
        return Measured(ended - began, worked, len(texts), self._tokens(texts), stages)

    def _store(self, pieces: Sequence[Document], texts: Sequence[str], vectors: Sequence[Any]) -> None:
        rows = [
            (str(uuid.uuid4()), self._collection, str(vector), text, _storable(json.dumps(piece.metadata)))
            for piece, text, vector in zip(pieces, texts, vectors, strict=True)
        ]
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:
            cursor.executemany(ADD, rows)

    def _tokens(self, texts: Sequence[str]) -> int:
        """That the model reads, after it cut what is too long."""
        most = int(self._model.max_seq_length)
        return sum(
            min(len(ids), most) for ids in self._model.tokenizer(list(texts), verbose=False)["input_ids"]
        )


def _loaded(file: Path) -> list[Document]:
    """What cannot be read is left out, as `DirectoryLoader(silent_errors=True)` does."""
    try:
        match file.suffix.lower():
            case ".pdf":
                return PyPDFium2Loader(str(file)).load()
            case ".csv":
                return CSVLoader(str(file)).load()
            case _:
                return TextLoader(str(file), autodetect_encoding=False).load()
    except Exception as error:
        print(f"    the usual pipeline cannot read {file.name}: {type(error).__name__}")
        return []


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, which some PDFs have in text and metadata."""
    return text.replace("\0", "").replace("\\u0000", "")
