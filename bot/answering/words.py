# ruff: noqa: SIM905 - typographic apostrophes are meant, and word lists read better as words
"""The words of a text that carry its meaning: content words by stem, figures, names, and words that limit."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:[.,:/'’@_+-][^\W_]+)*%?", re.UNICODE)
_CONTRACTED_NOT = re.compile(r"n['’]t\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+")
_NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand "
    "million billion half quarter third twice once double".split()
)
_STOP = frozenset(
    "a an the this that these those there here it its he him his she her hers they them their theirs we us our "
    "ours you your yours i me my mine who whom whose which what when where why how is are was were be been being "
    "am do does did done doing have has had having will would shall should can could may might must and or but so "
    "if then than as at by for from in into of on onto to with about also just very too such own same some any "
    "please tell say know get got let s t d ll re ve m".split()
)
# A sentence that loses one of these says something else.
_LIMITS = frozenset(
    "not no never none nor neither nobody nothing nowhere cannot without unless except only if until".split()
)
_ENDINGS = (
    ("ational", "ate"), ("isation", "ise"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"),
    ("ations", "ate"), ("ation", "ate"), ("ments", ""), ("ment", ""), ("ities", "ity"), ("ings", ""), ("ing", ""),
    ("edly", ""), ("ied", "y"), ("ies", "y"), ("ers", "er"), ("ions", ""), ("ion", ""), ("ily", "y"),
    ("ed", ""), ("ly", ""), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""),
)  # fmt: skip
_SHORTEST_STEM = 3


def content_words(text: str) -> list[str]:
    """Stems of the words that mean something, in order; figures as they are written."""
    return [stem(word) for word in _words(text) if word.lower() not in _STOP and word.lower() not in _LIMITS]


def figures(text: str) -> set[str]:
    """Numbers, dates, amounts, identifiers and number words: what must never be invented."""
    words = list(_words(text))
    return {stem(word) for word in words if _has_digit(word) or word.lower() in _NUMBER_WORDS}


def names(text: str) -> set[str]:
    """Stems of capitalised words that do not begin the text or a numbered item, and of words in capitals."""
    words = list(_words(_NUMBERED.sub("", text)))
    found = [word for index, word in enumerate(words) if word[0].isupper() and (index or word[1:].isupper())]
    return {stem(word) for word in found if word.lower() not in _STOP}


def limits(text: str) -> set[str]:
    """Negations and restrictions; `n't` counts as `not`, and `cannot` too."""
    words = {word.lower() for word in _words(_CONTRACTED_NOT.sub(" not", text))} & _LIMITS
    return {"not" if word == "cannot" else word for word in words}


def stem(word: str) -> str:
    """A crude stem: enough to meet `invoice` in `invoices` and `approve` in `approved`, never across figures."""
    word = word.lower().replace("’", "'").removesuffix("'s").rstrip("'")
    if _has_digit(word):
        return word.replace(",", "").rstrip(".:-/")
    for ending, instead in _ENDINGS:
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= _SHORTEST_STEM
            and not word.endswith(("ss", "us", "is"))
        ):
            word = word[: len(word) - len(ending)] + instead
            break
    word = word.removesuffix("e") if len(word) > _SHORTEST_STEM else word
    return (
        word[:-1] if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiou" else word
    )


def is_subsequence(part: Iterable[str], whole: Iterable[str]) -> bool:
    """Whether all of `part` occurs in `whole` in the same order."""
    rest = iter(whole)
    return all(item in rest for item in part)


def _words(text: str) -> list[str]:
    return [found[0] for found in _WORD.finditer(_CONTRACTED_NOT.sub(" not", text))]


def _has_digit(word: str) -> bool:
    return any(char.isdigit() for char in word)
