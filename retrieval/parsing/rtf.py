"""Rich text (.rtf): its words, read on as plain text is."""

from dataclasses import replace

from striprtf.striprtf import rtf_to_text

from retrieval.parsing import text as plain
from retrieval.parsing.document import ParsedDocument

MEDIA_TYPE = "application/rtf"


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads rich text; headings are told by their look, as in plain text."""
    words = rtf_to_text(data.decode("latin-1"), errors="ignore")  # type: ignore[no-untyped-call]
    return replace(plain.parse(words.encode(), name), media_type=MEDIA_TYPE)
