"""Digests by date on dated news: `python -m tests.benchmarks.reuters --data DIR`.

1,000 articles of Reuters of February and March 1987, each with its date and topics (Reuters-21578, research use
only). Asked is what was new on each day, on everything and on each common topic; measured is whether a digest that is
as long as it needs to be has all that is of those days and nothing else, and in what order. Of a topic, precision and
recall are told against the topics that editors gave: an article may well be on one that they did not. Writes
reuters.json into `--out`.
"""

import argparse
import asyncio
import html
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import psycopg

from auth.clearance import Clearance
from auth.database import Database
from bot.answering import special
from bot.answering.intents import Digest, recognise
from bot.answering.special import SpecialAnswers
from retrieval.chunking import chunk, token_counter
from retrieval.documents import News, Period, whats_new
from retrieval.embedding import LocalEmbeddings
from retrieval.parsing.document import Block, ParsedDocument
from retrieval.weights import embedder_folder
from tests.benchmarks.quality.sets import JudgedSet, Paper
from tests.benchmarks.quality.stand import KeptEncoder, shelve, throwaway_library

FILE = "reuters-1000/reut2-000.sgm"
ALL, FEWEST_OF_A_TOPIC = 10_000, 12
# What people call the topics whose names editors abbreviated.
CALLED = {
    "acq": "acquisitions and mergers",
    "earn": "quarterly earnings",
    "crude": "crude oil",
    "money-fx": "foreign exchange",
    "interest": "interest rates",
    "veg-oil": "vegetable oil",
    "nat-gas": "natural gas",
    "money-supply": "money supply",
    "gnp": "gross national product",
    "ship": "shipping",
    "cpi": "consumer prices",
    "bop": "balance of payments",
}


@dataclass(frozen=True)
class Article:
    """A piece of news, and the topics that editors gave it."""

    title: str
    body: str
    day: date
    topics: frozenset[str]


def articles_in(file: Path) -> list[Article]:
    """All that have a text."""
    raw = file.read_text(encoding="latin-1")
    found = []
    for said in re.findall(r"<REUTERS.*?</REUTERS>", raw, re.DOTALL):
        title, body, day = (_part(said, tag) for tag in ("TITLE", "BODY", "DATE"))
        topics = frozenset(re.findall(r"<D>(.*?)</D>", _part(said, "TOPICS")))
        if title and body:
            on = datetime.strptime(day.split()[0].title(), "%d-%b-%Y").date()
            found.append(Article(_clean(title), _clean(body), on, topics))
    return found


