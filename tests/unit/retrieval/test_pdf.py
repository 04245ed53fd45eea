import io
from collections.abc import Callable
from datetime import date

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, ListFlowable, PageBreak, Paragraph, SimpleDocTemplate, Table

from retrieval.parsing import Block, ParsedDocument, UnreadableDocument, parse

STYLES = getSampleStyleSheet()
LONG = "The supplier delivers the meters in lots of at least two hundred and fifty pieces each quarter. " * 4


def body(text: str) -> Paragraph:
    return Paragraph(text, STYLES["BodyText"])


def head(text: str, level: int = 1) -> Paragraph:
    return Paragraph(text, STYLES[f"Heading{level}"])


def furniture(canvas: Canvas, _: object) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawString(72, A4[1] - 30, "Contract LI-117, confidential")
    canvas.drawString(280, 30, f"Page {canvas.getPageNumber()}")


def laid_out(
    *story: Flowable, title: str | None = None, password: str | None = None, heads: bool = False
) -> bytes:
    buffer = io.BytesIO()
    encrypt = StandardEncryption(password) if password else None
    document = SimpleDocTemplate(buffer, pagesize=A4, title=title, author="Nadia Peverell", encrypt=encrypt)
    document.build(list(story), **({"onFirstPage": furniture, "onLaterPages": furniture} if heads else {}))
    return buffer.getvalue()


def drawn(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def read(data: bytes) -> ParsedDocument:
    return parse(data, "contract.pdf")


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableDocument) as refused:
        read(data)
    return str(refused.value)


def test_headings_by_size_pages_from_one_and_wrapped_lines_joined() -> None:
    document = read(
        laid_out(
            Paragraph("Frame contract", STYLES["Title"]),
            body("Version 2, dated 14 March 2024."),
            head("Prices", 2),
            body(LONG),
            PageBreak(),
            head("Notice", 2),
            body("Six months before the end."),
        )
    )
    assert (document.title, document.media_type, document.dated) == (
        "Frame contract",
        "application/pdf",
        date(2024, 3, 14),
    )
    assert document.author == "Nadia Peverell"
    assert document.blocks == (
        Block("Version 2, dated 14 March 2024.", (), 1),
        Block(LONG.strip(), ("Prices",), 1),
        Block("Six months before the end.", ("Notice",), 2),
    )


def test_running_heads_and_page_numbers_are_no_text() -> None:
    document = read(
        laid_out(body("One."), PageBreak(), body("Two."), PageBreak(), body("Three."), heads=True)
    )
    assert [block.text for block in document.blocks] == ["One.", "Two.", "Three."]


def test_columns_become_a_table_whose_missing_cells_stay_empty() -> None:
    rows = [
        ["Article", "Price", "Remark"],
        ["Heron 40", "412 euros", ""],
        ["Rook", "545 euros", "mains powered"],
    ]
    table = Table(rows, colWidths=[150, 120, 150], style=[("GRID", (0, 0), (-1, -1), 1, colors.grey)])
    document = read(laid_out(body(LONG), table, body(LONG)))
    assert [block.text for block in document.blocks if block.kind == "table"] == [
        "Article | Price | Remark\nHeron 40 | 412 euros | \nRook | 545 euros | mains powered"
    ]


def test_a_cell_that_wraps_stays_one_cell() -> None:
    wrapped = body("Subscription for a meter and a month")
    rows = [["Article", "Price"], [wrapped, "4.60 euros"], ["Visit", "118 euros"]]
    document = read(
        laid_out(
            body(LONG),
            Table(rows, colWidths=[100, 150], style=[("VALIGN", (0, 0), (-1, -1), "TOP")]),
            body(LONG),
        )
    )
    tables = [block.text for block in document.blocks if block.kind == "table"]
    assert tables == ["Article | Price\nSubscription for a meter and a month | 4.60 euros\nVisit | 118 euros"]


@pytest.mark.parametrize(("kind", "marks"), [("bullet", ["- ", "- "]), ("1", ["1. ", "2. "])])
def test_items_are_a_list_and_what_follows_is_not(kind: str, marks: list[str]) -> None:
    items = ListFlowable([body("Read the ticket."), body(LONG)], bulletType=kind)
    document = read(laid_out(body("Before:"), items, body("Then drive.")))
    assert [(block.kind, block.text) for block in document.blocks] == [
        ("paragraph", "Before:"),
        ("list", f"{marks[0]}Read the ticket.\n{marks[1]}{LONG.strip()}"),
        ("paragraph", "Then drive."),
    ]


def test_a_sentence_that_goes_on_overleaf_is_one_sentence() -> None:
    document = read(laid_out(body("It ends when the customer"), PageBreak(), body("gives notice. More.")))
    assert document.blocks == (Block("It ends when the customer gives notice. More.", (), 1),)


def test_a_title_field_counts_only_if_the_page_says_it_too() -> None:
    story = (Paragraph("Warranty terms", STYLES["Title"]), body(LONG))
    assert read(laid_out(*story, title="Microsoft Word - final_v3.docx")).title == "Warranty terms"
    assert read(laid_out(body(f"Warranty terms. {LONG}"), title="Warranty terms")).title == "Warranty terms"


def test_an_encrypted_file_is_named() -> None:
    data = laid_out(body("Secret."), password="open sesame")
    assert refusal(data) == "contract.pdf is encrypted; remove its password and send it again."


def test_a_file_that_anyone_may_open_but_not_change_is_read() -> None:
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, encrypt=StandardEncryption("", ownerPassword="owner")).build([body("Open.")])
    assert read(buffer.getvalue()).blocks[0].text == "Open."


def test_a_file_of_images_is_named() -> None:
    data = drawn(lambda canvas: canvas.rect(100, 100, 200, 200, fill=1))
    assert refusal(data) == "contract.pdf has no text, only images; run OCR on it first."


def test_an_empty_page_is_named() -> None:
    assert (
        refusal(drawn(lambda canvas: canvas.showPage())) == "contract.pdf has no text: its pages are empty."
    )


@pytest.mark.parametrize("keep", [20, 400])
def test_a_damaged_file_is_named(keep: int) -> None:
    data = laid_out(body(LONG))[:keep].replace(b"obj", b"xxx")
    assert (
        refusal(data)
        == "contract.pdf is damaged and cannot be opened as a PDF; export it anew and send it again."
    )


def test_a_page_without_text_among_others_costs_only_itself() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(100, 100, 200, 200, fill=1)
        canvas.showPage()
        canvas.drawString(100, 500, "On the second page.")

    assert read(drawn(draw)).blocks == (Block("On the second page.", (), 2),)
