"""Presentations (.pptx): slide by slide, each under its title, with tables and the speaker's notes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation

from retrieval.parsing import archives
from retrieval.parsing.cleaning import one_block, one_line
from retrieval.parsing.dates import stated_date
from retrieval.parsing.document import ParsedDocument
from retrieval.parsing.naming import title_from
from retrieval.parsing.office import properties_of
from retrieval.parsing.outline import Outline, table_text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_DEEPEST = 10
# What stands on every slide says nothing about any.
_FURNITURE = {"DATE (16)", "SLIDE_NUMBER (13)", "FOOTER (15)"}

Shape = Any


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a presentation; a page is a slide. Title: the first slide's, else its properties', else the file's."""
    archives.opened(data, name).close()
    presentation = Presentation(io.BytesIO(data))
    outline, first = Outline(), ""
    for number, slide in enumerate(presentation.slides, 1):
        if slide.element.get("show") == "0":
            continue
        heading = _title(slide)
        first = first or (heading if number == 1 else "")
        outline.heading(1, heading or f"Slide {number}", number)
        for shape in _in_reading_order(slide.shapes):
            if shape != slide.shapes.title:
                _add(shape, number, outline)
        if notes := _notes(slide):
            outline.add(f"Notes: {notes}", page=number)
    stated = properties_of(presentation)
    title = first or stated.title or title_from(name)
    blocks = outline.blocks(title)
    dated = stated_date(block.text for block in blocks[:3]) or stated.modified
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, stated.author)


def warm_up() -> None:
    """What a process that will read many presentations does once."""
    Presentation()


def _title(slide: Any) -> str:
    shape = slide.shapes.title
    return one_line(shape.text_frame.text) if shape is not None else ""


def _in_reading_order(shapes: Iterable[Shape], depth: int = 0) -> Iterator[Shape]:
    """From top to bottom, and from left to right; groups are taken apart where they stand."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes") and depth < _DEEPEST:
            yield from _in_reading_order(shape.shapes, depth + 1)
        else:
            yield shape


def _add(shape: Shape, page: int, outline: Outline) -> None:
    if getattr(shape, "is_placeholder", False) and str(shape.placeholder_format.type) in _FURNITURE:
        return
    if getattr(shape, "has_table", False):
        rows = [[one_line(cell.text) for cell in row.cells] for row in shape.table.rows]
        outline.add(table_text(rows), "table", page)
    elif getattr(shape, "has_text_frame", False):
        _add_text(shape.text_frame.paragraphs, page, outline)
    elif getattr(shape, "has_chart", False) and shape.chart.has_title:
        outline.add(f"Chart: {one_line(shape.chart.chart_title.text_frame.text)}", page=page)


def _add_text(paragraphs: Iterable[Any], page: int, outline: Outline) -> None:
    """Several paragraphs in one shape are a list, as they look on the slide."""
    texts = [(paragraph.level, one_line(paragraph.text)) for paragraph in paragraphs]
    texts = [(level, text) for level, text in texts if text]
    if len(texts) == 1:
        outline.add(texts[0][1], page=page)
        return
    for level, text in texts:
        outline.add_item(f"{'  ' * level}- {text}", page)


def _notes(slide: Any) -> str:
    if not slide.has_notes_slide or slide.notes_slide.notes_text_frame is None:
        return ""
    return one_block(slide.notes_slide.notes_text_frame.text)
