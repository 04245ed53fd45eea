"""Passages by their ids, for somebody who wants to look at them: authorised anew, whoever named the ids."""

from collections.abc import Collection, Sequence
from typing import Any

from auth.clearance import Clearance
from auth.database import Database
from retrieval.locks import FoundRow, insist_on
from retrieval.passages import Passage
from retrieval.search import LABEL_FILTER, passage_of
from retrieval.withdrawing import ANSWERS

AROUND = 1
"""Chunks on either side that are shown with one."""

_SHOWN = f"""
    SELECT v.id, v.workspace_id, v.document_id, v.label_id, n.title, v.text, v.heading_path, v.page, d.uri, n.dated,
        0.0 AS score, ARRAY[v.label_id, n.label_id, d.label_id] AS label_ids
    FROM retrieval.chunk v
        JOIN retrieval.version n ON n.workspace_id = v.workspace_id AND n.id = v.version_id
        JOIN retrieval.document d ON d.workspace_id = v.workspace_id AND d.id = v.document_id
    WHERE {LABEL_FILTER} AND {ANSWERS.format(d="d")}
"""
_BY_ID = f"{_SHOWN} AND v.id = ANY(CAST(:chunk_ids AS bigint[]))"
_AROUND = f"""{_SHOWN} AND (v.version_id, v.ordinal) IN (
        SELECT m.version_id, m.ordinal + step
        FROM retrieval.chunk m, generate_series(-CAST(:around AS integer), CAST(:around AS integer)) AS step
        WHERE m.workspace_id = :workspace_id AND m.id = :chunk_id AND m.label_id = ANY(CAST(:label_ids AS bigint[]))
    ) ORDER BY v.ordinal
"""


async def passages_of(
    database: Database, clearance: Clearance, chunk_ids: Collection[int]
) -> dict[int, Passage]:
    """Those of these chunks that `clearance` may read now, by id. Raises LocksDisagree as `search` does."""
    rows = await _read(database, clearance, _BY_ID, {"chunk_ids": sorted(chunk_ids)})
    return {row.id: passage_of(row) for row in rows}


async def surroundings_of(database: Database, clearance: Clearance, chunk_id: int) -> list[Passage]:
    """A chunk between those that stand before and after it, as far as they may be read; empty: it may not."""
    rows = await _read(database, clearance, _AROUND, {"chunk_id": chunk_id, "around": AROUND})
    return [passage_of(row) for row in rows] if any(row.id == chunk_id for row in rows) else []


async def _read(
    database: Database, clearance: Clearance, statement: str, binds: dict[str, object]
) -> Sequence[Any]:
    of_clearance = {"workspace_id": clearance.workspace_id, "label_ids": sorted(clearance.label_ids)}
    rows = await database.read_once(clearance, statement, {**of_clearance, **binds})
    found = [FoundRow(row.id, row.workspace_id, frozenset(row.label_ids)) for row in rows]
    insist_on(clearance, found)
    return rows
