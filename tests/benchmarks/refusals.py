"""Whether denied takes as long as missing: `python -m tests.benchmarks.refusals [--pairs 200] [--indexed]`.

Two questions a pair, alike but for an invented name of six letters. A coin says about which of the two names a
document is written that the asker may not read; about the other there is nothing. Whatever else makes one question
slower than another, the coin has spread it evenly, so that the test of the differences is exact: signed ranks, with
signs drawn again ten thousand times.

Measured are passages alone, whole answers with the language model, and passages for a word that stands in
thousands of closed chunks against a word that stands nowhere: by the clock on the wall, as an asker could, and by
processor time, which sees more on a machine shared with others. `--indexed` searches by the vector index, as where
more than 20,000 passages may be read. Exit code 1 where denied and missing can be told apart (p < .01).
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import APP, READER, WORKSPACE, Database, DatabaseUrls
from auth.directory import register_workspace
from auth.granting import define_built_in_roles
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.server import throwaway_server
from bot.runtime import load_embeddings, open_assistant, open_ingestor
from bot.settings import Settings
from migrations.upgrade import upgrade
from retrieval.embedding import LocalEmbeddings, as_pgvector
from retrieval.ingestion import Ingestor, Submission
from retrieval.retriever import Library, RetrievalSettings
from retrieval.search import SearchSettings
from tests.benchmarks.door_search import Bench, Spent, bench_on
from tests.conftest import CACHE

MATTERS = ("budget", "deadline", "supplier", "headcount", "location", "margin", "priority", "risk")
VALUES = ("forty thousand euros", "the ninth of May", "Brindle and Sons", "eleven people", "Leipzig", "low")
CROWD_WORDS, NOTICED = 40, 0.01

Seconds = npt.NDArray[np.float64]
Ask = Callable[[str], Awaitable[object]]

_CROWD = text(
    "WITH d AS ("
    " INSERT INTO retrieval.document (workspace_id, label_id, uri, title)"
    f" VALUES ({WORKSPACE}, :label_id, 'crowd', 'Crowd') RETURNING id"
    "), n AS ("
    " INSERT INTO retrieval.version (workspace_id, document_id, label_id, is_current, content_hash, title, media_type)"
    f" SELECT {WORKSPACE}, id, :label_id, true, '', 'Crowd', 'text/plain' FROM d RETURNING id, document_id"
    "), c AS ("
    " INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "  heading_path, tokens, words)"
    f" SELECT {WORKSPACE}, n.document_id, n.id, :label_id, true, at, said, '{{}}', 40, to_tsvector('english', said)"
    " FROM n, generate_series(1, :chunks) AS at, CAST(:said AS text) AS said RETURNING id, document_id, ordinal"
    ") INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    f" SELECT {WORKSPACE}, id, :label_id, document_id,"
    "  CAST((CAST(:vectors AS text[]))[1 + ordinal % cardinality(CAST(:vectors AS text[]))] AS vector) FROM c"
)


@dataclass(frozen=True)
class Pair:
    """Questions that differ in a name alone: about one there is a closed document, about the other nothing."""

    matter: str
    closed: str
    missing: str

    def asked(self, denied: bool) -> str:
        return f"What is the {self.matter} of project {self.closed if denied else self.missing}?"


@dataclass(frozen=True)
class Verdict:
    """Medians in seconds, their difference with its middle 95%, and the odds of such a difference by chance."""

    denied: float
    missing: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def noticed(self) -> bool:
        return self.p < NOTICED

    def __str__(self) -> str:
        said = "TOLD APART" if self.noticed else "within noise"
        return (
            f"{self.denied * 1000:.2f} | {self.missing * 1000:.2f} | {self.difference * 1000:+.3f}"
            f" ({self.low * 1000:+.3f} to {self.high * 1000:+.3f}) | {self.p:.3f} | {said}"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=200)
    options.add_argument("--open", type=int, default=300, help="documents that the asker may read")
    options.add_argument("--crowd", type=int, default=5000, help="closed chunks that share their words")
    options.add_argument("--indexed", action="store_true", help="search by the vector index")
    options.add_argument("--without-answers", action="store_true", help="passages alone, without the model")
    chosen = options.parse_args()
    with throwaway_server() as server:
        upgrade(server.url())
        urls = DatabaseUrls(server.url(), server.url(APP), server.url(READER))
        verdicts = asyncio.run(measure(urls, chosen))
    sys.exit(1 if any(verdict.noticed for verdict in verdicts) else 0)


async def measure(urls: DatabaseUrls, chosen: argparse.Namespace) -> list[Verdict]:
    rng = random.Random(3)
    settings = Settings(home=CACHE.parent, threads=2)
    database, verdicts = Database(urls, pool_size=1), []
    print("| | denied, ms | missing, ms | difference (95% interval) | p | |\n|---|---|---|---|---|---|")
    try:
        embeddings = await load_embeddings(settings)
        async with open_ingestor(settings, database, embeddings) as ingestor:
            company = await found_company(database, embeddings, ingestor, chosen, rng)
        how = RetrievalSettings(search=SearchSettings(exact_below=0 if chosen.indexed else 20_000))
        library = Library(database, embeddings, settings=how)

        async def passages(question: str) -> None:
            await library.passages(question, company.clearance)

        bench = await bench_on(database)
        verdicts += await told_apart("passages", bench, passages, company.pairs, rng, times=3)
        verdicts += await told_apart("passages, crowded", bench, passages, company.crowded, rng, times=3)
        if not chosen.without_answers:
            async with open_assistant(settings, database, company.workspace_id, embeddings) as assistant:

                async def answer(question: str) -> None:
                    await assistant.answer(question, company.clearance)

                verdicts += await told_apart("answers", bench, answer, company.pairs, rng, times=1)
    finally:
        await database.close()
    return verdicts


@dataclass(frozen=True)
class Company:
    """Documents open and closed; `crowded` are pairs whose closed names stand in every chunk of the crowd."""

    workspace_id: int
    clearance: Clearance
    pairs: list[Pair]
    crowded: list[Pair]


async def found_company(
    database: Database,
    embeddings: LocalEmbeddings,
    ingestor: Ingestor,
    chosen: argparse.Namespace,
    rng: random.Random,
) -> Company:
    async with database.registering() as connection:
        workspace_id = await register_workspace(connection, "T0BENCH", "Benchmark")
    async with database.writing_in(workspace_id) as connection:
        await define_built_in_roles(connection)
        everyone = await intern_label(connection, parse_policy("everyone"))
        nobody = await intern_label(connection, parse_policy("nobody"))
    names = invented_names(rng)
    pairs = [Pair(rng.choice(MATTERS), next(names), next(names)) for _ in range(chosen.pairs)]
    crowd = [(next(names), next(names)) for _ in range(CROWD_WORDS)]
    crowded = [Pair(rng.choice(MATTERS), *rng.choice(crowd)) for _ in range(chosen.pairs)]
    await tell(ingestor, workspace_id, everyone, [next(names) for _ in range(chosen.open)], rng)
    await tell(ingestor, workspace_id, nobody, [pair.closed for pair in pairs], rng)
    said = ", ".join(closed for closed, _ in crowd)  # and no other word that is asked for
    vectors = embeddings.encode(
        [f"What is the {m} of project {closed}?" for closed, _ in crowd for m in MATTERS]
    )
    async with database.writing_in(workspace_id) as connection:
        values = {"label_id": nobody, "said": said, "vectors": [as_pgvector(vector) for vector in vectors]}
        await connection.execute(_CROWD, {**values, "chunks": chosen.crowd})
    return Company(workspace_id, Clearance(workspace_id, frozenset({everyone}), 1), pairs, crowded)


def invented_names(rng: random.Random) -> Iterator[str]:
    """Names of six letters, no two alike."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    known: set[str] = set()
    while len(known) < len(syllables) ** 3 // 2:
        name = "".join(rng.choices(syllables, k=3)).capitalize()
        if name not in known:
            known.add(name)
            yield name


