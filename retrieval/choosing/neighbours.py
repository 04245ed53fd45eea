"""Chunks that adjoin in one section, chosen together, are one passage: a reader would not have cut it there."""

from collections.abc import Sequence
from dataclasses import replace

from retrieval.passages import Passage
from retrieval.search import Candidate

MOST_JOINED = 3
"""Chunks in a passage: a section that was chosen whole would leave no room for what others say."""


def joined(chosen: Sequence[Candidate]) -> list[Passage]:
    """Passages in the order of their best chunk. A joined one names all its chunks and has the best's score."""
    runs: list[list[Candidate]] = []
    for candidate in chosen:
        beside = [run for run in runs if any(_adjoin(candidate, other) for other in run)]
        if not beside or len(beside[0]) == MOST_JOINED:
            runs.append([candidate])
            continue
        beside[0].append(candidate)
        for further in beside[1:]:  # it stood between two
            if len(beside[0]) + len(further) <= MOST_JOINED:
                beside[0].extend(further)
                runs.remove(further)
    return [_passage(run) for run in runs]


def _adjoin(one: Candidate, other: Candidate) -> bool:
    return (
        one.version_id == other.version_id
        and abs(one.ordinal - other.ordinal) == 1
        and one.passage.label_id == other.passage.label_id
        and one.passage.heading_path == other.passage.heading_path
    )


def _passage(run: Sequence[Candidate]) -> Passage:
    best = run[0].passage
    if len(run) == 1:
        return best
    in_order = sorted(run, key=lambda candidate: candidate.ordinal)
    return replace(
        best,
        text="\n\n".join(candidate.passage.text for candidate in in_order),
        page=in_order[0].passage.page,
        joined_ids=tuple(c.passage.chunk_id for c in in_order if c.passage.chunk_id != best.chunk_id),
    )
