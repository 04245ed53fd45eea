"""What there is to be read, for whoever does not know what to ask: titles and headings under a clearance."""

from dataclasses import dataclass

from auth.clearance import Clearance
from auth.database import Database
from retrieval.locks import FoundRow, insist_on
from retrieval.search import LABEL_FILTER
from retrieval.withdrawing import ANSWERS


@dataclass(frozen=True)
class Subject:
    """Something that a document says something about."""

    title: str
    heading: str


_TITLES = f"""
    SELECT v.id, v.workspace_id, ARRAY[v.label_id] AS label_ids, v.title
    FROM retrieval.document v WHERE {LABEL_FILTER} AND {ANSWERS.format(d="v")}
    ORDER BY v.id DESC LIMIT CAST(:most AS integer)
"""
# Of each of the latest documents the first few chunks: variety, whatever was taken in last and however long it is.
_SUBJECTS = f"""
    SELECT c.id, c.workspace_id, ARRAY[c.label_id, d.label_id] AS label_ids, d.title,
        coalesce(c.heading_path[array_length(c.heading_path, 1)], d.title) AS heading
    FROM (
        SELECT v.workspace_id, v.id, v.label_id, v.title FROM retrieval.document v
        WHERE {LABEL_FILTER} AND {ANSWERS.format(d="v")}
            AND (CAST(:origin AS text) = '' OR v.uri LIKE CAST(:origin AS text))
        ORDER BY v.id DESC LIMIT CAST(:most AS integer)
    ) AS d CROSS JOIN LATERAL (
        SELECT v.workspace_id, v.id, v.label_id, v.heading_path FROM retrieval.chunk v
        WHERE {LABEL_FILTER} AND v.is_current AND v.document_id = d.id ORDER BY v.id LIMIT 4
    ) AS c
"""


async def titles_of(database: Database, clearance: Clearance, most: int) -> list[str]:
    """Titles of the latest documents that `clearance` may read, each once."""
    rows = await database.read_once(clearance, _TITLES, {**_binds(clearance), "most": most})
    insist_on(clearance, [FoundRow(r.id, r.workspace_id, frozenset(r.label_ids)) for r in rows])
    return list(dict.fromkeys(row.title for row in rows))


async def subjects_of(
    database: Database, clearance: Clearance, most: int, channel_id: str = ""
) -> list[Subject]:
    """Headings of up to `most` of the latest documents that `clearance` may read.

    `channel_id`: of what was said in that Slack channel.
    """
    origin = f"slack-%:{channel_id}:%" if channel_id else ""
    binds = {**_binds(clearance), "most": most, "origin": origin}
    rows = await database.read_once(clearance, _SUBJECTS, binds)
    insist_on(clearance, [FoundRow(r.id, r.workspace_id, frozenset(r.label_ids)) for r in rows])
    return list(dict.fromkeys(Subject(row.title, row.heading) for row in rows))


def _binds(clearance: Clearance) -> dict[str, object]:
    return {"workspace_id": clearance.workspace_id, "label_ids": sorted(clearance.label_ids)}
