"""Documents as their readers know them: found by what they are called, read whole, told by when they changed.

Like a search, each statement names the labels of the clearance and runs behind row-level security that compares
them again; what is found is held against the clearance a third time. Raises LocksDisagree as a search does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from auth.clearance import Clearance
from auth.database import Database
from retrieval.embedding import Vectors, as_pgvector
from retrieval.locks import FoundRow, insist_on
from retrieval.passages import Passage
from retrieval.search import LABEL_FILTER
from retrieval.withdrawing import ANSWERS

MOST_NAMED, MOST_CHUNKS, MOST_NEWS = 200, 2000, 1000

_NAMED = f"""
    SELECT v.id AS document_id, v.workspace_id, n.id AS version_id, v.title, v.uri, n.dated,
        ARRAY[v.label_id, n.label_id] AS label_ids
    FROM retrieval.document v
    JOIN retrieval.version n ON n.workspace_id = v.workspace_id AND n.document_id = v.id AND n.is_current
    WHERE {LABEL_FILTER} AND {ANSWERS.format(d="v")}
        AND lower(v.title || ' ' || v.uri) LIKE ANY (CAST(:patterns AS text[]))
    ORDER BY v.id LIMIT {MOST_NAMED}
"""
_VERSIONS = f"""
    SELECT d.id AS document_id, v.workspace_id, v.id AS version_id, v.title, d.uri, v.dated,
        ARRAY[v.label_id, d.label_id] AS label_ids
    FROM retrieval.version v
    JOIN retrieval.document d ON d.workspace_id = v.workspace_id AND d.id = v.document_id
    WHERE {LABEL_FILTER} AND v.document_id = CAST(:document_id AS bigint) AND {ANSWERS.format(d="d")}
    ORDER BY v.id DESC LIMIT 20
"""
# Every chunk that is told has its own label looked at; of an older version they keep that of their document.
_WHOLE = f"""
    SELECT v.id, v.document_id, v.workspace_id, v.label_id, n.title, v.text, v.heading_path, v.page, d.uri, n.dated,
        ARRAY[v.label_id, n.label_id, d.label_id] AS label_ids
    FROM retrieval.chunk v
    JOIN retrieval.version n ON n.workspace_id = v.workspace_id AND n.id = v.version_id
    JOIN retrieval.document d ON d.workspace_id = v.workspace_id AND d.id = v.document_id
    WHERE {LABEL_FILTER} AND v.version_id = CAST(:version_id AS bigint) AND {ANSWERS.format(d="d")}
    ORDER BY v.ordinal LIMIT CAST(:limit AS bigint)
