"""The files that are ingested: pages of a handbook, and files of many formats that both pipelines can read."""

import random
from collections.abc import Sequence
from pathlib import Path

READ_BY_BOTH = (".md", ".txt", ".csv", ".pdf")
"""What LangChain's loaders read with the libraries that Ostiary needs anyway."""
CORPORA = {"handbook": "sourcegraph-handbook/content", "doc-formats": "doc-formats"}


def files_of(data: Path, corpus: str, at_most: int, largest_mb: float) -> list[Path]:
    """A fixed sample of the corpus's files, in an order that mixes large and small."""
    found = sorted(
        file
        for file in (data / CORPORA[corpus]).rglob("*")
        if file.suffix.lower() in READ_BY_BOTH and 0 < file.stat().st_size <= largest_mb * 2**20
    )
    random.Random(1).shuffle(found)
    return found[:at_most]


def rounds_of(files: Sequence[Path], rounds: int) -> list[list[Path]]:
    return [list(files[at::rounds]) for at in range(rounds)]


def megabytes(files: Sequence[Path]) -> float:
    return sum(file.stat().st_size for file in files) / 2**20
