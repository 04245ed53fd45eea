"""A passage: a run of text that its reader may read, with all that a citation of it needs."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Passage:
    """A retrieved chunk, or several that adjoin: then `joined_ids` names the others.

    `score` is the ranking's own, higher is better; `page` counts from 1.
    """

    chunk_id: int
    document_id: int
    label_id: int
    title: str
    text: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    url: str | None = None
    dated: date | None = None
    score: float = 0.0
    joined_ids: tuple[int, ...] = ()

    @property
    def chunk_ids(self) -> tuple[int, ...]:
        """All chunks that its text was taken from: what is checked before an answer from it is told."""
        return (self.chunk_id, *self.joined_ids)
