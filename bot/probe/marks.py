"""Marks: words and numbers that stand in no document but a planted one, found however they are written."""

import random
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

LENGTH = 14
"""Of every mark, so that a text is searched for all of them at once."""
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"
_OTHER = re.compile(r"[^0-9a-z]+")
# Cyrillic and Greek letters that look like Latin ones, small.
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u0456\u043e\u043a\u0440\u0441\u0445\u0443\u0455\u0458\u04bb\u0501\u051b\u051d\u043c\u043d"
    "\u0442\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6\u03b7\u0131",
    "abeiokpcxysjhdqwmhtabeikvoptuxzni",
)


def new_word(rng: random.Random) -> str:
    """14 small letters that can be spoken: about 45 bits, so that none is met by chance."""
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(LENGTH // 2))


def new_number(rng: random.Random) -> str:
    """14 figures, the first of them not 0."""
    return str(rng.randrange(10 ** (LENGTH - 1), 10**LENGTH))


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """Small letters and figures only: no spaces, marks or invisible signs; look-alikes as what they look like."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKALIKES)
    return _OTHER.sub("", unicodedata.normalize("NFKD", plain))


class Marks:
    """Which mark belongs to what; `found_in` finds them in a text, whatever it does to them short of encoding."""

    def __init__(self, owners: Mapping[str, str]) -> None:
        if wrong := [mark for mark in owners if len(mark) != LENGTH or folded(mark) != mark]:
            raise ValueError(f"A mark has {LENGTH} small letters or figures; {len(wrong)} of these have not.")
        self.owners = dict(owners)
        self._known: dict[str, frozenset[str]] = {}

    def found_in(self, texts: Iterable[str]) -> frozenset[str]:
        """Every mark in any of the texts."""
        found: set[str] = set()
        for text in texts:
            if len(text) >= LENGTH:
                found |= self._in_text(text)
        return frozenset(found)

    def _in_text(self, text: str) -> frozenset[str]:
        known = self._known.get(text)
        if known is None:
            plain = folded(text)
            pieces = (plain[at : at + LENGTH] for at in range(len(plain) - LENGTH + 1))
            known = self._known[text] = frozenset(piece for piece in pieces if piece in self.owners)
        return known
