"""Packs a document into chunks: as large as the embedder reads, never across a change of subject.

A chunk stays within one section, save that tiny neighbouring sections share one under their common heading. What
is embedded is title, headings and text together, so that "30 days" is found as leave and not as notice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from retrieval.parsing.document import ParsedDocument
from retrieval.pieces import CountTokens, Piece, measured, pieces_of

__all__ = ["Chunk", "CountTokens", "chunk", "embedding_text", "token_counter"]

# Letters of title and headings that are embedded: they say what a chunk is about, and must leave room for it.
_TITLE_LETTERS = 100
_HEADING_LETTERS = 80
_HEADINGS = 3
# A section of at most this many tokens says too little alone: it shares a chunk with its equals.
_TINY = 40


@dataclass(frozen=True)
class Chunk:
    """What is embedded, searched and cited. `tokens` counts title, headings and text, without special tokens."""

    text: str
    heading_path: tuple[str, ...]
    page: int | None
    ordinal: int
    tokens: int


@dataclass(frozen=True)
class _Section:
    """Pieces under one path on one page. `room` is what title and headings leave of a chunk, in tokens."""

    path: tuple[str, ...]
    page: int | None
    room: int
    pieces: tuple[Piece, ...]

    @property
    def tokens(self) -> int:
        return _size(self.pieces)


def token_counter(tokenizer: Any) -> CountTokens:
    """Counts with a copy of a Hugging Face fast tokenizer: the original may be encoding in another thread."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    own.no_truncation()
    own.no_padding()

    def count(texts: Any) -> list[int]:
        return [len(encoded.ids) for encoded in own.encode_batch_fast(list(texts), add_special_tokens=False)]

    return count


def embedding_text(title: str, heading_path: tuple[str, ...], text: str) -> str:
    """What the embedder reads for a chunk: what it is about, then what it says."""
    about = " > ".join(_cut(heading, _HEADING_LETTERS) for heading in heading_path[-_HEADINGS:])
    return "\n".join(part for part in (_cut(title, _TITLE_LETTERS), about, text) if part)


def chunk(document: ParsedDocument, count: CountTokens, *, max_tokens: int = 220) -> tuple[Chunk, ...]:
    """The document's chunks in reading order.

    `embedding_text` of each has at most `max_tokens`, unless title and headings alone take more than half of them.
    """
    measure = measured(count)
    sections = _sections(document, measure, max_tokens)
    drafts = [
        (section.path, section.page, _text(pieces))
        for section in _with_tiny_ones_joined(document.title, sections, measure, max_tokens)
        for pieces in _packed(section)
    ]
    sizes = measure([embedding_text(document.title, path, text) for path, _, text in drafts])
    return tuple(
        Chunk(text, path, page, ordinal, tokens)
        for ordinal, ((path, page, text), tokens) in enumerate(zip(drafts, sizes, strict=True))
    )


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _sections(document: ParsedDocument, count: CountTokens, max_tokens: int) -> Iterator[_Section]:
    numbered = enumerate(document.blocks)
    for (path, page), blocks in groupby(numbered, key=lambda item: (item[1].heading_path, item[1].page)):
        room = _room(document.title, path, count, max_tokens)
        pieces = tuple(piece for at, block in blocks for piece in pieces_of(block, at, count, room))
        yield _Section(path, page, room, pieces)


def _room(title: str, path: tuple[str, ...], count: CountTokens, max_tokens: int) -> int:
    return max(max_tokens - count([embedding_text(title, path, "")])[0], max_tokens // 2)


def _with_tiny_ones_joined(
    title: str, sections: Iterable[_Section], count: CountTokens, max_tokens: int
) -> Iterator[_Section]:
    """Tiny neighbours under one heading as one section of that heading; all others as they are."""
    run: list[_Section] = []
    for section in sections:
        if run and not _may_share([*run, section]):
            yield _joined(title, run, count, max_tokens)
            run = []
        run.append(section)
    if run:
        yield _joined(title, run, count, max_tokens)


def _may_share(run: Sequence[_Section]) -> bool:
    """All tiny, small enough together, and none deeper than one heading below what they have in common."""
    common = len(_common_path(run))
    room = min(section.room for section in run) - _HEADING_LETTERS // 4 * len(run)
    return (
        all(section.tokens <= _TINY and len(section.path) - common <= 1 for section in run)
        and sum(section.tokens for section in run) <= room
    )


def _common_path(run: Sequence[_Section]) -> tuple[str, ...]:
    shared = 0
    for headings in zip(*(section.path for section in run), strict=False):
        if len(set(headings)) > 1:
            break
        shared += 1
    return run[0].path[:shared]


def _joined(title: str, run: Sequence[_Section], count: CountTokens, max_tokens: int) -> _Section:
    if len(run) == 1:
        return run[0]
    path = _common_path(run)
    pieces: list[Piece] = []
    above = path
    for section in run:
        if section.path not in (path, above):
            heading = f"# {section.path[-1]}"
            pieces.append(Piece(heading, count([heading])[0], -len(pieces) - 1))
        pieces.extend(section.pieces)
        above = section.path
    return _Section(path, run[0].page, _room(title, path, count, max_tokens), tuple(pieces))


def _packed(section: _Section) -> list[list[Piece]]:
    """The pieces in as few chunks as hold them, of about the same size: no last one of a single item."""
    least = max(1, ceil(section.tokens / section.room))
    chunks = list(_filled(section, section.tokens / least))
    return chunks if len(chunks) <= least else list(_filled(section, section.tokens / len(chunks)))


def _filled(section: _Section, target: float) -> Iterator[list[Piece]]:
    current: list[Piece] = []
    for piece in section.pieces:
        size, more = _size(current), _cost(current, piece)
        if current and (size + more > section.room or size + more / 2 > target):
            full, current = _parted(current, piece, section.room)
            yield full
        current.append(piece)
    if current:
        yield current


def _parted(pieces: list[Piece], following: Piece, room: int) -> tuple[list[Piece], list[Piece]]:
    """A full chunk, and what the next one begins with: words that lead to what follows, if there are any."""
    leading = pieces[-1:] if pieces[-1].text.endswith(":") or pieces[-1].text.startswith("# ") else []
    kept = pieces[: len(pieces) - len(leading)]
    if leading and kept and _size(leading) + _cost(leading, following) <= room:
        return kept, leading
    return pieces, []


def _size(pieces: Sequence[Piece]) -> int:
    blocks = [list(group) for _, group in groupby(pieces, key=_frame)]
    return sum(piece.tokens for piece in pieces) + sum(block[0].frame_tokens for block in blocks)


def _frame(piece: Piece) -> tuple[int, tuple[str, str]]:
    return piece.block, piece.frame


def _cost(before: Sequence[Piece], piece: Piece) -> int:
    """The tokens that a piece adds, with its frame if it is the first of its block."""
    framed = bool(before) and _frame(before[-1]) == _frame(piece)
    return piece.tokens + (0 if framed else piece.frame_tokens)


def _text(pieces: Sequence[Piece]) -> str:
    """Pieces of a block by their joints and in their frame, blocks apart by a blank line."""
    blocks = (list(group) for _, group in groupby(pieces, key=_frame))
    return "\n\n".join(_framed(block) for block in blocks)


def _framed(pieces: Sequence[Piece]) -> str:
    before, after = pieces[0].frame
    inner = pieces[0].text + "".join(piece.joint + piece.text for piece in pieces[1:])
    return f"{before}{inner}{after}"
