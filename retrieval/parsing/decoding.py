"""From bytes of an unknown encoding to text."""

import codecs

from charset_normalizer import from_bytes

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESS_FROM = 64 * 1024
_TEXT_CONTROLS = frozenset("\t\n\r\f\x0b\x1b\x85\x1a")


def decode(data: bytes, declared: str | None = None) -> str | None:
    """The text in `data`, or None if it is no text.

    A byte-order mark wins, then UTF-8 if it fits throughout, then the encoding that the document declares,
    then the likeliest by its letters.
    """
    for encoding in _candidates(data, declared):
        text = _decoded(data, encoding)
        if text is not None and not _is_binary(text):
            return text.replace("\x00", "")
    return None


def _candidates(data: bytes, declared: str | None) -> list[str]:
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked:
        return [marked]
    if _decoded(data, "utf-8") is not None:
        return ([guess] if (guess := _utf16_without_mark(data[:_GUESS_FROM])) else []) + ["utf-8"]
    return ([declared] if declared else []) + _guesses(data)


def _guesses(data: bytes) -> list[str]:
    """The likeliest encoding of the beginning, then the one that fits the bytes of any western text."""
    if guess := _utf16_without_mark(data[:_GUESS_FROM]):
        return [guess]
    best = from_bytes(data[:_GUESS_FROM], enable_fallback=False).best()
    return ([best.encoding] if best else []) + ["cp1252"]


def _utf16_without_mark(sample: bytes) -> str | None:
    """Text in a western script has a zero in every second byte of UTF-16."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError, ValueError):
        return data.decode("cp1252", "replace") if encoding == "cp1252" else None


def _is_binary(text: str) -> bool:
    """More than one control character in a hundred is no text that anybody wrote."""
    sample = text[:_GUESS_FROM]
    controls = sum(1 for letter in sample if letter < " " and letter not in _TEXT_CONTROLS)
    return controls > max(1, len(sample) / 100)
