"""Which words are common under a label: counted anew whenever it has grown or shrunk enough to matter.

The search weighs a word by how rare it is and looks up the rare ones alone. What it goes by may lag behind: that
changes how well passages are ordered and how long it takes, never which of them may be found.
"""

from sqlalchemy import text

from auth.database import WORKSPACE, Database

FEWEST_CHUNKS = 50
"""Under fewer than these no word is common enough to be left out."""

_DUE = text(
    f"SELECT label_id FROM retrieval.label_count WHERE workspace_id = {WORKSPACE}"
    f" AND chunks >= {FEWEST_CHUNKS} AND (chunks > 1.25 * counted OR chunks < 0.5 * counted) ORDER BY label_id"
)
_COUNT = text("SELECT retrieval.count_words(:label_id)")
_COUNTED = text(
    f"UPDATE retrieval.label_count SET counted = chunks WHERE workspace_id = {WORKSPACE} AND label_id = :label_id"
)


async def count_words(database: Database, workspace_id: int) -> int:
    """Count the words of labels that changed much, each in a transaction of its own; returns how many were."""
    async with database.writing_in(workspace_id) as connection:
        due = list((await connection.execute(_DUE)).scalars())
    for label_id in due:
        async with database.writing_in(workspace_id) as connection:
            await connection.execute(_COUNT, {"label_id": label_id})
            await connection.execute(_COUNTED, {"label_id": label_id})
    return len(due)
