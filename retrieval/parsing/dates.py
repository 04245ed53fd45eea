"""The date that a document states about itself, if it does so near its beginning."""

import re
from collections.abc import Iterable
from datetime import date, datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = (
    r"(?:(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})(?!\d)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m2>{_MONTH}),?\s+(?P<y2>\d{{4}})"
    rf"|(?P<m3>{_MONTH})\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}}))"
)
# Only a date that is said to be the document's own: "valid from" and "on 3 May we met" are not.
_CUE = (
    r"\b(?:dated?|as of|(?:last )?(?:updated|changed|modified|revised|reviewed|edited)|published|issued|released"
    r"|written|posted)\b[:\s]*(?:(?:on|at|by)\b[:\s]*)?"
)
_STATED = re.compile(_CUE + _DATE, re.IGNORECASE)
_ALONE = re.compile(rf"\W*{_DATE}\W*", re.IGNORECASE)
_ANY = re.compile(_DATE, re.IGNORECASE)
_FIRST_LINES = 12


def stated_date(texts: Iterable[str]) -> date | None:
    """The first date in the first lines that stands alone or behind a word like "dated" or "updated"."""
    lines = [line for text in texts for line in text[:2000].splitlines()][:_FIRST_LINES]
    for line in lines:
        found = _STATED.search(line) or _ALONE.fullmatch(line[:60])
        if found and (day := _as_date(found)):
            return day
    return None


def as_date(value: object) -> date | None:
    """A date out of a metadata field: a date, a time, or a text that begins with or contains one."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    found = _ANY.search(value[:100]) if isinstance(value, str) else None
    return _as_date(found) if found else None


def _as_date(found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    for form in ("1", "2", "3"):
        if parts[f"y{form}"]:
            year, month, day = parts[f"y{form}"], parts[f"m{form}"], parts[f"d{form}"]
            break
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None
