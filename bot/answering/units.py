"""Passages cut into the units that an answer may quote: sentences, table rows, and lists with their lead-in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answering.sanitize import clean, without_forged_turns
from bot.answering.steering import steers
from retrieval.passages import Passage
from retrieval.sentences import split_sentences

_ITEM = re.compile(r"\s*(?:[-*+•‣◦–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+(?P<text>\S.*)")
_QUOTE_CHARACTERS = 600
_FEWEST_WORDS = 2


@dataclass(frozen=True)
class Unit:
    """One quotable text. `passage` counts from 0; `context` stands above it: title, heading, lead-in."""

    passage: int
    text: str
    context: str


def units_of(passages: Sequence[Passage]) -> list[Unit]:
    """The units of all passages in order, each text once: documents repeat each other.

    What speaks to whoever answers is none: it tells readers nothing.
    """
    seen: set[str] = set()
    found: list[Unit] = []
    for index, passage in enumerate(passages):
        for unit in _units(index, passage):
            key = unit.text.casefold()
            if key not in seen and len(unit.text.split()) >= _FEWEST_WORDS and not steers(unit.text):
                seen.add(key)
                found.append(unit)
    return found


def _units(index: int, passage: Passage) -> list[Unit]:
    """A question answers nobody: it stands above the sentence behind it, as in a list of questions and answers."""
    above = clean(" - ".join((passage.title, *passage.heading_path[-1:])))
    body = without_forged_turns(passage.text)
    lists = _lists(body)
    units, lead_in = [], ""
    items: frozenset[str] = frozenset()
    asked = ""
    for sentence in split_sentences(body):
        text = clean(sentence)
        if text.endswith("?"):
            asked = text
            continue
        if sentence in lists:
            lead_in, items = text, frozenset(_bare(item) for item in lists[sentence])
            units.append(
                Unit(index, _shortened(f"{text} {'; '.join(_bare(i) for i in lists[sentence])}."), above)
            )
        elif items and _bare(text) in items:
            units.append(Unit(index, _shortened(text), f"{above} - {lead_in}"))
        elif text and not text.endswith(":"):
            units.append(Unit(index, _shortened(text), f"{above} - {asked}" if asked else above))
            asked = ""
    return units


def _lists(text: str) -> dict[str, list[str]]:
    """Lead-in sentence (it ends with a colon) -> the items of the list under it, bullets and numbers dropped."""
    found: dict[str, list[str]] = {}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if not line.rstrip().endswith(":"):
            continue
        items = _items_after(lines, at + 1)
        sentences = split_sentences(line)
        if items and sentences:
            found[sentences[-1]] = items
    return found


def _items_after(lines: Sequence[str], start: int) -> list[str]:
    items: list[str] = []
    for line in lines[start:]:
        item = _ITEM.match(line)
        if item:
            items.append(item["text"].strip())
        elif line.strip():
            break
    return items


def _bare(text: str) -> str:
    """An item without its number and final stop, to stand in a row with others."""
    item = _ITEM.match(text)
    return clean(item["text"] if item else text).rstrip(".;,")


def _shortened(text: str) -> str:
    """At most _QUOTE_CHARACTERS, cut between words; what is cut shows as an ellipsis."""
    if len(text) <= _QUOTE_CHARACTERS:
        return text
    return text[:_QUOTE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
