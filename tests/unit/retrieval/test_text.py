from datetime import date

import pytest

from retrieval.parsing import ParsedDocument, parse


def read(text: str, name: str = "notes.txt") -> ParsedDocument:
    return parse(text.encode(), name)


def shape(document: ParsedDocument) -> list[tuple[str, tuple[str, ...], str]]:
    return [(block.kind, block.heading_path, block.text) for block in document.blocks]


def test_underlined_and_capital_headings_open_sections() -> None:
    document = read(
        "VISITORS\n========\n\nDated 3 November 2025.\n\nARRIVING\n\nCome to\nreception.\n\nLUNCH\nIs free.\n"
    )
    assert (document.title, document.media_type, document.dated) == (
        "VISITORS",
        "text/plain",
        date(2025, 11, 3),
    )
    assert shape(document) == [
        ("paragraph", (), "Dated 3 November 2025."),
        ("paragraph", ("ARRIVING",), "Come to reception."),
        ("paragraph", ("LUNCH",), "Is free."),
    ]


def test_numbered_headings_nest_and_numbered_items_do_not_become_headings() -> None:
    document = read(
        "Rules\n-----\n\n1.1 Scope\n\nAll.\n\n1.1.1 Detail\n\nSome.\n\n1. First do this\n\n2.5 million euros\n"
    )
    assert [block.heading_path for block in document.blocks] == [
        ("1.1 Scope",),
        ("1.1 Scope", "1.1.1 Detail"),
        ("1.1 Scope", "1.1.1 Detail"),
        ("1.1 Scope", "1.1.1 Detail"),
    ]


def test_list_items_keep_their_wrapped_lines_and_get_one_kind_of_bullet() -> None:
    assert shape(read("Bring:\n* a badge\n  and a card\n* a pen\n")) == [
        ("paragraph", (), "Bring:"),
        ("list", (), "- a badge and a card\n- a pen"),
    ]


def test_aligned_columns_with_a_header_are_a_table() -> None:
    document = read("Pay of all\n\nName      Euros\nAnna      1,000\nBen Roe   2,000\n")
    assert shape(document)[1] == ("table", (), "Name | Euros\nAnna | 1,000\nBen Roe | 2,000")


def test_aligned_columns_without_a_header_are_items_that_their_first_cell_names() -> None:
    assert shape(read("  First quarter    7 hires\n  Second quarter   5 hires\n")) == [
        ("list", (), "- First quarter: 7 hires\n- Second quarter: 5 hires")
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_any_usual_encoding_is_read(encoding: str) -> None:
    text = "Die Größe der Prämie beträgt fünfzig Euro. Über Änderungen wird früh informiert. Schöne Grüße!"
    assert parse(text.encode(encoding), "a.txt").blocks[0].text == text


def test_windows_and_old_mac_line_ends_part_paragraphs() -> None:
    assert len(parse(b"One.\r\n\r\nTwo.\r\rThree.", "a.txt").blocks) == 3
