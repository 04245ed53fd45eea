"""E-books (.epub): chapter by chapter in the order of the book's spine (EPUB 3.3, 5.7)."""

import posixpath
import zipfile
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser

from retrieval.parsing import archives, markup
from retrieval.parsing.cleaning import one_line
from retrieval.parsing.dates import as_date
from retrieval.parsing.decoding import decode
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.html import drop_unseen
from retrieval.parsing.html_walk import walk
from retrieval.parsing.markup import Element, local_name
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline

MEDIA_TYPE = "application/epub+zip"
_CONTAINER = "META-INF/container.xml"


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a book. Title: the one it states, else its first heading, else the file's name."""
    with archives.opened(data, name) as archive:
        path = _package_path(archive, name)
        package = markup.member(archive, path, name)
        outline = Outline()
        for chapter in _spine(package, posixpath.dirname(path)):
            _add(archive, chapter, outline)
    stated = {local_name(element): one_line(element.text or "") for element in reversed(list(package.iter()))}
    title = stated.get("title") or outline.first_heading() or title_from(name)
    author = stated.get("creator") or None
    return ParsedDocument(title, outline.blocks(title), MEDIA_TYPE, as_date(stated.get("date")), author)


def _package_path(archive: zipfile.ZipFile, name: str) -> str:
    for element in markup.member(archive, _CONTAINER, name).iter():
        if local_name(element) == "rootfile":
            return str(element.get("full-path"))
    raise UnreadableDocument(f"{name} is damaged: it does not say where its text is. Save it anew.")


def _spine(package: Element, folder: str) -> list[str]:
    """The chapters' paths in the archive, in reading order."""
    items = {e.get("id"): e.get("href", "") for e in package.iter() if local_name(e) == "item"}
    order = [e.get("idref") for e in package.iter() if local_name(e) == "itemref"]
    return [posixpath.normpath(posixpath.join(folder, unquote(items[at]))) for at in order if at in items]


def _add(archive: zipfile.ZipFile, path: str, outline: Outline) -> None:
    """A chapter that the book names and does not hold is passed over: readers do the same."""
    if path not in archive.namelist():
        return
    page = LexborHTMLParser(decode(archive.read(path)) or "")
    drop_unseen(page)
    if page.body is not None:
        walk(page.body, outline)
