"""Which module reads which media type, and the one door to all of them.

A module here has `parse(data, name) -> ParsedDocument`. It is imported when its first document comes, so that a
process which reads Markdown never loads a PDF library.
"""

from importlib import import_module
from typing import Protocol, cast

from retrieval.parsing import sniff
from retrieval.parsing.cleaning import file_label
from retrieval.parsing.document import ParsedDocument, UnreadableDocument

PARSERS = {
    "text/markdown": "retrieval.parsing.markdown",
    "text/plain": "retrieval.parsing.text",
    "text/html": "retrieval.parsing.html",
    "text/csv": "retrieval.parsing.separated",
    "application/pdf": "retrieval.parsing.pdf",
    "application/rtf": "retrieval.parsing.rtf",
    "application/epub+zip": "retrieval.parsing.epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "retrieval.parsing.word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "retrieval.parsing.sheets",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "retrieval.parsing.slides",
    "application/vnd.oasis.opendocument": "retrieval.parsing.opendocument",
    "application/vnd.ms-outlook": "retrieval.parsing.outlook",
    "message/rfc822": "retrieval.parsing.mail",
}

_ADVICE = (
    "which is not read; send it as PDF, Word (.docx), PowerPoint (.pptx), Excel, OpenDocument, HTML, Markdown, CSV,"
    " RTF, EPUB, mail or text"
)
_KINDS = {
    "application/msword": "an old Word document (.doc)",
    "application/vnd.ms-powerpoint": "an old PowerPoint presentation (.ppt)",
    "application/x-ole-storage": "an old Office file of a kind",
    "application/xml": "an XML file",
    "application/zip": "a zip archive",
    sniff.UNKNOWN: "a file of an unknown kind",
}


class Parser(Protocol):
    """One module a format."""

    def parse(self, data: bytes, name: str) -> ParsedDocument:
        """The document's text and structure; UnreadableDocument says why there is none."""


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a document in this process, by what its bytes are and not by what its name says.

    Only for bytes that are trusted; `isolated` bounds time and memory. Raises UnreadableDocument.
    """
    label = file_label(name)
    if not data.strip():
        raise UnreadableDocument(f"{label} is empty.")
    media_type = sniff.media_type(data, name)
    if media_type == sniff.LOCKED:
        raise UnreadableDocument(f"{label} is locked with a password. Save it without one and send it again.")
    if media_type not in PARSERS:
        raise UnreadableDocument(f"{label} is {kind_of(media_type)}, {_ADVICE}.")
    document = parser_for(media_type).parse(data, label)
    if not document.blocks:
        raise UnreadableDocument(f"{label} has no text in it; nothing was stored.")
    return document


def parser_for(media_type: str) -> Parser:
    """The module that reads this media type; KeyError if none does."""
    return cast(Parser, import_module(PARSERS[media_type]))


def kind_of(media_type: str) -> str:
    """A media type in words, with its article."""
    if media_type in _KINDS:
        return _KINDS[media_type]
    family = media_type.partition("/")[0]
    return {"image": "an image", "audio": "a recording", "video": "a video"}.get(
        family, f"of type {media_type}"
    )