"""
# What is dated is believed; where a new version bears the date of the one before it, when it came in counts.
_NEWS = f"""
    WITH changed AS MATERIALIZED (
        SELECT v.id AS document_id, v.workspace_id, n.id AS version_id, v.title, v.uri, n.dated, p.id AS before_id,
            CASE WHEN n.dated IS NOT NULL AND n.dated IS DISTINCT FROM p.dated THEN n.dated
                ELSE CAST(n.created_at AS date) END AS day, n.created_at AS came_at,
            coalesce(v.collection_id = CAST(:collection_id AS bigint), false)
                OR lower(v.department) = lower(CAST(:topic AS text)) AS filed,
            ARRAY[v.label_id, n.label_id] AS label_ids
        FROM retrieval.document v
        JOIN retrieval.version n ON n.workspace_id = v.workspace_id AND n.document_id = v.id AND n.is_current
        LEFT JOIN LATERAL (
            SELECT o.id, o.dated FROM retrieval.version o
            WHERE o.workspace_id = v.workspace_id AND o.document_id = v.id AND o.id < n.id
                AND o.label_id = ANY(CAST(:label_ids AS bigint[]))
            ORDER BY o.id DESC LIMIT 1
        ) AS p ON true
        WHERE {LABEL_FILTER} AND {ANSWERS.format(d="v")}
    ), recent AS MATERIALIZED (
        SELECT * FROM changed
        WHERE CASE WHEN CAST(:came_after AS timestamptz) IS NULL
            THEN day >= CAST(:since AS date) AND day <= coalesce(CAST(:until AS date), 'infinity')
            ELSE came_at > CAST(:came_after AS timestamptz) AND came_at <= CAST(:came_until AS timestamptz) END
        ORDER BY day DESC, document_id DESC LIMIT {MOST_NEWS}
    )
    SELECT recent.*, about.in_title, about.in_text, near.nearness FROM recent
    LEFT JOIN LATERAL (
        SELECT bool_or(ts_filter(c.words, '{{a}}') @@ asked.words) AS in_title,
            bool_or(c.words @@ asked.words) AS in_text
        FROM retrieval.chunk c,
            (SELECT plainto_tsquery('english', retrieval.folded(CAST(:topic AS text))) AS words) AS asked
        WHERE c.workspace_id = recent.workspace_id AND c.version_id = recent.version_id
            AND c.label_id = ANY(CAST(:label_ids AS bigint[]))
    ) AS about ON CAST(:topic AS text) <> ''
    LEFT JOIN LATERAL (
        SELECT max(-(c.emb <#> CAST(:vector AS vector))) AS nearness FROM retrieval.chunk_vec c
        WHERE c.workspace_id = recent.workspace_id AND c.document_id = recent.document_id
            AND c.label_id = ANY(CAST(:label_ids AS bigint[]))
    ) AS near ON CAST(:topic AS text) <> ''
    ORDER BY recent.day DESC, recent.document_id DESC
"""


@dataclass(frozen=True)
class Edition:
    """One state of a document: its current one, or an older one that is kept."""

    document_id: int
    version_id: int
    title: str
    uri: str
    dated: date | None


@dataclass(frozen=True)
class Period:
    """The days on which what is told of was new, both included; `until` None: up to now.

    `came` instead: the moments after and until which it came in, whatever date it bears.
    """

    since: date
    until: date | None = None
    came: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class News:
    """A document that is new, or has a new state. `before_id` is the version before it; None: it is new.

    `day`: the date that it bears, or on which it came in. `filed`: in the collection, or of a department, that is
    called like the topic. `in_title`, `in_text`: it has every word of the topic there, in one passage; `nearness`
    is the cosine of its nearest passage to the topic.
    """

    edition: Edition
    day: date
    before_id: int | None
    filed: bool = False
    in_title: bool = False
    in_text: bool = False
    nearness: float = 0.0


async def documents_named(database: Database, clearance: Clearance, words: Sequence[str]) -> list[Edition]:
    """Documents with any of these words in title or address; at most MOST_NAMED."""
    patterns = [f"%{_escaped(word.lower())}%" for word in words]
    if not patterns:
        return []
    return _editions(clearance, await _read(database, clearance, _NAMED, patterns=patterns))


async def versions_of(database: Database, clearance: Clearance, document_id: int) -> list[Edition]:
    """The states of a document, the newest first."""
    return _editions(clearance, await _read(database, clearance, _VERSIONS, document_id=document_id))


async def read_whole(
    database: Database, clearance: Clearance, version_id: int, limit: int = MOST_CHUNKS
) -> list[Passage]:
    """The text of one state of a document, a passage for each chunk, from the beginning."""
    rows = await _read(database, clearance, _WHOLE, version_id=version_id, limit=limit)
    insist_on(clearance, _found(rows, "id"))
    return [
        Passage(
            chunk_id=row.id,
            document_id=row.document_id,
            label_id=row.label_id,
            title=row.title,
            text=row.text,
            heading_path=tuple(row.heading_path),
            page=row.page,
            url=row.uri,
            dated=row.dated,
        )
        for row in rows
    ]


async def whats_new(
    database: Database,
    clearance: Clearance,
    period: Period,
    topic: str = "",
    vector: Vectors | None = None,
    collection_id: int | None = None,
) -> list[News]:
    """What is new or changed in a period, the newest first; at most MOST_NEWS.

    With a topic, whose `vector` is L2-normalised, each tells what it has to do with it: nothing is left out for it.
    `collection_id` is that of the collection which is called like the topic, if there is one.
    """
    rows = await _read(
        database,
        clearance,
        _NEWS,
        since=period.since,
        until=period.until,
        came_after=period.came[0] if period.came else None,
        came_until=period.came[1] if period.came else None,
        topic=topic if vector is not None else "",
        vector=as_pgvector(vector) if vector is not None else None,
        collection_id=collection_id,
    )
    editions = _editions(clearance, rows)
    return [
        News(
            edition,
            row.day,
            row.before_id,
            bool(topic) and row.filed,
            bool(row.in_title),
            bool(row.in_text),
            float(row.nearness or 0.0),
        )
        for edition, row in zip(editions, rows, strict=True)
    ]


async def _read(database: Database, clearance: Clearance, statement: str, **binds: object) -> Sequence[Any]:
    labels = {"workspace_id": clearance.workspace_id, "label_ids": sorted(clearance.label_ids)}
    return await database.read_once(clearance, statement, {**labels, **binds})


def _editions(clearance: Clearance, rows: Sequence[Any]) -> list[Edition]:
    insist_on(clearance, _found(rows, "document_id"))
    return [Edition(row.document_id, row.version_id, row.title, row.uri, row.dated) for row in rows]


def _found(rows: Sequence[Any], key: str) -> list[FoundRow]:
    return [FoundRow(getattr(row, key), row.workspace_id, frozenset(row.label_ids)) for row in rows]


def _escaped(word: str) -> str:
    """A word in which LIKE finds no pattern."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
