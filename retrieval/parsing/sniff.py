"""What a document is, told by its content; its name breaks a tie between plain text, Markdown and CSV, no more."""

import codecs
import re
import zipfile
from io import BytesIO
from pathlib import PurePosixPath

from retrieval.parsing.decoding import decode

UNKNOWN = "application/octet-stream"
LOCKED = "application/encrypted"

_PDF_WITHIN = 1024  # readers accept a mark anywhere here (PDF 1.7, appendix H, note 13)
_TEXT_SAMPLE = 32 * 1024  # whole characters in UTF-16 and UTF-32
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CONTAINERS = (b"PK\x03\x04", _OLE)  # the first thing in one may be a PDF, stored as it is
_OFFICE = "application/vnd.openxmlformats-officedocument"
# What each container begins a member's path with, or says in a member called `mimetype`.
_ZIPPED = (
    ("word/document", f"{_OFFICE}.wordprocessingml.document"),
    ("xl/workbook", f"{_OFFICE}.spreadsheetml.sheet"),
    ("ppt/presentation", f"{_OFFICE}.presentationml.presentation"),
    ("application/vnd.oasis.opendocument.spreadsheet", f"{_OFFICE}.spreadsheetml.sheet"),
    ("application/vnd.oasis.opendocument", "application/vnd.oasis.opendocument"),
    ("application/epub+zip", "application/epub+zip"),
)
_LONGEST_TYPE = 100
# Compound files name what is in them in their directory, in UTF-16. A locked Office file holds a package besides.
_COMPOUND = (
    ("EncryptedPackage", LOCKED),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("Workbook", f"{_OFFICE}.spreadsheetml.sheet"),
    ("Book", f"{_OFFICE}.spreadsheetml.sheet"),
)
_HEADER = re.compile(r"([A-Za-z][\w-]{1,60}):[ \t]")
_OF_MAIL = frozenset(
    ("from", "to", "subject", "date", "message-id", "mime-version", "received", "return-path")
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
_FIELDS_OF_MAIL = 3
_MARKDOWN_NAMES = frozenset((".md", ".markdown", ".mdown", ".mkd"))
_TABLE_NAMES = frozenset((".csv", ".tsv", ".tab"))


def media_type(data: bytes, name: str) -> str:
    """The media type of `data`; UNKNOWN if nothing fits."""
    if b"%PDF-" in data[:_PDF_WITHIN] and not data.startswith(_CONTAINERS):
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
    if _is_mail(text):
        return "message/rfc822"
    proof = sum(weight for mark, weight in _MARKDOWN if mark.search(text))
    if _FRAGMENT.match(text) and proof == 0:
        return "text/html"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _TABLE_NAMES:
        return "text/csv"
    return "text/markdown" if suffix in _MARKDOWN_NAMES or proof >= _PROOF else "text/plain"


def _is_mail(text: str) -> bool:
    """Whether it begins with the head of a message: several of its fields, and nothing else."""
    head = text.split("\n\n", 1)[0].split("\n")
    lines = [line for line in head if not line.startswith((" ", "\t"))]
    fields = [found[1].lower() if (found := _HEADER.match(f"{line} ")) else "" for line in lines]
    return all(fields) and len(_OF_MAIL.intersection(fields)) >= _FIELDS_OF_MAIL


def _binary_type(data: bytes) -> str:
    import filetype

    if data.startswith(_OLE):
        names = ((name.encode("utf-16-le"), kind) for name, kind in _COMPOUND)
        return next((kind for name, kind in names if name in data), "application/x-ole-storage")
    if data.startswith(b"PK"):
        marks = _marks_of_container(data)
        return next(
            (kind for mark, kind in _ZIPPED if any(m.startswith(mark) for m in marks)), "application/zip"
        )
    guess = filetype.guess(data[:8192])
    return str(guess.mime) if guess else UNKNOWN


def _marks_of_container(data: bytes) -> list[str]:
    """The paths in a zip, and its own word for its type; of one that is cut off, what stands in its bytes."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                with archive.open("mimetype") as stated:
                    names.append(stated.read(_LONGEST_TYPE).decode("ascii", "replace"))
            return names
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError):
        return [mark for mark, _ in _ZIPPED if mark.encode() in data]
