"""Markdown: rendered, then walked as HTML, so that tables and lists written in HTML are read as well."""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from selectolax.lexbor import LexborHTMLParser

from retrieval.parsing.cleaning import one_line
from retrieval.parsing.dates import as_date, stated_date
from retrieval.parsing.decoding import decode
from retrieval.parsing.document import ParsedDocument, UnreadableDocument
from retrieval.parsing.html import drop_unseen, outline_of
from retrieval.parsing.naming import title_from

MEDIA_TYPE = "text/markdown"

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_DATE_FIELDS = ("updated", "last_updated", "lastmod", "modified", "date")
# These make a browser read on as raw text until they are closed: a stray <script> would swallow the document
# (GitHub Flavored Markdown, 6.11).
_SWALLOWING = (
    "title",
    "textarea",
    "style",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "script",
    "plaintext",
    "template",
)
_OPENING = re.compile(rf"<(?=({'|'.join(_SWALLOWING)})\b)", re.IGNORECASE)


def parse(data: bytes, name: str) -> ParsedDocument:
    """Reads Markdown. Title: the front matter's, else the first of the outermost headings, else the file's name."""
    text = decode(data)
    if text is None:
        raise UnreadableDocument(
            f"{name} could not be read as Markdown: it is not text in any known encoding."
        )
    fields, body = _front_matter(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    page = LexborHTMLParser(_markdown().render(body))
    drop_unseen(page)
    outline = outline_of(page.body)
    title = _text_field(fields, "title") or outline.first_heading() or title_from(name)
    blocks = outline.blocks(title)
    dates = (as_date(fields.get(key)) for key in _DATE_FIELDS)
    dated = next((day for day in dates if day), None) or stated_date(block.text for block in blocks[:3])
    return ParsedDocument(title, blocks, MEDIA_TYPE, dated, _text_field(fields, "author"))


def warm_up() -> None:
    """What a process that will read many pages does once."""
    parse(b"---\ntitle: One\n---\n# One\n\n- `two` [three](four)\n", "one")


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML fields at the top and the text under them; a broken front matter is dropped unread."""
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    try:
        fields = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text[found.end() :]
    if fields is not None and not isinstance(fields, dict):
        return {}, text  # two rules with prose between them
    return {str(key).lower(): value for key, value in (fields or {}).items()}, text[found.end() :]


def _text_field(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return one_line(str(value)) or None if isinstance(value, str | int | float) else None


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}, renderer_cls=_Renderer)
    return markdown.enable(["table", "strikethrough"])


class _Renderer(RendererHTML):
    """HTML inside Markdown passes through, save tags that would swallow what follows them."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _harmless(tokens[idx].content)

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _harmless(tokens[idx].content)


def _harmless(html: str) -> str:
    lowered = html.lower()
    return _OPENING.sub(lambda tag: "<" if f"</{tag[1].lower()}" in lowered else "&lt;", html)