async def tell(
    ingestor: Ingestor, workspace_id: int, label_id: int, names: Sequence[str], rng: random.Random
) -> None:
    """A document about each name, that says everything that is ever asked."""
    for name in names:
        facts = [f"The {matter} of project {name} is {rng.choice(VALUES)}." for matter in MATTERS]
        data = "\n".join(facts).encode()
        await ingestor.ingest(workspace_id, Submission(f"{name}.txt", f"{name}.txt", data, label_id))


async def told_apart(
    name: str, bench: Bench, ask: Ask, pairs: Sequence[Pair], rng: random.Random, times: int
) -> list[Verdict]:
    """Ask both questions of every pair, in an order drawn anew, `times` over; the median counts."""
    for pair in pairs[:5]:
        await ask(pair.asked(denied=True).replace(pair.closed, "Warmup"))
    turns: list[dict[tuple[int, bool], Spent]] = [{} for _ in range(times)]
    for spent in turns:
        for at in rng.sample(range(len(pairs)), len(pairs)):
            for denied in rng.sample([True, False], 2):
                spent[at, denied] = await bench.timed(ask(pairs[at].asked(denied)))
    verdicts = []
    for clock in ("wall", "work"):
        denied_s, missing_s = (
            np.median([[getattr(spent[at, d], clock) for at in range(len(pairs))] for spent in turns], axis=0)
            for d in (True, False)
        )
        verdicts.append(judged(denied_s, missing_s))
        print(f"| {name}, {len(pairs)} pairs, {clock} | {verdicts[-1]} |", flush=True)
    return verdicts


def judged(denied: Seconds, missing: Seconds) -> Verdict:
    rng = np.random.default_rng(5)
    differences = denied - missing
    drawn = np.median(differences[rng.integers(0, len(differences), (5000, len(differences)))], axis=1)
    low, high = (float(x) for x in np.quantile(drawn, (0.025, 0.975)))
    return Verdict(
        float(np.median(denied)),
        float(np.median(missing)),
        float(np.median(differences)),
        low,
        high,
        signed_rank_p(differences, rng),
    )


def signed_rank_p(differences: Seconds, rng: np.random.Generator, draws: int = 10_000) -> float:
    """Two-sided: how often signs drawn by chance make the ranks of the differences as one-sided as they are."""
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1.0
    seen = abs(float((np.sign(differences) * ranks).sum()))
    signs = rng.choice([-1.0, 1.0], (draws, len(differences)))
    return float((1 + (np.abs(signs @ ranks) >= seen).sum()) / (1 + draws))


if __name__ == "__main__":
    main()
