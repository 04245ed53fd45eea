"""OpenDocument, e-books, mail and rich text; and containers that were made to do harm."""

import io
import zipfile
from datetime import date
from email.message import EmailMessage

import pytest

from retrieval.parsing import Block, UnreadableDocument, archives, parse
from retrieval.parsing.letter import DEEPEST


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def opendocument(body: str, kind: str = "text") -> bytes:
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"))
    )
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{body}"
            f"</office:{kind}></office:body></office:document-content>",
        }
    )


def test_an_opendocument_text_keeps_headings_lists_and_tables_without_what_was_deleted() -> None:
    data = opendocument(
        "<text:tracked-changes><text:p>Deleted.</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Leave</text:h>'
        "<text:p>Take<text:s/><text:span>30 days</text:span><text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>Or more</text:p></text:note-body></text:note>.</text:p>"
        "<text:list><text:list-item><text:p>One</text:p><text:list><text:list-item><text:p>Deep</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Who</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row></table:table>'
    )
    assert parse(data, "a.odt").blocks == (
        Block("Take 30 days [Or more]."),
        Block("- One\n  - Deep", kind="list"),
        Block("Who | x | x", kind="table"),
    )


def test_slides_of_an_opendocument_presentation_are_pages() -> None:
    page = (
        "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    )
    data = opendocument(page.format("One") + page.format("Two"), "presentation")
    assert [(block.page, block.text) for block in parse(data, "a.odp").blocks] == [(1, "One"), (2, "Two")]


def test_an_e_book_is_read_in_the_order_of_its_spine() -> None:
    data = packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<c><rootfiles><rootfile full-path="in/book.opf"/></rootfiles></c>',
            "in/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Knots</dc:title>'
            "<dc:creator>Ada</dc:creator><dc:date>2024-05-06</dc:date></metadata><manifest>"
            '<item id="b" href="b%20b.xhtml"/><item id="a" href="a.xhtml"/><item id="gone" href="gone.xhtml"/>'
            '</manifest><spine><itemref idref="b"/><itemref idref="gone"/><itemref idref="a"/></spine></package>',
            "in/a.xhtml": "<html><body><h1>Ends</h1><p>Last.</p></body></html>",
            "in/b b.xhtml": "<html><body><h1>Begins</h1><p>First.</p></body></html>",
        }
    )
    book = parse(data, "x.epub")
    assert (book.title, book.author, book.dated) == ("Knots", "Ada", date(2024, 5, 6))
    assert book.blocks == (Block("First.", ("Begins",)), Block("Last.", ("Ends",)))


def test_rich_text_is_read_as_text() -> None:
    assert [b.text for b in parse(rb"{\rtf1\ansi Caf\'e9 opens at 8.\par }", "a.rtf").blocks] == [
        "Café opens at 8."
    ]


def message(subject: str = "Leave") -> EmailMessage:
    written = EmailMessage()
    written["From"], written["To"], written["Subject"] = "Ada <ada@example.com>", "ben@example.com", subject
    written["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    written.set_content("You may take 30 days.")
    return written


def test_a_message_says_who_wrote_to_whom_and_its_attachments_are_read() -> None:
    written = message()
    written.add_attachment(
        b"# Rules\n\n- one\n- two\n", maintype="text", subtype="markdown", filename="rules.md"
    )
    written.add_attachment(
        b"\x89PNG\r\n\x1a\n" + bytes(50), maintype="image", subtype="png", filename="logo.png"
    )
    read = parse(written.as_bytes(), "x.eml")
    assert (read.title, read.author, read.dated) == ("Leave", "Ada <ada@example.com>", date(2026, 3, 3))
    assert read.blocks[0].text.startswith(
        "From: Ada <ada@example.com>\nTo: ben@example.com\nDate: 2026-03-03"
    )
    assert read.blocks[1].text == "You may take 30 days."
    assert read.blocks[2] == Block("- one\n- two", ("Attachment: rules.md",), kind="list")
    assert read.blocks[3].heading_path == ("Attachment: logo.png",)
    assert read.blocks[3].text.startswith("Not read: logo.png is an image")


def test_messages_inside_messages_end_somewhere() -> None:
    inner = message("innermost")
    for depth in range(DEEPEST + 3):
        outer = message(f"depth {depth}")
        outer.add_attachment(inner)
        inner = outer
    said = [block.text for block in parse(inner.as_bytes(), "x.eml").blocks]
    assert said[-1] == "Not read: messages inside messages, too deep."
    assert len(said) < 30


OFFICE = {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}


def test_a_container_that_unpacks_to_too_much_is_refused_unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    trap = packed({**OFFICE, "word/media.bin": bytes(40 * 2**20)})
    assert len(trap) < 100_000
    with pytest.raises(
        UnreadableDocument, match=r"bomb\.docx unpacks to 40 MB in 3 files, which is more than is"
    ):
        parse(trap, "bomb.docx")
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(UnreadableDocument, match="in 3 files"):
        parse(packed({**OFFICE, "more": "x"}), "many.docx")


def test_a_container_that_is_cut_off_is_named() -> None:
    with pytest.raises(UnreadableDocument, match=r"a\.docx is damaged: it cannot be unpacked"):
        parse(packed(OFFICE)[:-30], "a.docx")


def with_entities(declared: str, used: str) -> bytes:
    written = zipfile.ZipFile(io.BytesIO(opendocument(f"<text:p>Seen {used}</text:p>"))).read("content.xml")
    head = f"<!DOCTYPE d [{declared}]>".encode()
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": head + written})


def test_entities_are_not_expanded_nor_files_fetched() -> None:
    (block,) = parse(with_entities('<!ENTITY f SYSTEM "file:///etc/passwd">', "&f;"), "a.odt").blocks
    assert block.text == "Seen"
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(UnreadableDocument, match=r"a\.odt is damaged"):
        parse(with_entities(f'<!ENTITY l0 "ha">{laughs}', "&l9;"), "a.odt")
