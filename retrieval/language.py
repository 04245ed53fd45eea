"""In which language a document is written: English where that is likely or cannot be told."""

import re
from functools import cache
from typing import TYPE_CHECKING

from retrieval.parsing.document import ParsedDocument

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "en"
# Of a model that knows 140: those that companies write in. The rest are found in tables and code, and seldom there.
_KNOWN = (
    "ar bg bn ca cs da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka kk ko lt lv mk ms nl no pl pt"
    " ro ru sk sl sq sr sv sw ta te th tr uk ur vi zh"
)
_SAMPLE_LETTERS = 4000
_LEAST_LETTERS = 60
_SURE = 0.95
# Every fifth word of English prose is one of these, and no other language has most of them.
_COMMON = re.compile(r"\b(?:the|of|and|to|is|for|that|with|are|be|this|on|you|it|from|by|or|will|not)\b")
_LEAST_SHARE = 0.12
_WORD = re.compile(r"[^\W\d_]+")


def language_of(document: ParsedDocument) -> str:
    """The language as ISO 639-1 has it. The first call for a text that is not plainly English takes a second."""
    prose = " ".join(block.text for block in document.blocks if block.kind != "code")[:_SAMPLE_LETTERS]
    words = " ".join(_WORD.findall(prose.lower()))
    if len(words) < _LEAST_LETTERS or _is_plainly_english(words):
        return ENGLISH
    language, probability = _identifier().classify(words)
    return str(language) if probability >= _SURE else ENGLISH


def _is_plainly_english(words: str) -> bool:
    """Told by its commonest words, so that a company that writes English never loads the model."""
    return len(_COMMON.findall(words)) >= _LEAST_SHARE * len(words.split())


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_KNOWN.split())
    return identifier
