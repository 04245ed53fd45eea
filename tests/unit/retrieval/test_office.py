"""Word, PowerPoint, Excel and CSV: structure survives, and what nobody sees is left out."""

import io
from datetime import date, datetime
from typing import Any

import docx
import pytest
import xlsxwriter
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement
from pptx import Presentation
from pptx.util import Inches

from retrieval.parsing import Block, ParsedDocument, parse


def saved(document: Any) -> bytes:
    """Of python-docx, or python-pptx."""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def read(document: Any, name: str = "a plan.bin") -> ParsedDocument:
    return parse(saved(document), name)


def test_headings_lists_tables_and_code_of_a_word_document_keep_their_places() -> None:
    written = docx.Document()
    written.core_properties.author, written.core_properties.modified = "Ada", datetime(2026, 3, 4)
    written.add_heading("Travel", 0)
    written.add_paragraph("Before anything else.")
    written.add_heading("Hotels", 1)
    written.add_paragraph("Up to 120 euros.", style="List Bullet")
    written.add_paragraph("Book early.", style="List Number")
    table = written.add_table(2, 3)
    for cell, said in zip(
        (c for row in table.rows for c in row.cells),
        ["City", "Rate", "Note", "Rome", "120", "x"],
        strict=True,
    ):
        cell.text = said
    table.cell(1, 1).merge(table.cell(1, 2))
    assert read(written) == ParsedDocument(
        "Travel",
        (
            Block("Before anything else."),
            Block("- Up to 120 euros.\n- Book early.", ("Hotels",), kind="list"),
            Block("City | Rate | Note\nRome | 120 x | 120 x", ("Hotels",), kind="table"),
        ),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        date(2026, 3, 4),
        "Ada",
    )


def test_deleted_and_hidden_text_of_a_word_document_is_not_read_and_inserted_text_is() -> None:
    written = docx.Document()
    paragraph = written.add_paragraph("Seen. ")
    paragraph.add_run("Hidden.").font.hidden = True
    for tag, said in (("w:ins", "Inserted."), ("w:del", "Deleted.")):
        change, run = OxmlElement(tag), OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = said
        run.append(text)
        change.append(run)
        paragraph._p.append(change)
    assert [block.text for block in read(written).blocks] == ["Seen. Inserted."]


def test_footnotes_of_a_word_document_are_read_and_its_separators_are_not() -> None:
    written = docx.Document()
    written.add_paragraph("See below.")
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    note = "<w:footnote w:id='{}'{}><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:footnote>"
    notes = note.format(0, " w:type='separator'", "---") + note.format(1, "", "Since May.")
    blob = f"<w:footnotes {space}>{notes}</w:footnotes>".encode()
    part = Part(PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, blob, written.part.package)
    written.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    assert [block.text for block in read(written).blocks] == ["See below.", "Footnote 1: Since May."]


def test_a_table_that_only_lays_out_a_page_is_read_as_text() -> None:
    written = docx.Document()
    cell = written.add_table(1, 1).cell(0, 0)
    cell.text = "In a frame."
    cell.add_paragraph("And more.")
    assert [(b.kind, b.text) for b in read(written).blocks] == [
        ("paragraph", "In a frame."),
        ("paragraph", "And more."),
    ]


def test_what_a_word_document_says_in_a_content_control_is_read() -> None:
    written = docx.Document()
    control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
    content.append(written.add_paragraph("Held in a control.")._p)
    control.append(content)
    written.element.body.insert(0, control)
    assert [block.text for block in read(written).blocks] == ["Held in a control."]


def test_a_word_document_that_states_nothing_of_itself_is_dated_nowhere() -> None:
    written = docx.Document()
    written.add_paragraph("Words.")
    relations = written.part.package.rels
    (core,) = [key for key, relation in relations.items() if relation.reltype.endswith("core-properties")]
    del relations[core]
    document = read(written, "my-plan.docx")
    assert (document.title, document.dated, document.author) == ("my plan", None, None)


def test_slides_are_pages_in_reading_order_with_tables_and_notes() -> None:
    shown = Presentation()
    first = shown.slides.add_slide(shown.slide_layouts[0])
    first.shapes.title.text = "Results"
    first.placeholders[1].text = "Spring"
    second = shown.slides.add_slide(shown.slide_layouts[5])
    second.shapes.title.text = "Sales"
    low = second.shapes.add_textbox(Inches(1), Inches(6), Inches(3), Inches(1))
    low.text_frame.text = "Below."
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(3), Inches(1)).table
    for at, said in enumerate(("Who", "Sum", "Ada", "9")):
        table.cell(at // 2, at % 2).text = said
    second.notes_slide.notes_text_frame.text = "Say this aloud."
    hidden = shown.slides.add_slide(shown.slide_layouts[5])
    hidden.shapes.title.text = "Secret"
    hidden.element.set("show", "0")
    document = read(shown)
    assert document.title == "Results"
    assert document.blocks == (
        Block("Spring", (), 1),
        Block("Who | Sum\nAda | 9", ("Sales",), 2, "table"),
        Block("Below.", ("Sales",), 2),
        Block("Notes: Say this aloud.", ("Sales",), 2),
    )


def test_sheets_are_headings_over_their_tables_and_hidden_ones_are_left_out() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("Rates")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, row in enumerate((("City", "Rate", "From"), ("Rome", 120.0, None), ("Oslo", 99.5, None))):
            sheet.write_row(at, 1, row)
        sheet.write_datetime(1, 3, datetime(2026, 1, 1), day)
        sheet.write(5, 0, "A remark.")
        book.add_worksheet("Hidden").write(0, 0, "Secret")
        book.worksheets()[1].hide()
    document = parse(buffer.getvalue(), "rates.xlsx")
    assert document.blocks == (
        Block("City | Rate | From\nRome | 120 | 2026-01-01\nOslo | 99.5 | ", ("Rates",), kind="table"),
        Block("A remark.", ("Rates",)),
    )


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'a,b\n1,"two, and\nthree"\n', "a | b\n1 | two, and three"),
        ("Stadt;Preis\nKöln;3,5\nZürich;4,5\n".encode(), "Stadt | Preis\nKöln | 3,5\nZürich | 4,5"),
        ("a\tb\n1\t2\n".encode("utf-16"), "a | b\n1 | 2"),
        (b"alone\n1\n2\n", "alone\n1\n2"),
        (b"a,,b\n1,,2\n", "a | b\n1 | 2"),
    ],
)
def test_separated_values_are_a_table_whatever_parts_them(data: bytes, rows: str) -> None:
    assert parse(data, "x.csv").blocks == (Block(rows, kind="table"),)
