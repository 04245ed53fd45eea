"""Real files of many formats: each ends in text or in a sentence that names it, within the reader's limits."""

import asyncio
from pathlib import Path

import pytest

from retrieval.parsing.document import UnreadableDocument
from retrieval.parsing.isolated import ParserProcess

FILES = Path(__file__).parents[3] / "shared" / "data" / "doc-formats"
pytestmark = pytest.mark.skipif(
    not FILES.is_dir(), reason="the files lie beside the repository, where they do"
)
REFUSED = {".jpg", ".jpeg", ".png", ".tiff", ".wav", ".doc", ".ppt", ".xml", ".zip"}
# What is no document for a reason of its own: empty, locked, damaged, or nothing but images.
ODD = {
    "empty.txt",
    "fake-text-all-whitespace.txt",
    "libreoffice-writer-password.pdf",
    "password_protected.xlsx",
    "unreadablemetadata.pdf",
    "grayscale-image.pdf",
    "cmyk-image.pdf",
    "imagemagick-ASCII85Decode.pdf",
    "imagemagick-CCITTFaxDecode.pdf",
    "imagemagick-images.pdf",
    "imagemagick-lzw.pdf",
}


async def test_every_file_is_read_or_refused_by_name() -> None:
    read, refused = set[str](), dict[str, str]()
    files = sorted(path for path in FILES.rglob("*") if path.is_file())
    async with ParserProcess() as parser:
        for path in files:
            async with asyncio.timeout(60):
                try:
                    document = await parser.parse(path.read_bytes(), path.name)
                    assert all(block.text.strip() for block in document.blocks), path
                    read.add(path.name)
                except UnreadableDocument as refusal:
                    refused[path.name] = str(refusal)
    assert len(files) > 150
    assert all(name in sentence for name, sentence in refused.items())
    assert {name for name in refused if Path(name).suffix not in REFUSED} == ODD
    assert not {name for name in read if Path(name).suffix in REFUSED}
    assert "broke over it" not in " ".join(refused.values())
