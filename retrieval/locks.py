"""Two locks stand before every row, and an alarm rings when they do not agree.

The application names the labels of a clearance in its statements; PostgreSQL compares every row with them again.
Each is enough alone, so that one of them may break unnoticed: what is found is therefore held against the
clearance a third time, here, and now and then each lock is tried alone on everything it lets through.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.clearance import Clearance

log = structlog.get_logger(__name__)

NAMED_AT_MOST = 20
"""Rows a side that an alarm names."""
POLICIES, FILTER, FUNCTION = "row-level security", "application filter", "lexical_candidates"
CHUNKS, VECTORS = "chunk", "chunk_vec"
RowIds = tuple[int, int]
"""The id of a row, and its label's."""


@dataclass(frozen=True)
class Difference:
    """What one side lets through and the other does not: the first ids, with label ids; no text, no title."""

    compared: str
    only: Mapping[str, tuple[RowIds, ...]]

    def __str__(self) -> str:
        sides = [f"{side} alone admits {_listed(rows)}" for side, rows in self.only.items()]
        return f"{self.compared}: {'; '.join(sides) or 'a difference that was gone a moment later'}"


class LocksDisagree(Exception):
    """An alarm, not a mistake that its asker could mend: one lock let through what the other did not."""

    def __init__(self, clearance: Clearance, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        super().__init__(
            f"The locks on the documents of workspace {clearance.workspace_id} disagree for the clearance"
            f" {clearance.fingerprint}, and nothing was returned. {'. '.join(map(str, differences))}."
        )


@dataclass(frozen=True)
class CrossCheck:
    """How often a search tries each lock alone first: the share of searches, 0 never to 1 always."""

    share: float
    rng: random.Random = field(default_factory=random.SystemRandom)

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"A share of searches lies between 0 and 1; {self.share} does not.")

    def is_due(self) -> bool:
        return self.rng.random() < self.share


@dataclass(frozen=True)
class FoundRow:
    """Where something found stands: its id, its workspace, and the labels of all that it was put together from."""

    id: int
    workspace_id: int
    label_ids: frozenset[int]


def insist_on(clearance: Clearance, found: Iterable[FoundRow]) -> None:
    """Raise LocksDisagree if anything found stands outside the clearance: then both locks let it through."""
    outside = [
        (row.id, label_id)
        for row in found
        for label_id in sorted(row.label_ids)
        if row.workspace_id != clearance.workspace_id or label_id not in clearance.label_ids
    ]
    if outside:
        _ring(
            clearance, [Difference("found outside the clearance", {"both": tuple(outside[:NAMED_AT_MOST])})]
        )


async def compare_locks(
    connection: AsyncConnection, clearance: Clearance, label_filter: str, binds: Mapping[str, object]
) -> None:
    """Read all that the clearance opens behind each lock alone; raise LocksDisagree unless both read the same.

    `connection` reads as `clearance`. `label_filter` is SQL on `v.workspace_id` and `v.label_id`, the application's
    own, with its values in `binds`, where the `question` and the number of `candidates` stand too. Both
    readings are one statement, so that they see one moment of a database that is being written to.
    """
    readings = _READINGS.format(label_filter=label_filter)
    digests = (await connection.execute(text(readings + _DIGESTS), binds)).all()
    differing = _differing(digests)
    if differing:
        rows = await connection.execute(
            text(readings + _DIFFERENCES), {**binds, "differing": differing, "most": NAMED_AT_MOST}
        )
        _ring(clearance, _differences(differing, rows.all()))


def _ring(clearance: Clearance, differences: Sequence[Difference]) -> None:
    log.critical(
        "locks disagree",
        workspace_id=clearance.workspace_id,
        clearance=clearance.fingerprint,
        differences={difference.compared: dict(difference.only) for difference in differences},
    )
    raise LocksDisagree(clearance, differences)


def _differing(digests: Sequence[Row[Any]]) -> list[str]:
    """What the two sides did not read alike. A side that read nothing at all has no digest."""
    read: dict[str, list[tuple[int, int]]] = {}
    for row in digests:
        read.setdefault(row.compared, []).append((row.how_many, row.digest))
    return sorted(compared for compared, both in read.items() if len(both) != 2 or both[0] != both[1])


