"""How many there are of what a document lists and does not count itself."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.answering.grounds import Grounded
from bot.answering.words import content_words, figures

_HOW_MANY = re.compile(r"^\s*(?:and\s+)?how\s+many\s+(?P<what>[^\W\d_][\w'-]*)", re.IGNORECASE)
_LIST = re.compile(r"(?P<lead>[^:]+):\s+(?P<items>[^;]+(?:; [^;]+)+)\.")


def counted(question: str, said: Sequence[Grounded]) -> Sequence[Grounded]:
    """The same sentences, a list that answers `how many` with its number before it.

    Only where the list is of what is asked for, whole, and nothing in it is a figure that may be the answer.
    """
    asked = _HOW_MANY.match(question)
    if asked is None or not said:
        return said
    first = said[0]
    found = _LIST.fullmatch(first.text)
    if (
        found is None
        or figures(first.text)
        or not set(content_words(asked["what"])) & set(content_words(found["lead"]))
    ):
        return said
    number = len(found["items"].split("; "))
    return (replace(first, text=f"{number}: {first.text}", quoted=False), *said[1:])
