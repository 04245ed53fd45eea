import io
import zipfile

import pytest

from retrieval.parsing import UnreadableDocument, parse
from retrieval.parsing.sniff import UNKNOWN, media_type


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7 \n...", "application/pdf"),
        (b"\n\njunk %PDF-1.4", "application/pdf"),
        (b"<!-- x --> <!DOCTYPE html><p>a", "text/html"),
        (b"\xef\xbb\xbf<html><body>a", "text/html"),
        ("<html>ä".encode("utf-16"), "text/html"),
        (b"<div><p>a fragment</p></div>", "text/html"),
        (b"# Title\n\ntext", "text/markdown"),
        (b"---\ntitle: x\n---\ntext", "text/markdown"),
        (b"Intro\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "text/markdown"),
        (b"<p align=center>logo</p>\n\n## Use\n\n```sh\nmake\n```\n", "text/markdown"),
        (b"Just words, even with a # in them.", "text/plain"),
        (b"Note: to all.\nFrom: here\n\nSubject: nothing", "text/plain"),
        (b"From: ada@example.com\nTo: ben@example.com\nSubject: Leave\n\nHello", "message/rfc822"),
        (b"BM is how a bitmap begins, and this letter.", "text/plain"),
        (b"{\\rtf1 hello}", "application/rtf"),
        (b"<?xml version='1.0'?><feed/>", "application/xml"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "image/png"),
        (bytes(range(256)) * 4, UNKNOWN),
    ],
)
def test_content_says_what_a_document_is(data: bytes, expected: str) -> None:
    assert media_type(data, "misleading.docx") == expected


def test_the_name_only_breaks_a_tie_between_text_and_markdown() -> None:
    assert media_type(b"Just words.", "a.md") == "text/markdown"
    assert media_type(b"Just words.", "a.txt") == "text/plain"
    assert media_type(b"Just words.", "a.pdf") == "text/plain"
    assert media_type(b"%PDF-1.7", "a.md") == "application/pdf"


def test_a_long_text_whose_sample_ends_inside_a_letter_is_text() -> None:
    assert media_type("aé".encode() * 40_000, "a.txt") == "text/plain"
    assert media_type(b"x" + "é".encode() * 40_000, "a.txt") == "text/plain"


def zipped(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "x")
    return buffer.getvalue()


def compound(member: str) -> bytes:
    """As an old Office file begins, with a name of its directory."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + member.encode("utf-16-le") + bytes(64)


ADVICE = (
    "send it as PDF, Word (.docx), PowerPoint (.pptx), Excel, OpenDocument, HTML, Markdown, CSV, RTF, EPUB, mail or"
    " text."
)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "plan.docx is empty."),
        (b" \n\t ", "plan.docx is empty."),
        (zipped("other"), f"plan.docx is a zip archive, which is not read; {ADVICE}"),
        (b"\xff\xd8\xff\xe0" + bytes(60), f"plan.docx is an image, which is not read; {ADVICE}"),
        (bytes(range(256)), f"plan.docx is a file of an unknown kind, which is not read; {ADVICE}"),
        (compound("WordDocument"), f"plan.docx is an old Word document (.doc), which is not read; {ADVICE}"),
        (
            compound("EncryptedPackage"),
            "plan.docx is locked with a password. Save it without one and send it again.",
        ),
        (b"<!doctype html><body></body>", "plan.docx has no text in it; nothing was stored."),
    ],
)
def test_what_cannot_be_read_is_named_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        parse(data, "plan.docx")
    assert str(refused.value) == sentence


def test_a_name_cannot_break_out_of_its_sentence() -> None:
    with pytest.raises(UnreadableDocument) as refused:
        parse(b"", "a\n\u202eb\x00" + "c" * 500)
    assert str(refused.value).count("\n") == 0
    assert len(str(refused.value)) < 140


@pytest.mark.parametrize("shift", range(3))
def test_a_letter_that_is_cut_in_two_does_not_make_a_long_text_another_encoding(
    shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_data: bytes, **_options: object) -> None:
        raise AssertionError("UTF-8 was taken for something to be guessed")

    monkeypatch.setattr("retrieval.parsing.decoding.from_bytes", refuse)
    text = "x" * shift + "規" * 20_000
    assert media_type(text.encode(), "rules.txt") == "text/plain"


def test_an_archive_that_begins_with_a_pdf_is_an_archive() -> None:
    assert media_type(b"PK\x03\x04" + bytes(26) + b"a.pdf%PDF-1.7", "all.zip") == "application/zip"