def _differences(differing: Sequence[str], rows: Sequence[Row[Any]]) -> list[Difference]:
    only: dict[str, dict[str, tuple[RowIds, ...]]] = {compared: {} for compared in differing}
    for row in rows:
        side = only[row.compared]
        side[row.side] = (*side.get(row.side, ()), (row.id, row.label_id))
    return [Difference(compared, sides) for compared, sides in only.items()]


def _listed(rows: Sequence[RowIds]) -> str:
    return ", ".join(f"{row} under {label}" for row, label in rows)


_TABLES = {
    "document": "id",
    "version": "id",
    "chunk": "id",
    "chunk_vec": "chunk_id",
    "label_count": "label_id",
}
_SEEN = ", ".join(
    f"seen_{table} AS MATERIALIZED (SELECT t.workspace_id, t.{name} AS id, t.label_id"
    f"{', t.is_current' if table == 'chunk' else ''} FROM retrieval.{table} t)"
    for table, name in _TABLES.items()
)
_BEHIND_POLICIES = " UNION ALL ".join(
    f"SELECT '{table}', '{POLICIES}', t.workspace_id, t.id, t.label_id FROM seen_{table} t"
    for table in _TABLES
)
# Behind the policies each table is read once, since they parse the labels again for every row they compare.
# The application's filter picks from every label there is, and the function reads what stands under those it
# picked: whatever the filter would have let through without row-level security. Of what full-text search finds, all
# must be seen behind the policies. The chunks that can be found and their vectors are compared too: where their
# labels differ, each table's two locks may still agree.
_READINGS = f"""
    WITH picked AS MATERIALIZED (
        SELECT array_agg(v.workspace_id) AS workspace_ids, array_agg(v.label_id) AS label_ids
        FROM retrieval.labels_known() v WHERE {{label_filter}}
    ),
    {_SEEN},
    lexical AS MATERIALIZED (
        SELECT chunk_id FROM retrieval.lexical_candidates(retrieval.asked_words(:question), :candidates)
    ),
    seen_lexical AS MATERIALIZED (
        SELECT t.workspace_id, t.id, t.label_id FROM lexical JOIN seen_chunk t ON t.id = chunk_id AND t.is_current
    ),
    reading (compared, side, workspace_id, id, label_id) AS (
        {_BEHIND_POLICIES}
        UNION ALL SELECT r.kind, '{FILTER}', r.workspace_id, r.id, r.label_id
            FROM picked, retrieval.rows_under(picked.workspace_ids, picked.label_ids) r
        UNION ALL SELECT 'full-text', '{POLICIES}', workspace_id, id, label_id FROM seen_lexical
        UNION ALL SELECT 'full-text', '{FILTER}', r.workspace_id, r.chunk_id, r.label_id
            FROM picked, retrieval.lexical_under(picked.workspace_ids, picked.label_ids,
                                                 retrieval.asked_words(:question), :candidates) r
        UNION ALL SELECT 'full-text function', '{POLICIES}', NULL, id, NULL FROM seen_lexical
        UNION ALL SELECT 'full-text function', '{FUNCTION}', NULL, chunk_id, NULL FROM lexical
        UNION ALL SELECT 'chunks and their vectors', '{CHUNKS}', t.workspace_id, t.id, t.label_id
            FROM seen_chunk t WHERE t.is_current
        UNION ALL SELECT 'chunks and their vectors', '{VECTORS}', t.workspace_id, t.id, t.label_id
            FROM seen_chunk_vec t
    )
"""
# Exclusive or does not mind the order in which rows come.
_DIGESTS = """
    SELECT compared, side, count(*) AS how_many,
        bit_xor(hash_record_extended(ROW(workspace_id, id, label_id), 0)) AS digest
    FROM reading GROUP BY compared, side
"""
_DIFFERENCES = """
    SELECT compared, side, id, label_id FROM (
        SELECT compared, min(side) AS side, id, label_id,
            row_number() OVER (PARTITION BY compared, min(side) ORDER BY id) AS place
        FROM reading WHERE compared = ANY(:differing)
        GROUP BY compared, workspace_id, id, label_id HAVING count(*) = 1
    ) AS one_sided WHERE place <= :most ORDER BY compared, side, id
"""
