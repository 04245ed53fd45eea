"""What a document is, told by its content; its name breaks a tie between plain text and Markdown, no more."""

import codecs
import re
from pathlib import PurePosixPath

from retrieval.parsing.decoding import decode

UNKNOWN = "application/octet-stream"

_PDF_WITHIN = 1024  # readers accept a mark anywhere here (PDF 1.7, appendix H, note 13)
_TEXT_SAMPLE = 32 * 1024  # whole characters in UTF-16 and UTF-32
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ZIPPED = (
    (b"word/document", f"{_OFFICE}.wordprocessingml.document"),
    (b"xl/workbook", f"{_OFFICE}.spreadsheetml.sheet"),
    (b"ppt/presentation", f"{_OFFICE}.presentationml.presentation"),
    (b"application/vnd.oasis.opendocument", "application/vnd.oasis.opendocument"),
    (b"application/epub+zip", "application/epub+zip"),
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_FRAGMENT = re.compile(r"\s*<(?:div|p|h[1-6]|table|ul|ol|article|section|main|header)\b[^>]*>", re.IGNORECASE)
# What each mark proves: 2 is enough alone.
_MARKDOWN = (
    (re.compile(r"\A---[ \t]*\n(?:[\w-]+:.*\n)+(?:[ \t-].*\n)*---[ \t]*$", re.MULTILINE), 2),
    (re.compile(r"\A\s*#{1,3} \S"), 2),
    (re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|[ \t:|-]*$", re.MULTILINE), 2),
    (re.compile(r"^#{1,6} \S", re.MULTILINE), 1),
    (re.compile(r"^```", re.MULTILINE), 1),
    (re.compile(r"\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)"), 1),
    (re.compile(r"\*\*\w[^*\n]{0,200}\*\*"), 1),
)
_PROOF = 2
_MARKDOWN_NAMES = frozenset((".md", ".markdown", ".mdown", ".mkd"))


def media_type(data: bytes, name: str) -> str:
    """The media type of `data`; UNKNOWN if nothing fits."""
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "application/pdf"
    text = decode(_sample(data))
    return _binary_type(data) if text is None else _text_type(text, name)


def _sample(data: bytes) -> bytes:
    """The beginning of `data`, without half a letter of UTF-8 at its end: that would make it look like no UTF-8."""
    sample = data[:_TEXT_SAMPLE]
    if len(data) == len(sample) or b"\x00" in sample or sample.startswith(_UTF16_MARKS):
        return sample
    for cut in (1, 2, 3):
        if sample[-cut] >= 0xC0:  # the first byte of a letter of several
            return sample[:-cut]
        if sample[-cut] < 0x80:
            break
    return sample


def _text_type(text: str, name: str) -> str:
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    if text.startswith("{\\rtf"):
        return "application/rtf"
    if _HTML.match(text):
        return "text/html"
    if text.lstrip().startswith("<?xml"):
        return "application/xml"
    proof = sum(weight for mark, weight in _MARKDOWN if mark.search(text))
    if _FRAGMENT.match(text) and proof == 0:
        return "text/html"
    named = PurePosixPath(name).suffix.lower() in _MARKDOWN_NAMES
    return "text/markdown" if named or proof >= _PROOF else "text/plain"


def _binary_type(data: bytes) -> str:
    import filetype

    if data.startswith(_OLE):
        return "application/x-ole-storage"
    if data.startswith(b"PK"):
        return next((kind for mark, kind in _ZIPPED if mark in data), "application/zip")
    guess = filetype.guess(data[:8192])
    return str(guess.mime) if guess else UNKNOWN
