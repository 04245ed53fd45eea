"""How well questions that ask the same are put together: `python -m tests.benchmarks.gaps [--cache DIR]`.

Precision and recall of pairs of questions, for each cosine from which two are taken to ask the same, over questions
in three wordings and others that ask what is near (questions.toml).
"""

import argparse
import time
import tomllib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from bot.gaps import ALIKE
from bot.grouping import grouped
from retrieval.embedding import LocalEmbeddings
from retrieval.weights import embedder_folder

COSINES = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, default=None, help="folder of the packaged models")
    embeddings = LocalEmbeddings.load(embedder_folder(cache=parser.parse_args().cache))
    asked = tomllib.loads((Path(__file__).parent / "questions.toml").read_text(encoding="utf-8"))
    groups = [*asked["groups"], *([single] for single in asked["singles"])]
    texts = [(words, at) for at, group in enumerate(groups) for words in group]
    began = time.perf_counter()
    vectors = embeddings.encode([words for words, _ in texts])
    print(f"{len(texts)} questions, {len(groups)} gaps; embedded in {time.perf_counter() - began:.2f} s")
    for alike in COSINES:
        precision, recall = measured(vectors, [at for _, at in texts], alike)
        chosen = "  <- in use" if alike == ALIKE else ""
        print(f"{alike:.2f}  precision {precision:.2f}  recall {recall:.2f}{chosen}")


def measured(vectors: np.ndarray, truth: Sequence[int], alike: float) -> tuple[float, float]:
    """Precision and recall of pairs."""
    group_of = {row: at for at, group in enumerate(grouped(list(vectors), alike)) for row in group}
    pairs = list(combinations(range(len(truth)), 2))
    together = {pair for pair in pairs if group_of[pair[0]] == group_of[pair[1]]}
    same = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    return len(together & same) / max(1, len(together)), len(together & same) / len(same)


if __name__ == "__main__":
    main()
