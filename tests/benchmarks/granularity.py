"""Whether a vector of the whole document helps to find its passages: `python -m tests.benchmarks.granularity`.

On sets of long documents: dense ranking of passages alone, and with the similarity of their document added at several
weights. A document's vector is the mean of its passages', or that of a summary: title, headings, first words. Prints
nDCG@10 and the difference with a 95% bootstrap interval. See docs/decisions/0021.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.chunking import token_counter
from retrieval.embedding import LocalEmbeddings, Vectors
from retrieval.weights import embedder_folder
from tests.benchmarks.quality.measures import Floats, interval, ndcg
from tests.benchmarks.quality.sets import SETS, JudgedSet, Paper, sampled
from tests.benchmarks.quality.stand import texts_of

LONG = ("covidqa", "squad2", "policyqa")
WEIGHTS = (0.1, 0.2, 0.3, 0.5)
_HEADINGS, _FIRST = 400, 500  # letters


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the sets")
    options.add_argument("--questions", type=int, default=300, help="at most so many of each set")
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    chosen = options.parse_args()
    embeddings = LocalEmbeddings.load(embedder_folder(cache=chosen.cache))
    count = token_counter(embeddings.tokenizer)
    for name in LONG:
        report(sampled(SETS[name](chosen.data, count), chosen.questions), embeddings)


def report(judged: JudgedSet, embeddings: LocalEmbeddings) -> None:
    passages = embeddings.encode(texts_of(judged.papers))
    questions = embeddings.encode([question.text for question in judged.questions])
    document_of = np.repeat(np.arange(len(judged.papers)), [len(paper.chunks) for paper in judged.papers])
    alone = scored(judged, questions @ passages.T)
    print(
        f"\n**{judged.name}**: {len(judged.papers)} documents, {len(passages)} passages, {alone.mean():.3f}\n"
    )
    print("| document by | weight | nDCG@10 | difference |\n|---|---|---|---|")
    ways = {
        "mean of passages": means(passages, document_of),
        "summary": embeddings.encode([summary(paper) for paper in judged.papers]),
    }
    for way, documents in ways.items():
        for weight in WEIGHTS:
            both = scored(judged, questions @ passages.T + weight * (questions @ documents.T)[:, document_of])
            added = interval(both - alone)
            print(
                f"| {way} | {weight} | {both.mean():.3f} | {added.mean:+.3f} ({added.low:+.3f} to {added.high:+.3f}) |"
            )


def means(passages: Vectors, document_of: np.ndarray) -> Vectors:
    found = np.stack([passages[document_of == at].mean(0) for at in range(document_of.max() + 1)])
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def summary(paper: Paper) -> str:
    headings = dict.fromkeys(heading for chunk in paper.chunks for heading in chunk.heading_path)
    return f"{paper.title}\n{'; '.join(headings)[:_HEADINGS]}\n{paper.chunks[0].text[:_FIRST]}"


def scored(judged: JudgedSet, scores: Vectors) -> Floats:
    """nDCG@10 of each question; `scores` is (questions, passages)."""
    units = [unit for paper in judged.papers for unit in paper.units]
    ranked = (_units(row, units) for row in scores)
    return np.array(
        [ndcg(found, question.relevant) for found, question in zip(ranked, judged.questions, strict=True)]
    )


def _units(scores: Vectors, units: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(units[at] for at in np.argsort(-scores)[:100]))


if __name__ == "__main__":
    main()
