"""Which document somebody means by what they call it: the one whose title has all of those words and few others."""

from collections.abc import Sequence
from urllib.parse import unquote

from bot.answering.words import content_words
from retrieval.documents import Edition


def searched_words(name: str) -> list[str]:
    """Beginnings of the words of a name, the longest first, to look for in titles."""
    words = sorted(set(content_words(name)), key=len, reverse=True)
    return [word for word in words if len(word) > 2][:3] or words[:1]


def meant(name: str, editions: Sequence[Edition]) -> Edition | None:
    """The one that a name fits best; None where none does, or two do as well."""
    wanted = set(content_words(name))
    fits = sorted(((_fit(wanted, edition), edition) for edition in editions), key=lambda fit: -fit[0])
    fits = [fit for fit in fits if fit[0] > 0]
    if not wanted or not fits:
        return None
    return fits[0][1] if len(fits) == 1 or fits[0][0] > fits[1][0] else None


def _fit(wanted: set[str], edition: Edition) -> float:
    """The share of the title that is named, where all that is named stands in it or in the file's name."""
    title = set(content_words(edition.title))
    file = set(content_words(unquote(edition.uri.rsplit("/", 1)[-1]).replace("-", " ").replace(".", " ")))
    if not wanted or not wanted <= title | file:
        return 0.0
    return len(wanted & title) / len(title) if wanted & title else 0.1
