"""HTML: the main part of a page, walked in reading order into blocks.

A page that marks its main part is trusted to know it. Any other page goes through trafilatura, which drops menus
and footers; where that keeps too little (short pages, pages of tables), the page without its marked navigation
is read whole: too much is better than a document that lost its words.
"""

import re
from datetime import date

from selectolax.lexbor import LexborHTMLParser, LexborNode

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.dates import as_date, stated_date
from retrieval.parsing.decoding import decode
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.html_tables import inline_text
from retrieval.parsing.html_walk import walk
from retrieval.parsing.naming import title_from
from retrieval.parsing.outline import Outline

MEDIA_TYPE = "text/html"

_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)
# A reader of the page does not see these, so no answer may come from them.
_UNSEEN = (
    "script, style, noscript, template, [hidden], [style*='display:none'], [style*='display: none'], "
    "[style*='visibility:hidden'], [style*='visibility: hidden']"
)
_MENUS = "nav, footer, [role=navigation], [role=contentinfo], [role=search]"
_MARGINS = "aside, body > header:not(:has(h1)), [role=banner], [role=complementary]"
_DATE_FIELDS = ("date", "article:modified_time", "article:published_time", "dcterms.date", "last-modified")
# What holds less of the page's text than this has lost something.
_ENOUGH = 0.4
# Below this many letters trafilatura gives up on structure and returns one paragraph.
_SHORT = 300


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads a page. Title: its only main heading, else <title>, else its first heading, else the file's name."""
    found = _DECLARED.search(data[:4096])
    text = decode(data, found[1].decode("ascii") if found else None)
    if text is None:
        raise UnreadableDocument(f"{name} could not be read as HTML: it is not text in any known encoding.")
    page = LexborHTMLParser(text)
    outline = _main_outline(page)
    title = _title(page, outline) or title_from(name)
    blocks = outline.blocks(title)
    dated = _date_field(page) or stated_date(block.text for block in blocks[:3])
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, _field(page, "author"))


def warm_up() -> None:
    """What a process that will read many pages does once."""
    parse(b"<p>One</p>", "one")


def outline_of(node: LexborNode | None) -> Outline:
    """The blocks under a node, and nothing if there is no node."""
    outline = Outline()
    if node is not None:
        walk(node, outline)
    return outline


def drop_unseen(page: LexborHTMLParser) -> None:
    """Takes out scripts, styles and what is hidden from readers."""
    _drop(page, _UNSEEN)


def _main_outline(page: LexborHTMLParser) -> Outline:
    drop_unseen(page)
    source = page.html or ""
    _drop(page, _MENUS)
    size = len(_words(page.body))
    marked = page.css("main, [role=main]")[:1] or page.css("article")
    if len(marked) == 1 and len(_words(marked[0])) >= _ENOUGH * size:
        return outline_of(marked[0])
    extracted = _extracted(source)
    if len(_words(extracted)) >= max(_SHORT, _ENOUGH * size):
        return outline_of(extracted)
    _drop(page, _MARGINS)
    return outline_of(page.body)


def _extracted(source: str) -> LexborNode | None:
    """The main part as trafilatura sees it. It is slow to import, so only pages that need it pay."""
    import trafilatura

    main = trafilatura.extract(source, output_format="html", include_comments=False, favor_recall=True)
    return LexborHTMLParser(main).body if main else None


def _words(node: LexborNode | None) -> str:
    return one_line(inline_text(node)) if node is not None else ""


def _drop(page: LexborHTMLParser, selector: str) -> None:
    """Removes what the selector finds. Only the outermost: destroying a node destroys those under it."""
    found = [node for node in page.css(selector) if node.tag not in ("html", "body")]
    ids = {node.mem_id for node in found}
    for node in [node for node in found if not _is_under(node, ids)]:
        node.decompose()


def _is_under(node: LexborNode, ids: set[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.mem_id in ids:
            return True
        parent = parent.parent
    return False


def _title(page: LexborHTMLParser, outline: Outline) -> str | None:
    main_headings = [text for node in page.css("h1") if (text := _words(node))]
    if len(main_headings) == 1:
        return main_headings[0]
    stated = _words(page.css_first("head > title")) if page.css_first("head > title") else ""
    return stated or outline.first_heading()


def _date_field(page: LexborHTMLParser) -> date | None:
    fields = (as_date(_field(page, name)) for name in _DATE_FIELDS)
    return next((day for day in fields if day), None)


def _field(page: LexborHTMLParser, name: str) -> str | None:
    """What a <meta> of this name or property says."""
    for node in page.css("meta[content]"):
        attributes = node.attributes
        if (attributes.get("name") or attributes.get("property") or "").lower() == name:
            return one_line(attributes.get("content") or "") or None
    return None
