"""A passage: a run of text that its reader may read, with all that a citation of it needs."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Passage:
    """One retrieved chunk. `score` is the ranking's own, higher is better; `page` counts from 1."""

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
