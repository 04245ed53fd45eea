"""Ten questions on a real company's handbook, each as two people: `python -m tests.benchmarks.handbook --data DIR`.

DIR is the `content` folder of the Sourcegraph handbook (Apache-2.0, not part of the product): 883 pages in fourteen
departments. Each department becomes a role, the rest is for everyone. Directory and documents come in by the
command line, as an admin would bring them; a second run with the same `--home` finds them there. Prints a
transcript in Markdown, the times of search alone, and of one cold `ostiary ask`. Exit code 1 where an answer lacks
what the page says, or somebody reads it who may not.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import Database
from auth.directory import person_called
from auth.rights import nothing, rights_of
from bot.assistant import NOTHING_FOUND, Assistant, Reply
from bot.cli.answers import cite
from bot.opening import open_database, the_workspace
from bot.runtime import load_embeddings, open_assistant
from bot.settings import load_settings
from retrieval.retriever import Library

DEPARTMENTS = {
    "Ed, engineer": ("engineering", "security", "tech-ops", "cloud", "cto", "product"),
    "Paula, people and finance": ("people-talent", "finance", "legal", "ceo-team"),
    "Sally, sales": ("sales", "marketing", "technical-success", "data-analytics"),
}
OSTIARY = Path(sys.executable).with_name("ostiary")
COMPANY_WIDE = ("benefits-pay-perks", "company-info-and-process", "handbook", "strategy-goals", "team")


@dataclass(frozen=True)
class Asked:
    """A question, what a page says to it, and who asks: first one who may read that page, then one who may not."""

    question: str
    expects: str
    may: str
    may_not: str


QUESTIONS = (
    Asked("How many hours must the working days of buddy and new hire overlap?", "2 hours", "paula", "ed"),
    Asked("Above what amount does spend require a PO?", "$5,000", "paula", "sally"),
    Asked("Within how many business days are customer redlines reviewed?", "3 business days", "paula", "ed"),
    Asked("How often are accepted vulnerabilities reassessed by Security?", "every 6 months", "ed", "sally"),
    Asked("How soon is code committed to main deployed to production?", "24 hours", "ed", "paula"),
    Asked("How often does Okta require MFA authentication?", "12 hours", "ed", "sally"),
    Asked("What do we pay a partner for an expansion within a referred account?", "10%", "sally", "paula"),
    Asked("Within how many days should a complex trial be completed?", "30 days", "sally", "ed"),
    Asked("How many days does a managed project deletion leave to restore it?", "30 days", "ed", "paula"),
    Asked("How much is covered for laptop repairs a year?", "$500", "sally", "gina"),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="the handbook's folder `content`")
    options.add_argument("--home", type=Path, default=Path(".ostiary/handbook"), help="keeps the database")
    chosen = options.parse_args()
    os.environ["OSTIARY_HOME"] = str(chosen.home.resolve())
    chosen.home.mkdir(parents=True, exist_ok=True)
    bring_in(chosen.data, chosen.home)
    cold = seconds_of(["ask", QUESTIONS[0].question, "--as", "paula"])
    wrong = asyncio.run(transcript())
    print(f"\nA cold `ostiary ask` took {cold:.1f} s, from the shell and back.")
    sys.exit(1 if wrong else 0)


def bring_in(data: Path, home: Path) -> None:
    """People and pages, by the command line; what is there already is recognised and left."""
    directory = home / "company.toml"
    directory.write_text(_directory(), encoding="utf-8")
    ostiary("directory", str(directory))
    for roles in DEPARTMENTS.values():
        for role in roles:
            ostiary("ingest", str(data / "departments" / role), "--readers", role, "--department", role)
    for folder in COMPANY_WIDE:
        ostiary("ingest", str(data / folder), "--readers", "everyone")


def _directory() -> str:
    lines = ['[workspace]\nteam_id = "T0HANDBOOK"\nname = "Handbook"\n']
    lines += [f'[[roles]]\nname = "{role}"\n' for roles in DEPARTMENTS.values() for role in roles]
    for name, roles in DEPARTMENTS.items():
        handle = name.split(",")[0].lower()
        lines.append(f'[[people]]\nuser_id = "U0{handle.upper()}"\nhandle = "{handle}"\nname = "{name}"')
        lines.append(f"roles = {list(roles)}\n")
    lines.append('[[people]]\nuser_id = "U0GINA"\nhandle = "gina"\nname = "Gina, a guest"\nkind = "guest"\n')
    return "\n".join(lines)


def ostiary(*arguments: str) -> None:
    done = subprocess.run([OSTIARY, *arguments], check=False, capture_output=True)
    told = (done.stdout or done.stderr).decode().strip().splitlines()
    print(f"    $ ostiary {' '.join(arguments[:1])} {Path(arguments[1]).name}: {told[-1] if told else ''}")


def seconds_of(arguments: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run([OSTIARY, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


async def transcript() -> int:
    """Print questions and answers; returns how many were wrong."""
    wrong = 0
    settings = load_settings()
    async with open_database(settings) as database:
        workspace_id = await the_workspace(database, settings)
        embeddings = await load_embeddings(settings)
        async with open_assistant(settings, database, workspace_id, embeddings) as assistant:
            await _answer(assistant, QUESTIONS[0].question, nothing(workspace_id))  # warms up
            for number, asked in enumerate(QUESTIONS, start=1):
                print(f"\n**{number}. {asked.question}**\n")
                wrong += await _ask_both(assistant, database, workspace_id, asked)
            await _search_alone(assistant.library, database, workspace_id)
    return wrong


async def _ask_both(assistant: Assistant, database: Database, workspace_id: int, asked: Asked) -> int:
    """Ask as who may know and as who may not; returns how many answers were wrong."""
    wrong = 0
    for handle, may in ((asked.may, True), (asked.may_not, False)):
        clearance, name = await _clearance(database, workspace_id, handle)
        reply, seconds = await _answer(assistant, asked.question, clearance)
        hidden, of = await _unseen(database, clearance)
        print(f"- *{name}* ({seconds:.1f} s; {hidden} of {of} pages closed): {_told(reply)}")
        if (asked.expects in reply.answer.text) is not may:
            wrong += 1
            print(f"  - WRONG: '{asked.expects}' expected: {may}")
    return wrong


async def _clearance(database: Database, workspace_id: int, handle: str) -> tuple[Clearance, str]:
    async with database.writing_in(workspace_id) as connection:
        person = await person_called(connection, handle)
    rights = await rights_of(database, workspace_id, person.slack_user_id)
    return (rights.clearance if rights else nothing(workspace_id)), person.name


async def _answer(assistant: Assistant, question: str, clearance: Clearance) -> tuple[Reply, float]:
    began = time.perf_counter()
    reply = await assistant.answer(question, clearance)
    return reply, time.perf_counter() - began


async def _unseen(database: Database, clearance: Clearance) -> tuple[int, int]:
    """How many documents this reader cannot see, of how many; counted by the database itself."""
    count = text("SELECT count(*) FROM retrieval.document WHERE workspace_id = :workspace_id")
    async with database.reading_as(clearance) as connection:
        seen = (await connection.execute(count, {"workspace_id": clearance.workspace_id})).scalar_one()
    async with database.writing_in(clearance.workspace_id) as connection:
        of = (await connection.execute(count, {"workspace_id": clearance.workspace_id})).scalar_one()
    return of - seen, of


def _told(reply: Reply) -> str:
    if not reply.found:
        return NOTHING_FOUND
    sources = "; ".join(cite(number, passage) for number, passage in enumerate(reply.answer.cited, start=1))
    return f"{reply.answer.text} ({sources})"


async def _search_alone(library: Library, database: Database, workspace_id: int) -> None:
    seconds = []
    for _ in range(5):
        for asked in QUESTIONS:
            clearance, _name = await _clearance(database, workspace_id, asked.may)
            began = time.perf_counter()
            await library.passages(asked.question, clearance)
            seconds.append(time.perf_counter() - began)
    print(
        f"\nSearch alone, embedding of the question included, {len(seconds)} times: median"
        f" {np.median(seconds) * 1000:.0f} ms, slowest {np.max(seconds) * 1000:.0f} ms."
    )


if __name__ == "__main__":
    main()
