# ruff: noqa: SIM905 - word lists read better as words
"""Follow-ups: which questions lean on what was asked before, and how words alone set them upright again.

No model: pronouns, openings such as "what about" and "and", and fragments. A question that leans on nothing is left
exactly as it is; in doubt it is taken to stand alone, since a word too many costs more than a word too few.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.answering.turns import StandingAlone, Turn
from bot.answering.words import content_words

Embed = Callable[[Sequence[str]], "np.ndarray"]

_WORD = re.compile(r"[^\W_]+(?:[.,:/'’@_+-][^\W_]+)*%?")
_ABOUT = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks|thank you|and|but|so|now|then)[,.!]?\s+)*"
    r"(?:what|how)\s+(?:is|are)?\s*about\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_SAME = re.compile(
    r"^(?:(?:and|but|is|are)\s+)*(?:it\s+|that\s+)?(?:the\s+)?same\s+(?P<rest>(?:for|in|with|at|on)\s+.+)$",
    re.I,
)
_TOO = re.compile(r"^(?P<rest>.+?),?\s+(?:too|as\s+well)$", re.IGNORECASE)
_AND = re.compile(
    r"^(?:and|or|but|also|then)[,]?\s+(?:also\s+|what\s+if\s+it\s+is\s+)?(?P<rest>.+)$", re.IGNORECASE
)
_PLACED = frozenset(
    "for in on at with without by from during after before above below under over within to as since until".split()
)
_ASKING = frozenset(
    "who whom whose which what when where why how is are was were be do does did has have had can could may might"
    " must should shall will would am isn't aren't wasn't don't doesn't didn't can't".split()
)
_AUXILIARY = frozenset(
    "is are was were do does did has have had can could may might must should shall will would".split()
)
_THEY = frozenset("it they them its their theirs itself themselves".split())
_PERSON = frozenset("he she him her his hers himself herself".split())
_SUBJECT = frozenset("it they he she".split())
_POINTING = frozenset("this that these those".split())
_ELSEWHERE = frozenset("there then".split())
_POSSESSIVE = frozenset("its their theirs his her hers".split())
_DETERMINERS = frozenset(
    "a an the my our your every each any some all both no this that these those another".split()
)
_JOINING = frozenset(
    "and if when while because after before although once who which that until unless since".split()
)
# "It" that stands for nothing: "is it allowed to ...", "how long does it take to ...", "what if it rains".
_IDLE_IT = re.compile(
    r"\bit\s+(?:allowed|possible|ok|okay|necessary|legal|safe|true|normal|worth|better|common|required|permitted|fine)\b"
    r"(?!\s*\?)|\b(?:does|did|will|would|can|could)\s+it\s+(?:take|cost|matter)\b.*\b(?:to|for|until|if|when)\b"
    r"|\bit(?:'s|\s+is|\s+was)\s+(?:raining|late|dark|allowed|possible)\b",
    re.IGNORECASE,
)
_LONE = re.compile(
    r"^(?:(?:and|but|so)\s+)?(?:(?:since|until|from|by|to|for|with)\s+)?"
    r"(?:why(?:\s+(?:not|so|is\s+that))?|how(?:\s+so|\s+much|\s+many|\s+long|\s+often|\s+come)?|when|who|whom|where|which)"
    r"(?:\s+(?:exactly|else|then|not))?\s*\??$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:please|can you|could you)\s+)?(?:tell\s+me\s+)?"
    r"(?:(?:in|on|at|by|for|with|from|under|until|since|to)\s+)?"
    r"(?:what(?:'s)?|who|whom|whose|which|when|where|why|how)?\s*"
    r"(?:(?:much|many|long|often|high|fast|far|big|old|large)\b)?\s*",
    re.IGNORECASE,
)
_LEADING_AUX = re.compile(
    r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|may|might|must|should|shall|will|would)\s+", re.I
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w'’-]*(?:\s+(?:(?:of|the|de|van|von|la|and)\s+)?[^\W\d_a-z][\w'’-]*)*")
_FRAGMENT_WORDS, _TOPIC_WORDS, _NEXT_OF_KIN = 6, 12, 0.35


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower().replace("’", "'")


def leans(question: str) -> bool:
    """Whether a question cannot be understood without what was said before it."""
    asked = _bare(question)
    return bool(_LONE.match(asked) or _exchanged(asked) or _leaning_words(asked))


def stand_alone(question: str, turns: Sequence[Turn], embed: Embed | None = None) -> StandingAlone:
    """`question` with what it leans on put in, from `turns`, the oldest first; itself where it leans on nothing.

    `embed` tells which words of an earlier question "what about X" takes the place of; without it X is added.
    """
    earlier: list[tuple[StandingAlone, Turn]] = []
    for turn in turns:
        earlier.append((_upright(turn.question, earlier, embed), turn))
    return _upright(question, earlier, embed)


def _upright(
    question: str, earlier: Sequence[tuple[StandingAlone, Turn]], embed: Embed | None
) -> StandingAlone:
    asked = _bare(question)
    if not earlier or not leans(question):
        return StandingAlone(question)
    before, turn = earlier[-1]
    if _LONE.match(asked):
        return StandingAlone(f"{asked}: {topic_of(before.text)}?", before.label_ids, before.chunk_ids)
    if rest := _exchanged(asked):
        return StandingAlone(_put_in_place(before.text, rest, embed), before.label_ids, before.chunk_ids)
    return _named(asked, before, turn)


def _exchanged(asked: str) -> str | None:
    """What is put in the place of something asked before: `what about X`, `and X`, `for X too`."""
    for opening in (_ABOUT, _SAME):
        if found := opening.match(asked):
            return found["rest"]
    found = _AND.match(asked) or _TOO.match(asked)
    rest = found["rest"] if found else asked
    words = _words(rest)
    if not words or len(words) > _FRAGMENT_WORDS or words[0].low in _ASKING - {"as"}:
        return None
    if any(word.low in _AUXILIARY for word in words):
        return None
    placed = words[0].low in _PLACED
    return rest if found or (placed and len(words) > 1) else None


def _leaning_words(asked: str) -> list[_Word]:
    """The pronouns of a question for which nothing in it stands."""
    words = _words(asked)
    return [word for at, word in enumerate(words) if _leans_at(asked, words, at)]


def _leans_at(asked: str, words: Sequence[_Word], at: int) -> bool:
    low = words[at].low
    if low in _THEY | _PERSON:
        if low == "it" and _IDLE_IT.search(asked):
            return False
        return not _stands_for_something(words, at)
    if low in _POINTING:
        return _points(words, at)
    if low in _ELSEWHERE:
        return at == len(words) - 1 and at > 1
    return (
        low in {"one", "ones"}
        and at > 0
        and words[at - 1].low in {"that", "this", "the", "which"}
        and at == len(words) - 1
    )


def _stands_for_something(words: Sequence[_Word], at: int) -> bool:
    """Whether a noun before a pronoun, in the same question, is what it stands for."""
    before = words[:at]
    low = words[at].low
    if low in _SUBJECT and before and before[-1].low in _AUXILIARY:
        joined = next((i for i, word in enumerate(before) if word.low in _JOINING), None)
        return joined is not None and _has_noun(before[joined:] if joined < 2 else before)
    return _has_noun(before)


def _has_noun(words: Sequence[_Word]) -> bool:
    """A word with an article, a name, or several of something: `the VPN`, `Larkmere`, `do employees`."""
    for at, word in enumerate(words):
        follows = words[at + 1] if at + 1 < len(words) else None
        if word.low in _DETERMINERS - _POINTING and follows is not None and follows.low not in _AUXILIARY:
            return True
        named = word.text[0].isupper() and at > 0 and word.low not in _ASKING | {"i"}
        if named or (at > 0 and _is_plural(word) and words[at - 1].low in _AUXILIARY | _PLACED):
            return True
    return False


def _is_plural(word: _Word) -> bool:
    return len(word.low) > 3 and word.low.endswith("s") and not word.low.endswith(("ss", "us", "is"))


def _points(words: Sequence[_Word], at: int) -> bool:
    """Whether `this` or `that` points at something said before; not so in "the form that is used"."""
    before = words[at - 1].low if at else ""
    after = words[at + 1].low if at + 1 < len(words) else ""
    if words[at].low in {"these", "those"}:
        return after not in {"who", "which", "that"} and after not in {"days", "months"}
    if words[at].low == "this" and after in {
        "year",
        "week",
        "month",
        "quarter",
        "company",
        "channel",
        "workspace",
    }:
        return False
    if after == "":
        return at > 0
    if at == 0 or before in _AUXILIARY | _PLACED | {"about", "of"}:
        return True
    if words[at].low == "this":
        return True
    return before != "there" and after not in _AUXILIARY and not _has_noun(words[:at])


def topic_of(question: str) -> str:
    """What a question is about: itself without the words that ask."""
    asked = _bare(question)
    topic = _LEAD.sub("", asked, count=1)
    if topic == asked or not content_words(topic):
        topic = asked
    topic = _LEADING_AUX.sub("", topic, count=1)
    words = [word for word in _words(topic) if word.low not in {"do", "does", "did", "please"}]
    words = words[:_TOPIC_WORDS] if content_words(" ".join(w.text for w in words[:_TOPIC_WORDS])) else words
    return " ".join(word.text for word in words)


def _named(asked: str, before: StandingAlone, turn: Turn) -> StandingAlone:
    """Pronouns replaced: the first by what it stands for, the others left to follow it."""
    leaning = _leaning_words(asked)
    first = next((word for word in leaning if word.low in _PERSON), leaning[0])
    if first.low in _PERSON:
        if person := _last_name(turn.answer, whole=True):
            return StandingAlone(
                _replaced(asked, first, person), before.label_ids, before.chunk_ids
            ).with_sources(turn)
        name = _last_name(before.text)
    else:
        name = _only_name(before.text)
    text = _replaced(asked, first, name or topic_of(before.text))
    return StandingAlone(text, before.label_ids, before.chunk_ids)


def _replaced(asked: str, word: _Word, name: str) -> str:
    """`its owner` -> `the owner (...)`: words, not grammar, are what is looked for."""
    if word.low in _POSSESSIVE:
        name = name if name.endswith("'s") else f"{name}'s" if len(name.split()) <= 4 else f"{name}:"
    elif word.low in _POINTING:
        rest = asked[word.end :].split()
        if rest and rest[0].lower().strip(",.") not in _AUXILIARY | _PLACED:  # "that policy": the noun stays
            return f"{asked} ({name})?"
    return f"{asked[: word.start]}{name}{asked[word.end :]}?"


def _names(text: str) -> list[str]:
    """Runs of capitalised words, but for one that only begins the text."""
    found = []
    for match in _NAME.finditer(text):
        run = match[0]
        if match.start() == 0 or text[max(0, match.start() - 2) : match.start()] in {". ", "? ", "! "}:
            words = run.split()
            if words[0].lower() in _ASKING or len(words) == 1:
                run = " ".join(words[1:])
        if run and run.lower() not in {"i"}:
            found.append(run)
    return found


def _last_name(text: str, *, whole: bool = False) -> str | None:
    """The name said last; with `whole` the first of two words or more, as people are introduced."""
    names = [name for name in _names(text) if not whole or len(name.split()) > 1]
    return (names[0] if whole else names[-1]) if names else None


def _only_name(text: str) -> str | None:
    """A name, where a question is about just one and says little else than what it asks of it."""
    names = _names(text)
    return (
        names[0] if len(names) == 1 and len(names[0].split()) > 1 and len(content_words(text)) <= 5 else None
    )


def _put_in_place(before: str, rest: str, embed: Embed | None) -> str:
    """An earlier question with `rest` in the place of what it answers to there, else beside it."""
    asked, words = _bare(before), _words(_bare(before))
    new = _words(rest)
    if new[0].low in _PLACED:
        span = _placed_span(words, new[0].low)
        return f"{asked[: span[0]]}{rest}{asked[span[1] :]}?" if span else f"{asked} {rest}?"
    if embed is not None and (span := _akin(asked, words, rest, embed)):
        return f"{asked[: span[0]]}{rest}{asked[span[1] :]}?"
    return f"{asked}, {rest}?"


def _placed_span(words: Sequence[_Word], preposition: str) -> tuple[int, int] | None:
    """Where `in Switzerland` stands: a preposition and what follows, up to the next one or the end."""
    for at in range(len(words) - 1, 0, -1):
        if words[at].low == preposition and at + 1 < len(words):
            end = next(
                (
                    i
                    for i in range(at + 1, len(words))
                    if words[i].low in _PLACED | _AUXILIARY | {"and", "of"}
                ),
                len(words),
            )
            return words[at].start, words[end - 1].end
    return None


def _akin(asked: str, words: Sequence[_Word], rest: str, embed: Embed) -> tuple[int, int] | None:
    """The words of a question that are most of one kind with `rest`, if they are enough so."""
    spans = _spans(words)
    if not spans:
        return None
    vectors = embed([rest, *(asked[start:end] for start, end in spans)])
    alike = vectors[1:] @ vectors[0]
    best = int(np.argmax(alike))
    return spans[best] if alike[best] >= _NEXT_OF_KIN else None


def _spans(words: Sequence[_Word]) -> list[tuple[int, int]]:
    """Runs of words that mean something, with an article before them; not the first, which asks."""
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        if words[at].low in _ASKING or not content_words(words[at].text):
            at += 1
            continue
        end = at
        while end < len(words) and content_words(words[end].text) and words[end].low not in _ASKING:
            end += 1
        start = at - 1 if at and words[at - 1].low in _DETERMINERS else at
        spans.append((words[start].start, words[end - 1].end))
        at = end
    return spans


def _bare(question: str) -> str:
    """Without the mark at its end."""
    return " ".join(question.split()).rstrip(" ?!.")


def _words(text: str) -> list[_Word]:
    return [_Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]
