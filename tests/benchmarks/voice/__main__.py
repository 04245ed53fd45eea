"""The bot as a process, in the sandbox: `python -m tests.benchmarks.voice [acknowledgements] [first] [kills]`.

acknowledgements: `--events` questions at one moment while the model is at work; seconds until Slack hears "ok".
first: one question after the other, warm; seconds until the first words stand in Slack.
kills: `--questions` questions, `--rate` a second, the bot killed with SIGKILL every `--every` seconds and started
anew; how many were not answered, and how many twice. A server on this machine writes at once, so that it is the
queue and the posting that are tried.

Prints the figures, writes voice.json into `--out`. Exit code 1 where the 99th percentile of acknowledgements is over
0.5 s, the first words take 2 s, or a question is lost or doubled.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from auth.server import throwaway_server
from migrations.upgrade import upgrade
from retrieval.embedding import LocalEmbeddings
from retrieval.weights import embedder_folder
from tests.benchmarks.voice.measuring import (
    Acknowledged,
    FirstWords,
    Outlived,
    add_handbook,
    first_words,
    kill_again_and_again,
    time_acknowledgements,
)
from tests.benchmarks.voice.writing import quick_writer
from tests.conftest import CACHE, fresh_database
from tests.scenarios.bot_process import Workplace, open_workplace

MEASURES = ("acknowledgements", "first", "kills")
ACKNOWLEDGED_S, FIRST_S = 0.5, 2.0
Figures = Acknowledged | FirstWords | Outlived


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("measures", nargs="*", default=list(MEASURES), choices=[*MEASURES, []])
    options.add_argument("--events", type=int, default=200)
    options.add_argument("--warm", type=int, default=10, help="questions of which the first words are timed")
    options.add_argument("--questions", type=int, default=1000)
    options.add_argument("--rate", type=float, default=2.0, help="questions a second, in the run with kills")
    options.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    options.add_argument("--out", type=Path, default=Path("bench"))
    chosen = options.parse_args()
    found = asyncio.run(_measure(chosen))
    chosen.out.mkdir(parents=True, exist_ok=True)
    said = {name: asdict(figures) for name, figures in found.items()}
    (chosen.out / "voice.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    sys.exit(0 if all(_met(figures) for figures in found.values()) else 1)


async def _measure(chosen: argparse.Namespace) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name in chosen.measures:
        async with _workplace(name) as workplace:
            if name == "acknowledgements":
                found[name] = await time_acknowledgements(workplace, chosen.events)
            elif name == "first":
                found[name] = await first_words(workplace, chosen.warm)
            else:
                async with quick_writer() as url:
                    workplace.settings |= {"OSTIARY_GENERATOR_URL": url, "OSTIARY_GENERATOR_MODEL": "quick"}
                    found[name] = await kill_again_and_again(
                        workplace, chosen.questions, chosen.rate, chosen.every
                    )
        print(f"{name}: {found[name]}", flush=True)
    return found


@asynccontextmanager
async def _workplace(name: str) -> AsyncIterator[Workplace]:
    embeddings = LocalEmbeddings.load(embedder_folder(cache=CACHE))
    with throwaway_server() as server:
        upgrade(server.url())
        with fresh_database(server, name) as urls:
            async with open_workplace(urls, embeddings) as workplace:
                workplace.settings["OSTIARY_PROBE_HOURS"] = "0"
                await add_handbook(urls, embeddings)
                yield workplace


def _met(figures: Figures) -> bool:
    if isinstance(figures, Acknowledged):
        return figures.p99_s < ACKNOWLEDGED_S
    if isinstance(figures, FirstWords):
        return figures.median_s < FIRST_S
    return not figures.lost and not figures.doubled


if __name__ == "__main__":
    main()
