"""Cuts a block into the pieces that a chunk is packed from: none is larger than a chunk may be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from retrieval.parsing.document import Block
from retrieval.sentences import FENCE, split_prose, table_row_sentence

# Texts in, their numbers of tokens out, without special tokens: one call a batch.
CountTokens = Callable[[Sequence[str]], list[int]]

# Some tokenizers make one unknown token of a word of any length; so many letters count as one token at least.
_LETTERS_A_TOKEN = 8
_LONGEST_WORD = 200


@dataclass(frozen=True)
class Piece:
    """Text that stays together. `joint` stands before it if a piece of the same block precedes it.

    `frame` goes around the pieces of one block in one chunk: a table's header before, a code's fences.
    """

    text: str
    tokens: int
    block: int
    joint: str = " "
    frame: tuple[str, str] = ("", "")
    frame_tokens: int = 0


def measured(count: CountTokens) -> CountTokens:
    """`count`, safe against words that the tokenizer does not measure."""

    def count_safely(texts: Sequence[str]) -> list[int]:
        lengths = (len(text) // _LETTERS_A_TOKEN for text in texts)
        return [max(*pair) for pair in zip(count(texts), lengths, strict=True)] if texts else []

    return count_safely


def pieces_of(block: Block, number: int, count: CountTokens, budget: int) -> list[Piece]:
    """The pieces of one block, each of at most `budget` tokens with its frame. `number` tells blocks apart."""
    if block.kind == "table":
        return _table_pieces(block.text, number, count, budget)
    if block.kind == "code":
        return _code_pieces(block.text, number, count, budget)
    if block.kind == "list":
        return _fitted(block.text.split("\n"), number, "\n", count, budget)
    return _fitted(split_prose(block.text), number, " ", count, budget)


def _table_pieces(text: str, number: int, count: CountTokens, budget: int) -> list[Piece]:
    """A table that fits stays whole; else its rows, each of which comes behind the header."""
    header, _, body = text.partition("\n")
    whole, of_header = count([text, header])
    if whole <= budget or not body:
        return _fitted([text], number, "\n", count, budget)
    rows = body.split("\n")
    if of_header > budget // 2:
        return _fitted([table_row_sentence(header, row) for row in rows], number, "\n", count, budget)
    pieces: list[Piece] = []
    for row, tokens in zip(rows, count(rows), strict=True):
        if tokens + of_header <= budget:
            pieces.append(Piece(row, tokens, number, "\n", (f"{header}\n", ""), of_header))
        else:
            pieces.extend(_fitted([table_row_sentence(header, row)], number, "\n", count, budget))
    return pieces


def _code_pieces(text: str, number: int, count: CountTokens, budget: int) -> list[Piece]:
    """Code that fits stays whole; else its lines."""
    whole, of_frame = count([text, f"{FENCE}\n{FENCE}"])
    room = budget - of_frame
    parts = [text] if whole <= room else text.split("\n")
    frame = (f"{FENCE}\n", f"\n{FENCE}")
    return [
        replace(piece, frame=frame, frame_tokens=of_frame)
        for piece in _fitted(parts, number, "\n", count, room, keep_blank=True)
    ]


def _fitted(
    parts: list[str], number: int, joint: str, count: CountTokens, budget: int, keep_blank: bool = False
) -> list[Piece]:
    """The parts as pieces; one that is too long is cut into sentences, and a sentence between words."""
    pieces: list[Piece] = []
    for part, tokens in zip(parts, count(parts), strict=True):
        if tokens <= budget:
            if keep_blank or part.strip():
                pieces.append(Piece(part, tokens, number, joint))
            continue
        for at, (text, size) in enumerate(_cut(part, count, budget)):
            pieces.append(Piece(text, size, number, " " if at else joint))
    return pieces


def _cut(text: str, count: CountTokens, budget: int) -> Iterator[tuple[str, int]]:
    sentences = split_prose(text)
    for sentence, tokens in zip(sentences, count(sentences), strict=True):
        if tokens <= budget:
            yield sentence, tokens
        else:
            yield from _cut_between_words(sentence, count, budget)


def _cut_between_words(sentence: str, count: CountTokens, budget: int) -> Iterator[tuple[str, int]]:
    words = [
        word[at : at + _LONGEST_WORD]
        for word in sentence.split()
        for at in range(0, len(word), _LONGEST_WORD)
    ]
    sizes = count(words)
    start = total = 0
    for at, size in enumerate(sizes):
        if total + size > budget and at > start:
            yield " ".join(words[start:at]), total
            start, total = at, 0
        total += size
    yield " ".join(words[start:]), total
