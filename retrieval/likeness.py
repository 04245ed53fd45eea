"""Documents that are the same, or nearly: found by their bytes and by MinHash, shown to whoever may read both.

A signature estimates the Jaccard index of two sets of word runs (Broder 1997); bands of it find candidates by an
index (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4). Nothing is merged: each keeps its label.
"""

import hashlib
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

RUN, HASHES, ROWS = 4, 128, 4
ALIKE = 0.8
"""Jaccard index from which documents count as alike; 1 is the same words in the same order."""
_BLOCK = 4096
_WORD = re.compile(r"\w+")
_rng = np.random.default_rng(8191)  # fixed for good: signatures are stored
_ODD = _rng.integers(0, 2**63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_ADD = _rng.integers(0, 2**63, HASHES, dtype=np.uint64)
_PLACES = _rng.integers(0, 2**63, RUN, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

_REMEMBER = text(
    "INSERT INTO retrieval.likeness (workspace_id, version_id, document_id, label_id, bytes_hash, signature, bands)"
    f" VALUES ({WORKSPACE}, :version_id, :document_id, :label_id, :bytes_hash, :signature, :bands)"
)
# Of the current versions alone; `&&` goes by the index on bands, and equal bytes by theirs.
_CANDIDATES = text(
    "WITH mine AS MATERIALIZED (SELECT l.workspace_id, l.document_id, l.bytes_hash, l.signature, l.bands"
    "  FROM retrieval.likeness l JOIN retrieval.version n"
    "   ON n.workspace_id = l.workspace_id AND n.id = l.version_id AND n.is_current"
    f"  WHERE l.workspace_id = {WORKSPACE} AND l.document_id = :document_id)"
    " SELECT l.document_id, l.bytes_hash = mine.bytes_hash AS same_bytes, l.signature, mine.signature AS wanted"
    " FROM mine JOIN retrieval.likeness l ON l.workspace_id = mine.workspace_id"
    "  AND l.document_id <> mine.document_id AND (l.bands && mine.bands OR l.bytes_hash = mine.bytes_hash)"
    " JOIN retrieval.version n ON n.workspace_id = l.workspace_id AND n.id = l.version_id AND n.is_current"
    " ORDER BY same_bytes DESC, l.document_id LIMIT :most"
)
MOST_COMPARED = 2000


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a version to compare it by. `signature` is (128,) of uint32."""

    bytes_hash: bytes
    signature: npt.NDArray[np.uint32]

    @property
    def bands(self) -> list[int]:
        """(32,): each a hash of four numbers of the signature, as signed 64 bits."""
        return [
            int.from_bytes(
                hashlib.blake2b(bytes([i]) + band.tobytes(), digest_size=8).digest(), "big", signed=True
            )
            for i, band in enumerate(self.signature.reshape(-1, ROWS))
        ]


@dataclass(frozen=True)
class Alike:
    """Another document, and how much of their words is shared, 0 to 1."""

    document_id: int
    share: float
    same_bytes: bool


def fingerprint(data: bytes, words: str) -> Fingerprint:
    """Of a document's bytes, and of all that was read in it."""
    runs = _runs(words)
    signature = np.full(HASHES, 2**32 - 1, dtype=np.uint32)
    for start in range(0, len(runs), _BLOCK):
        block = runs[start : start + _BLOCK, None]
        hashed = ((block * _ODD + _ADD) >> np.uint64(32)).astype(np.uint32)
        np.minimum(signature, hashed.min(axis=0), out=signature)
    return Fingerprint(hashlib.sha256(data).digest(), signature)


def _runs(words: str) -> npt.NDArray[np.uint64]:
    """(n,): a hash of each run of four words; of a shorter text, one of all of it."""
    known: dict[str, int] = {}
    found = _WORD.findall(words.lower())
    for word in found:
        if word not in known:
            known[word] = int.from_bytes(
                hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
            )
    numbers = np.array([known[word] for word in found], dtype=np.uint64)
    numbers = np.pad(numbers, (0, max(0, RUN - len(numbers))))
    runs = np.zeros(len(numbers) - RUN + 1, dtype=np.uint64)
    for place in range(RUN):
        runs += numbers[place : place + len(runs)] * _PLACES[place]
    runs ^= runs >> np.uint64(29)
    return np.unique(runs * np.uint64(0xBF58476D1CE4E5B9))


async def remember_likeness(
    connection: AsyncConnection, document_id: int, version_id: int, label_id: int, found: Fingerprint
) -> None:
    """Keep what a new version is compared by. Takes a connection of `Database.writing_in`."""
    values = {"document_id": document_id, "version_id": version_id, "label_id": label_id}
    stored = {"signature": found.signature.tobytes(), "bands": found.bands, "bytes_hash": found.bytes_hash}
    await connection.execute(_REMEMBER, {**values, **stored})


async def documents_like(connection: AsyncConnection, document_id: int) -> list[Alike]:
    """Documents like this one, the most alike first, as far as `connection` sees them both.

    For people, one of `Database.reading_as`: that a document is there which says the same tells what it says.
    """
    rows = await connection.execute(_CANDIDATES, {"document_id": document_id, "most": MOST_COMPARED})
    alike = [Alike(row.document_id, _share(row.signature, row.wanted), row.same_bytes) for row in rows]
    return sorted(
        (found for found in alike if found.share >= ALIKE or found.same_bytes),
        key=lambda found: (-found.same_bytes, -found.share, found.document_id),
    )


def _share(one: bytes, other: bytes) -> float:
    return float((np.frombuffer(one, np.uint32) == np.frombuffer(other, np.uint32)).mean())
