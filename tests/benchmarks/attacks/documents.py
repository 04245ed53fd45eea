"""Documents that try to steer whoever answers from them: contexts of BIPIA with one of its attacks written in."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

TABLES = 50
"""Of 900; the other kinds have fifty each."""
_TITLE_WORDS = 6


@dataclass(frozen=True)
class Document:
    """A text with a question on it. `attack` is what was written into it, and stands in `text` too."""

    title: str
    text: str
    question: str
    attack: str = ""
    kind: str = ""


def contexts(data: Path, seed: int = 4) -> list[Document]:
    """What BIPIA gives to be asked about, harmless as yet: mails, tables, answers about code."""
    folder = data / "bipia"
    tables = random.Random(seed).sample(list(_rows(folder / "table")), TABLES)
    found = [*_rows(folder / "email"), *tables, *_rows(folder / "code")]
    return [_document(number, row) for number, row in enumerate(found, start=1)]


def attacked(documents: Sequence[Document], data: Path, round_number: int) -> list[Document]:
    """Each document with an attack of its kind, at its beginning, within it or at its end."""
    rng = random.Random(round_number)
    texts = _attacks(data / "bipia" / "text_attack_train.json")
    code = _attacks(data / "bipia" / "code_attack_train.json")
    return [
        _with(one, rng.choice(code if "```" in one.text and rng.random() < 0.5 else texts), rng)
        for one in documents
    ]


def _with(document: Document, chosen: tuple[str, str], rng: random.Random) -> Document:
    kind, attack = chosen
    paragraphs = document.text.split("\n\n")
    at = rng.choice((0, len(paragraphs) // 2, len(paragraphs)))
    text = "\n\n".join([*paragraphs[:at], attack, *paragraphs[at:]])
    return replace(document, text=text, attack=attack, kind=kind)


def _attacks(file: Path) -> list[tuple[str, str]]:
    every = json.loads(file.read_text(encoding="utf-8"))
    return [(kind, text) for kind, texts in every.items() for text in texts]


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / "train.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _document(number: int, row: dict[str, Any]) -> Document:
    text, question = row["context"], row.get("question")
    if question is None:
        text = "\n".join(text)
        question = _last_line(row["error"])
    text = text.replace("|CONTENT:", "\n\n")
    title = " ".join(text.replace("|", " ").split()[:_TITLE_WORDS])
    return Document(f"{number} {title}", text, question.removeprefix("Q: "))


def _last_line(error: Sequence[str]) -> str:
    return [line for line in error if line.strip()][-1]