def _part(said: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", said, re.DOTALL)
    return found[1].strip() if found else ""


def _clean(said: str) -> str:
    return " ".join(re.sub(r"&#\d+;", " ", html.unescape(said.replace("&lt;", "<"))).split())


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the sets")
    options.add_argument("--out", type=Path, default=Path("bench"), help="results, and vectors kept")
    options.add_argument("--cache", type=Path, default=Path(".ostiary/models"), help="converted models")
    chosen = options.parse_args()
    folder = embedder_folder(cache=chosen.cache)
    embeddings = LocalEmbeddings.load(folder)
    articles = articles_in(chosen.data / FILE)
    count = token_counter(embeddings.tokenizer)
    judged = JudgedSet("reuters", [_paper(article, count) for article in articles], [], 0)
    encoder = KeptEncoder(embeddings, folder, chosen.out / "vectors")
    with throwaway_library() as urls:
        shelf = shelve(urls, 1, judged, encoder.passages(judged.papers))
        _date(urls.admin, articles)
        found = asyncio.run(_measure(Database(urls), shelf.clearance, articles, embeddings))
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "reuters.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


def _paper(article: Article, count: object) -> Paper:
    paper = Paper(article.title)
    parsed = ParsedDocument(article.title, (Block(article.body),), "text/plain")
    paper.add(article.title, chunk(parsed, count))  # type: ignore[arg-type]
    return paper


def _date(url: str, articles: Sequence[Article]) -> None:
    """Documents are numbered from 1, in the order of the articles."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('ostiary.workspace_id', '1', false)")
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE retrieval.version SET dated = %s WHERE workspace_id = 1 AND document_id = %s",
                [(article.day, at) for at, article in enumerate(articles, start=1)],
            )


async def _measure(
    database: Database, clearance: Clearance, articles: Sequence[Article], embeddings: LocalEmbeddings
) -> dict[str, object]:
    answers = SpecialAnswers(database, embeddings.encode, today=lambda: date(1987, 3, 31))
    try:
        by_day = await _days(answers, clearance, articles)
        topics = await _topics(answers, database, clearance, articles, embeddings)
        began = time.perf_counter()
        made = await answers.answer(_digest("Latest on crude oil since 26 February 1987"), clearance)
        print(
            f"\nA digest of 12 lines: {time.perf_counter() - began:.2f} s\n{made and made.answer.text[:1500]}"
        )
    finally:
        await database.close()
    return {"days": by_day, "topics": topics}


def _digest(question: str) -> Digest:
    found = recognise(question, date(1987, 3, 31))
    assert isinstance(found, Digest), question
    return found


async def _days(
    answers: SpecialAnswers, clearance: Clearance, articles: Sequence[Article]
) -> dict[str, dict[str, float]]:
    """Each day alone, and from each day on: as somebody would ask for it."""
    print(f"{len(articles)} articles")
    found = {}
    for day, _ in sorted(Counter(article.day for article in articles).items()):
        for question in (f"What was new on {day.day} {day:%B %Y}?", f"What is new since {day:%Y-%m-%d}?"):
            since = "since" in question
            wanted = {at for at, a in enumerate(articles, 1) if (a.day >= day if since else a.day == day)}
            news = await answers.news(_digest(question), clearance, ALL)
            found[question] = _judged(news, wanted)
            print(f"  {question:42} {_told(found[question])}")
    return found


async def _topics(
    answers: SpecialAnswers,
    database: Database,
    clearance: Clearance,
    articles: Sequence[Article],
    embeddings: LocalEmbeddings,
) -> dict[str, dict[str, float]]:
    counted = Counter(topic for article in articles for topic in article.topics)
    common = [topic for topic, number in counted.most_common() if number >= FEWEST_OF_A_TOPIC]
    found: dict[str, dict[str, float]] = {}
    heard: list[tuple[News, bool]] = []
    for topic in common:
        called = CALLED.get(topic, topic)
        wanted = {at for at, article in enumerate(articles, 1) if topic in article.topics}
        news = await answers.news(Digest(called, date(1987, 1, 1)), clearance, ALL)
        found[topic] = _judged(news, wanted)
        print(f"  {called:42} {_told(found[topic])}")
        every = await whats_new(
            database, clearance, Period(date(1987, 1, 1)), called, embeddings.encode([called])[0]
        )
        heard += [(item, item.edition.document_id in wanted) for item in every]
    means = {key: sum(one[key] for one in found.values()) / len(found) for key in ("recall", "precision")}
    print(f"  mean of {len(common)} topics: {_told({**means, 'in order': 1.0, 'items': 0})}")
    for near in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 2.0):
        said = [right for item, right in heard if item.in_title or item.in_text or item.nearness >= near]
        all_of_them = sum(right for _, right in heard)
        print(
            f"  near {near}: recall {sum(said) / all_of_them:.2f}  precision {sum(said) / max(1, len(said)):.2f}"
        )
    print(f"  (the product's: {special.NEAR})")
    return found


def _judged(news: Sequence[News], wanted: set[int]) -> dict[str, float]:
    """Recall and precision of what is listed, and the share of neighbours that stand newest first."""
    listed = [item.edition.document_id for item in news]
    right = len(wanted & set(listed))
    steps = [earlier.day >= later.day for earlier, later in pairwise(news)]
    return {
        "items": len(listed),
        "recall": right / len(wanted) if wanted else 1.0,
        "precision": right / len(listed) if listed else 0.0,
        "in order": sum(steps) / len(steps) if steps else 1.0,
    }


def _told(judged: Mapping[str, float]) -> str:
    return "  ".join(
        f"{key} {value:.2f}" if key != "items" else f"{value:4} items" for key, value in judged.items()
    )


if __name__ == "__main__":
    main()
