# ruff: noqa: RUF001, SIM905 - typographic marks are meant, and word lists read better as words
"""What a question wants that finding passages alone does not give: a summary, a digest, a comparison.

Recognised by words, and only where they leave no doubt: everything else is answered in the ordinary way.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DIGEST_DAYS = 30
"""How far a digest goes back where nobody says."""


@dataclass(frozen=True)
class Summary:
    """What one document says. `name` is what it was called by whoever asked."""

    name: str


@dataclass(frozen=True)
class Digest:
    """What is new or changed from `since` to `until`; on everything where the topic is empty.

    `since` None: nobody said since when. `came` instead: the moments between which it came in.
    """

    topic: str
    since: date | None = None
    until: date | None = None
    came: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class Comparison:
    """How two documents differ; or, where `other` is empty, a document's present state from the one before."""

    one: str
    other: str = ""


Intent = Summary | Digest | Comparison

_POLITE = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok|so|and)[,]?\s+)*(?:(?:can|could|would|will)\s+you\s+(?:please\s+)?)?"
    r"(?:(?:please\s+)?(?:give|show|tell|send|write|make)\s+(?:me|us)\s+)?",
    re.IGNORECASE,
)
_SUMMARY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(?:summari[sz]e|sum\s+up|recap)\s+(?P<name>.+)$",
        r"^(?:an?\s+|the\s+)?(?:short\s+|brief\s+|quick\s+)?(?:summary|overview|tl;?dr|gist)\s+(?:of|for)\s+(?P<name>.+)$",
        r"^what\s+are\s+the\s+(?:key|main|most\s+important)\s+(?:points|takeaways)\s+(?:of|in|from)\s+(?P<name>.+)$",
        r"^tl;?dr:?\s+(?P<name>.+)$",
    )
)
_COMPARISON = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^compare\s+(?P<one>.+?)\s+(?:and|with|to|against|versus|vs\.?)\s+(?P<other>.+)$",
        r"^(?:what\s+(?:is|are)|what's)\s+(?:the\s+)?differen(?:t|ces?)\s+between\s+(?P<one>.+?)\s+and\s+(?P<other>.+)$",
        r"^differences?\s+between\s+(?P<one>.+?)\s+and\s+(?P<other>.+)$",
        r"^how\s+(?:does|do|did)\s+(?P<one>.+?)\s+differ\s+from\s+(?P<other>.+)$",
        r"^what\s+(?:has\s+)?changed\s+(?:between|from)\s+(?P<one>.+?)\s+(?:and|to)\s+(?P<other>.+)$",
        r"^what\s+(?:has\s+|was\s+)?(?:changed|(?:is\s+)?new)\s+in\s+(?:the\s+(?:new|newest|latest|last|current)\s+"
        r"(?:version|edition|revision)\s+of\s+)?(?P<one>.+)$",
        r"^(?:what\s+are\s+)?the\s+changes\s+(?:to|of|in)\s+(?P<one>.+)$",
    )
)
_SINCE = (
    r"(?:\s*,?\s*(?P<when>(?:since|after|from|in|during|over|within|on|between|for)\s+(?:the\s+)?.+"
    r"|this\s+\w+|last\s+\w+|today|yesterday|lately|recently))?$"
)
_ON = r"(?:\s+(?:on|about|with|of|for|in|from)\s+(?P<topic>.+?))?"
_DIGEST = tuple(
    re.compile(pattern + _SINCE, re.IGNORECASE)
    for pattern in (
        r"^(?:a\s+|the\s+)?(?:digest|news|updates?)" + _ON,
        r"^what(?:'s|\s+is|\s+are|\s+was)\s+(?:the\s+)?(?:new|news|latest|newest)" + _ON,
        r"^(?:the\s+)?(?:latest|newest|recent)(?:\s+(?:news|updates?|changes|documents))?"
        r"\s+(?:on|about|with|for|from|in)\s+(?P<topic>.+?)",
        r"^what\s+(?:has\s+|have\s+|was\s+|were\s+)?(?:changed|(?:been\s+)?(?:added|updated|published))"
        r"(?:\s+(?:on|about|for)\s+(?P<topic>.+?))?",
        r"^(?:any(?:thing)?|something)\s+(?:new|news)" + _ON,
    )
)
_DOCUMENT_WORDS = re.compile(
    r"^(?:the|our|my|this|that)\s+|\s+(?:document|page|file|paper|doc)$|^(?:document|page|file)\s+|[\"“”‘’`]",
    re.IGNORECASE,
)
_TOO_LONG, _FEW_WORDS = 90, 3

_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|"
        "october oct|november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_COUNTED = "one two three four five six seven eight nine ten eleven twelve".split()
_NUMBERS = {"a": 1, "an": 1, **{word: number for number, word in enumerate(_COUNTED, start=1)}}
_UNIT_DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365}
_OF_TIME = frozenset(
    "since after from in during over within on between for and to until the of this last past previous next ago"
    " today yesterday lately recently st nd rd th few couple".split()
) | {*_MONTHS, *_DAYS, *_NUMBERS, *_UNIT_DAYS, *(f"{unit}s" for unit in _UNIT_DAYS)}
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?([a-z]+)\.?(?:,?\s+(\d{4}))?\b")
_MONTH_DAY = re.compile(r"\b([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?")
_MONTH = re.compile(r"\b([a-z]+)\.?(?:\s+(\d{4}))?\b")
_AGO = re.compile(
    r"\b(?:last|past|previous)?\s*(\d{1,3}|[a-z]+)?\s*(day|week|fortnight|month|quarter|year)s?(\s+ago)?\b"
)


