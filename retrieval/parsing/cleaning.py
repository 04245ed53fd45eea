"""Text as a database, a model and a reader can take it: no control, invisible or direction-changing characters."""

import re
import unicodedata

# Zero-width and soft hyphens break full-text search; direction marks and tag characters (U+E0000...) can show a
# reader one text and a model another (Boucher and Anderson, "Trojan Source", 2021). PostgreSQL refuses NUL.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANKS_AROUND_BREAK = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{2,}")


def without_unwanted(text: str) -> str:
    """`text` in NFC with line feeds as its only line breaks; white space otherwise as it was."""
    return unicodedata.normalize("NFC", _UNWANTED.sub("", _LINE_BREAK.sub("\n", text)))


def one_block(text: str) -> str:
    """Runs of white space become one space; single line breaks stay, blank lines go."""
    text = _SPACES.sub(" ", without_unwanted(text))
    return _BLANK_LINES.sub("\n", _BLANKS_AROUND_BREAK.sub("\n", text)).strip()


def one_line(text: str) -> str:
    """Everything on one line, words apart by single spaces."""
    return " ".join(without_unwanted(text).split())


def code_lines(text: str) -> str:
    """Code keeps its indentation and its blank lines; a fence inside cannot end the block that holds it."""
    lines = (line.rstrip() for line in without_unwanted(text).expandtabs(4).split("\n"))
    return "\n".join(lines).strip("\n").replace("```", "'''")


def file_label(name: str) -> str:
    """A file name that is safe to put into a sentence: one line, not too long."""
    label = one_line(name)
    return (label if len(label) <= 120 else f"…{label[-119:]}") or "The document"
