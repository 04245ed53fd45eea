"""PDF, by PDFium: text in reading order with its pages."""

from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.dates import stated_date
from retrieval.parsing.document import Block, ParsedDocument, UnreadableDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline
from retrieval.parsing.pdf_layout import write
from retrieval.parsing.pdf_lines import Line, read_lines

MEDIA_TYPE = "application/pdf"

_ENCRYPTED = frozenset((pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY))
# More letters than this that no font could name, and the text is not what a reader sees.
_MOST_UNNAMED = 0.2


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a PDF. Title: its own field if the first page bears it out, else the first heading, else the name."""
    document = _opened(data, name)
    try:
        pages = [_lines(document, number) for number in range(len(document))]
        if not any(pages):
            raise UnreadableDocument(_why_no_text(document, name))
        fields = _fields(document)
    finally:
        document.close()
    _check_letters(pages, name)
    outline = Outline()
    write(pages, outline)
    title = _title(fields, pages) or outline.first_heading() or fields.get("Title") or title_from(name)
    blocks = tuple(_with_sentences_whole(outline.blocks(title)))
    dated = stated_date(block.text for block in blocks[:4])
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, fields.get("Author"))


def _opened(data: bytes, name: str) -> Any:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in _ENCRYPTED:
            message = f"{name} is encrypted; remove its password and send it again."
        else:
            message = f"{name} is damaged and cannot be opened as a PDF; export it anew and send it again."
        raise UnreadableDocument(message) from None


def _lines(document: Any, number: int) -> list[Line]:
    """A page that PDFium cannot load is an empty one: the others still count."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return []
    try:
        return read_lines(page)
    except pdfium.PdfiumError:
        return []
    finally:
        page.close()


def _why_no_text(document: Any, name: str) -> str:
    for number in range(min(len(document), 20)):
        if any(True for _ in document[number].get_objects(max_depth=4)):
            return f"{name} has no text, only images; run OCR on it first."
    return f"{name} has no text: its pages are empty."


def _check_letters(pages: list[list[Line]], name: str) -> None:
    text = "".join(line.text for page in pages for line in page)
    unnamed = sum(1 for letter in text if letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff")
    if unnamed > _MOST_UNNAMED * len(text):
        raise UnreadableDocument(f"{name} has letters that its fonts do not name; run OCR on it first.")


def _fields(document: Any) -> dict[str, str]:
    try:
        fields = document.get_metadata_dict(skip_empty=True)
    except (pdfium.PdfiumError, UnicodeError):
        return {}
    return {key: text for key, value in fields.items() if (text := one_line(str(value)))}


def _title(fields: dict[str, str], pages: list[list[Line]]) -> str | None:
    """The title field, if the first page with text says it as well: programs put anything there."""
    first = next((page for page in pages if page), [])
    shown = one_line(" ".join(line.text for line in first)).casefold()
    title = fields.get("Title", "")
    return title if title and title.casefold() in shown else None


def _with_sentences_whole(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """A paragraph that goes on after a page's end is one paragraph, and stands on the page where it began."""
    held: Block | None = None
    for block in blocks:
        if held is not None and _goes_on(held, block):
            held = Block(f"{held.text} {block.text}", held.heading_path, held.page)
            continue
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held


def _goes_on(before: Block, after: Block) -> bool:
    return (
        before.kind == after.kind == "paragraph"
        and before.page != after.page
        and before.heading_path == after.heading_path
        and after.text[:1].islower()
        and not before.text.endswith((".", "!", "?", ":"))
    )