def recognise(question: str, today: date) -> Intent | None:
    """What a question wants beside an answer from passages; None where it does not say so plainly."""
    asked = _POLITE.sub("", " ".join(question.split()).rstrip(" ?!."), count=1)
    if not asked or len(asked) > _TOO_LONG * 2:
        return None
    return _digest(asked, today) or _comparison(asked) or _summary(asked)


def _summary(asked: str) -> Summary | None:
    for pattern in _SUMMARY:
        if found := pattern.match(asked):
            name = _named(found["name"])
            return Summary(name) if name else None
    return None


def _comparison(asked: str) -> Comparison | None:
    for pattern in _COMPARISON:
        if found := pattern.match(asked):
            groups = found.groupdict()
            one, other = _named(groups["one"]), _named(groups.get("other") or "")
            return Comparison(one, other) if one else None
    return None


def _digest(asked: str, today: date) -> Digest | None:
    for pattern in _DIGEST:
        found = pattern.match(asked)
        if found is None:
            continue
        topic, when = _named(found["topic"] or ""), found["when"]
        if topic and not when and period_of(f"on {topic}", today):  # "new on 3 March" is on that day
            topic, when = "", f"on {topic}"
        if when is None:
            return Digest(topic) if topic or len(asked.split()) <= _FEW_WORDS else None
        period = period_of(when, today)
        return Digest(topic, *period) if period else None
    return None


def _named(name: str) -> str:
    """What a document or a topic is called, without the words around it."""
    before = None
    while before != name:
        before, name = name, _DOCUMENT_WORDS.sub("", name.strip(" ,.:;"))
    return name if len(name) <= _TOO_LONG else ""


def period_of(said: str, today: date) -> tuple[date, date | None] | None:
    """`since March`, `last week`, `in 1987`, `between 2 and 5 May`, ...: the first and the last day.

    None where there is no date in it; the last day is None where it goes on until now.
    """
    said = " ".join(said.lower().split())
    if any(word not in _OF_TIME and not word[0].isdigit() for word in re.findall(r"[^\W_]+", said)):
        return None
    if said in {"today", "yesterday", "lately", "recently"}:
        days = {"today": 0, "yesterday": 1}.get(said, DIGEST_DAYS)
        return today - timedelta(days=days), None
    bounded = re.match(r"^(?:in|during|on|between|from)\b", said)
    dates = _dates_in(said, today)
    if len(dates) >= 2 and re.match(r"^(?:between|from)\b", said):
        return dates[0][0], dates[-1][1]
    if dates:
        first, last = dates[0]
        if said.startswith("after "):
            return last + timedelta(days=1), None
        return first, last if bounded and not said.startswith("from") else None
    return _relative(said, today)


def _dates_in(said: str, today: date) -> list[tuple[date, date]]:
    """Each date that is named, as its first and last day: a day, a month or a year."""
    found: list[tuple[int, date, date]] = []
    taken: list[tuple[int, int]] = []

    def take(match: re.Match[str], year: str | None, month: int | None, day: int | None) -> None:
        if any(start < match.end() and match.start() < end for start, end in taken):
            return
        span = _span(year, month, day, today)
        if span:
            taken.append(match.span())
            found.append((match.start(), *span))

    for match in _ISO.finditer(said):
        take(match, match[1], int(match[2]), int(match[3]))
    for match in _DAY_MONTH.finditer(said):
        if month := _MONTHS.get(match[2]):
            take(match, match[3], month, int(match[1]))
    for match in _MONTH_DAY.finditer(said):
        if month := _MONTHS.get(match[1]):
            take(match, match[3], month, int(match[2]))
    for match in _MONTH.finditer(said):
        if month := _MONTHS.get(match[1]):
            take(match, match[2], month, None)
    for match in re.finditer(r"\b((?:19|20)\d{2})\b", said):
        take(match, match[1], None, None)
    return [(first, last) for _, first, last in sorted(found)]


def _span(year: str | None, month: int | None, day: int | None, today: date) -> tuple[date, date] | None:
    """Of a day, a month or a year; the last one that there was where no year is named."""
    try:
        if month is None:
            return date(int(year or 0), 1, 1), date(int(year or 0), 12, 31)
        named = int(year) if year else today.year
        first = date(named, month, day or 1)
        if year is None and first > today:
            first = date(named - 1, month, day or 1)
    except ValueError:
        return None
    if day is not None:
        return first, first
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - timedelta(days=1)


def _relative(said: str, today: date) -> tuple[date, date | None] | None:
    """`last week`, `the past three months`, `since Monday`, `two weeks ago`, `this quarter`."""
    for at, day in enumerate(_DAYS):
        if re.search(rf"\b{day}\b", said):
            back = (today.weekday() - at) % 7 or 7
            return today - timedelta(days=back), None
    if "yesterday" in said:
        return today - timedelta(days=1), None
    if "today" in said:
        return today, None
    if found := re.search(r"\bthis\s+(week|month|quarter|year)\b", said):
        return _begun(found[1], today), None
    if found := _AGO.search(said):
        counted = found[1] or "one"
        number = int(counted) if counted.isdigit() else _NUMBERS.get(counted, 1)
        return today - timedelta(days=number * _UNIT_DAYS[found[2]]), None
    return None


def _begun(unit: str, today: date) -> date:
    if unit == "week":
        return today - timedelta(days=today.weekday())
    if unit == "month":
        return today.replace(day=1)
    if unit == "quarter":
        return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return date(today.year, 1, 1)
