"""Summaries, digests and comparisons: answers made of whole documents, not of the passages that a search finds.

Each is made of sentences of what the clearance opens, every one with the passage that it stands in; nothing of what
was read is used that is not named among the sources or in `read`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from auth.clearance import Clearance
from auth.database import Database
from bot.answering.answer import Answer, CitedSentence
from bot.answering.comparing import Difference, differences
from bot.answering.grounds import Grounded, quotes
from bot.answering.intents import DIGEST_DAYS, Comparison, Digest, Intent, Summary
from bot.answering.naming import meant, searched_words
from bot.answering.sanitize import clean
from bot.answering.summarising import summarise
from bot.answering.units import Unit, units_of
from bot.answering.words import content_words
from retrieval.cataloguing import list_collections
from retrieval.documents import Edition, News, Period, documents_named, read_whole, versions_of, whats_new
from retrieval.passages import Passage

Embed = Callable[[Sequence[str]], "np.ndarray"]

Word = Callable[[str, Sequence[Unit]], Awaitable[Sequence[Grounded]]]
"""Says what sentences say, in words that are checked against them: see `Answerer.worded`."""

LINES, NEWEST = 12, 5
NEAR = 0.4
"""The cosine from which a document that lacks the words of a topic is on it all the same (benchmark: reuters)."""
EXTRACT = "extract"
_WORDED_AT_ONCE = 3
_LEAD_CHUNKS, _LEAD_CHARACTERS, _LOOKED_THROUGH = 3, 220, 5


@dataclass(frozen=True)
class Made:
    """An answer and all passages that it was made from, cited or not."""

    answer: Answer
    read: tuple[Passage, ...]


@dataclass
class _Lines:
    """Sentences as they come, and the passages that they stand in, numbered as they come."""

    said: list[CitedSentence] = field(default_factory=list)
    cited: list[Passage] = field(default_factory=list)

    def add(self, text: str, *passages: Passage, quoted: bool = False) -> None:
        self.said.append(CitedSentence(text, tuple(dict.fromkeys(self._number(p) for p in passages)), quoted))

    def _number(self, passage: Passage) -> int:
        if passage not in self.cited:
            self.cited.append(passage)
        return self.cited.index(passage) + 1

    def answer(self) -> Answer:
        return Answer(tuple(self.said), tuple(self.cited), bool(self.said), EXTRACT, {}, 1.0, as_list=True)


class SpecialAnswers:
    """Answers what a question wants beside passages. Every reading is under the clearance that is given."""

    def __init__(
        self,
        database: Database,
        embed: Embed,
        today: Callable[[], date] = date.today,
        word: Word | None = None,
    ) -> None:
        self._database = database
        self._embed = embed
        self._today = today
        self._word = word or _quoted

    async def answer(self, intent: Intent, clearance: Clearance) -> Made | None:
        """None where there is no such document, no news, or doubt about which is meant. Raises LocksDisagree."""
        match intent:
            case Summary():
                return await self._summary(intent, clearance)
            case Comparison():
                return await self._comparison(intent, clearance)
            case Digest():
                return await self._digest(intent, clearance)

    async def _summary(self, intent: Summary, clearance: Clearance) -> Made | None:
        edition = await self._called(intent.name, clearance)
        if edition is None:
            return None
        read = await read_whole(self._database, clearance, edition.version_id)
        units = await asyncio.to_thread(summarise, read, self._embed)
        lines = _Lines()
        for at in range(0, len(units), _WORDED_AT_ONCE):
            said = await self._word(f"What does {edition.title} say?", units[at : at + _WORDED_AT_ONCE])
            for sentence in said:
                lines.add(sentence.text, read[sentence.unit.passage], quoted=sentence.quoted)
        return Made(lines.answer(), tuple(read)) if units else None

    async def _comparison(self, intent: Comparison, clearance: Clearance) -> Made | None:
        sides = await self._sides(intent, clearance)
        if sides is None:
            return None
        one, other = [await read_whole(self._database, clearance, side.version_id) for side in sides]
        if not one or not other:
            return None
        found = await asyncio.to_thread(differences, one, other, self._embed)
        lines = _Lines()
        names = _names(*sides)
        for difference in found:
            _add_difference(lines, difference, (one, other), names)
        if not found:
            lines.add(f"{names[0]} and {names[1]} say the same.", one[0], other[0])
        return Made(lines.answer(), (*one, *other))

    async def _sides(self, intent: Comparison, clearance: Clearance) -> tuple[Edition, Edition] | None:
        """The two that are compared, the older first where they are states of one document."""
        one = await self._called(intent.one, clearance)
        if intent.other:
            other = await self._called(intent.other, clearance)
            if one is None or other is None or one.version_id == other.version_id:
                return None
            newer = one.document_id == other.document_id and one.version_id > other.version_id
            return (other, one) if newer else (one, other)
        if one is None:
            return None
        versions = await versions_of(self._database, clearance, one.document_id)
        before = [version for version in versions if version.version_id < one.version_id]
        return (before[0], one) if before else None

    async def _called(self, name: str, clearance: Clearance) -> Edition | None:
        """The document of this name; or an older state of one, where that alone was called so."""
        editions = await documents_named(self._database, clearance, searched_words(name))
        if found := meant(name, editions):
            return found
        wanted = set(content_words(name))
        editions.sort(key=lambda edition: -len(wanted & set(content_words(edition.title))))
        for edition in editions[:_LOOKED_THROUGH]:
            older = await versions_of(self._database, clearance, edition.document_id)
            if found := meant(name, older):
                return found
        return None

    async def _digest(self, intent: Digest, clearance: Clearance) -> Made | None:
        lines, read = _Lines(), list[Passage]()
        for item in await self.news(intent, clearance):
            read += await self._add_news(lines, item, intent.topic, clearance)
        return Made(lines.answer(), tuple(read)) if lines.said else None

    async def news(self, intent: Digest, clearance: Clearance, limit: int = LINES) -> list[News]:
        """What a digest tells of, the newest first; where nobody said since when, rather old news than none."""
        since = intent.since or self._today() - timedelta(days=DIGEST_DAYS)
        found = await self._on(intent, clearance, Period(since, intent.until, intent.came), limit)
        if found or not intent.topic or intent.since or intent.came:
            return found
        return await self._on(intent, clearance, Period(date.min), NEWEST)

    async def _on(self, intent: Digest, clearance: Clearance, period: Period, limit: int) -> list[News]:
        vector = (await asyncio.to_thread(self._embed, [intent.topic]))[0] if intent.topic else None
        filed_in = await self._collection(intent.topic, clearance)
        found = await whats_new(self._database, clearance, period, intent.topic, vector, filed_in)
        return [item for item in found if not intent.topic or on_topic(item)][:limit]

    async def _collection(self, topic: str, clearance: Clearance) -> int | None:
        """The collection of this name, if the clearance opens the label of its own: else nobody learns of it."""
        if not topic:
            return None
        async with self._database.writing_in(clearance.workspace_id) as connection:
            collections = await list_collections(connection)
        named = (
            c for c in collections if c.name.casefold() == topic.casefold() and clearance.covers([c.label_id])
        )
        return next((collection.id for collection in named), None)

    async def _add_news(self, lines: _Lines, item: News, topic: str, clearance: Clearance) -> list[Passage]:
        """A line: when, what, and its first words, or where it changed, what it says now. Returns what was read."""
        limit = None if item.before_id else _LEAD_CHUNKS
        now = await read_whole(self._database, clearance, item.edition.version_id, limit or 200)
        if not now:
            return []
        before: list[Passage] = []
        told: Unit | None = None
        if item.before_id is not None:
            before = await read_whole(self._database, clearance, item.before_id, 200)
            changed = await asyncio.to_thread(differences, before, now, self._embed) if before else []
            told = next((found.other for found in changed if found.other), None)
        told = told or _lead(now, topic)
        source = now[told.passage] if told else now[0]
        kind = "changed" if item.before_id else "new"
        said = f"{item.day.day} {item.day:%B %Y}: {clean(item.edition.title)} ({kind})"
        lines.add(f"{said}. {_short(told.text)}" if told else f"{said}.", source)
        return [source, *(before[:1] if told and item.before_id else ())]


async def _quoted(_question: str, units: Sequence[Unit]) -> Sequence[Grounded]:
    return quotes(units)


def on_topic(item: News) -> bool:
    """Whether a piece of news is on the topic that it was looked for under."""
    return item.filed or item.in_title or item.in_text or item.nearness >= NEAR


def _lead(passages: Sequence[Passage], topic: str) -> Unit | None:
    """The first sentence that says something; of those at the beginning, the first with words of the topic."""
    units = [unit for unit in units_of(passages[:_LEAD_CHUNKS]) if len(content_words(unit.text)) > 3]
    wanted = set(content_words(topic))
    with_topic = (unit for unit in units[:_LOOKED_THROUGH] if wanted & set(content_words(unit.text)))
    return next(with_topic, units[0] if units else None)


def _short(text: str) -> str:
    if len(text) <= _LEAD_CHARACTERS:
        return text
    return text[:_LEAD_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _names(one: Edition, other: Edition) -> tuple[str, str]:
    """What to call them: by title, or where they are called alike, by their dates."""
    first, second = clean(one.title), clean(other.title)
    if first != second:
        return first, second
    dates = tuple(f"{e.dated.day} {e.dated:%B %Y}" if e.dated else "" for e in (one, other))
    if dates[0] and dates[1] and dates[0] != dates[1]:
        return f"{first} ({dates[0]})", f"{second} ({dates[1]})"
    return f"{first} (before)", f"{second} (now)"


def _add_difference(
    lines: _Lines,
    difference: Difference,
    sides: tuple[Sequence[Passage], Sequence[Passage]],
    names: tuple[str, str],
) -> None:
    one, other = difference.one, difference.other
    if one is not None and other is not None:
        text = f"{names[0]}: {_short(one.text)} — {names[1]}: {_short(other.text)}"
        lines.add(text, sides[0][one.passage], sides[1][other.passage])
    elif one is not None:
        lines.add(f"Only in {names[0]}: {_short(one.text)}", sides[0][one.passage])
    elif other is not None:
        lines.add(f"Only in {names[1]}: {_short(other.text)}", sides[1][other.passage])
