# ruff: noqa: SIM905 - a list of words reads better as words
"""The token vectors of a passage in one bit a dimension: what late interaction reads of it.

A question's vectors keep their precision, a passage's keep their signs: 48 bytes a token where the numbers would
take 1,536, and the order that comes of it is as good. Compare Yamada et al., arXiv 2106.00882, and the compression
of ColBERTv2, arXiv 2112.01488.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.embedding import LocalEmbeddings, TokenVectors, Vectors
from retrieval.tables import DIMENSIONS

_BYTES = DIMENSIONS // 8
# Words that any passage has: matching one says little of what a passage is about. Tokens of other languages are
# merely kept.
_LIGHT = frozenset(
    "the a an of to in and or for on at by is are was were be been being it its this that these those with as"
    " from which what when where who whom how why has have had do does did not but their his her he she they we"
    " you i our your my me if can will would should could may there than then so about into s t".split()
)
_MARKERS = "▁Ġ"  # how tokenizers other than WordPiece mark that a word begins
LIGHT_WEIGHT = 0.25


@dataclass(frozen=True)
class EncodedPassage:
    """A passage as it is searched and ranked: its vector, (384,), and the codes of its tokens."""

    vector: Vectors
    token_codes: bytes


def encode_passages(embeddings: LocalEmbeddings, texts: Sequence[str]) -> list[EncodedPassage]:
    vectors, tokens = embeddings.encode_tokens(texts)
    return [EncodedPassage(vector, encoded(of_one)) for vector, of_one in zip(vectors, tokens, strict=True)]


def is_light(token: str) -> bool:
    """Whether a token is a function word or a mark, and no part of a longer word."""
    bare = token.lstrip(_MARKERS).lower()
    return bare in _LIGHT or not any(letter.isalnum() for letter in bare)


def is_special(token: str) -> bool:
    """Whether a token stands for the text's begin or end, or the like, and not for a word: `[CLS]`, `<s>`."""
    return len(token) > 2 and (token[0], token[-1]) in {("[", "]"), ("<", ">")}


def encoded(tokens: TokenVectors) -> bytes:
    """The signs of the vectors of all tokens but light ones, 48 bytes each; of all where there are no others."""
    telling = np.array([not is_light(token) for token in tokens.tokens], dtype=bool)
    kept = tokens.vectors[telling] if telling.any() else tokens.vectors
    return np.packbits(kept > 0, axis=1).tobytes()


def weights(tokens: TokenVectors) -> Vectors:
    """How much each token of a question counts by what it is, (t,), together 1."""
    light = np.array([is_light(token) for token in tokens.tokens], dtype=bool)
    counted = np.where(light, LIGHT_WEIGHT, 1.0).astype(np.float32)
    special = np.array([is_special(token) for token in tokens.tokens], dtype=bool)
    if not special.all():
        counted[special] = 0
    shares: Vectors = counted / counted.sum()
    return shares


def telling(matches: Vectors) -> Vectors:
    """How much each token of a question tells these passages apart, (t,), from their `best_matches`, (n, t).

    What one passage has and most have not counts more than what all of them have. It is known from the passages
    themselves, so that nothing which the asker may not read has a part in it.
    """
    apart = np.maximum(matches.max(axis=0) - matches.mean(axis=0), 0)
    found: Vectors = np.sqrt(apart).astype(np.float32)
    return found


def best_matches(question: Vectors, codes: Sequence[bytes]) -> Vectors:
    """For each passage and question token, how well the passage's best token matches it: (n, t).

    `question` is (t, 384); no passage's codes are empty.
    """
    lengths = [len(code) // _BYTES for code in codes]
    packed = np.frombuffer(b"".join(codes), dtype=np.uint8).reshape(-1, _BYTES)
    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    # A set bit counts +1, another -1: twice the set ones less all.
    alike = (2 * (bits @ question.T) - question.sum(axis=1)) / np.sqrt(DIMENSIONS)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    found: Vectors = np.maximum.reduceat(alike, starts, axis=0).astype(np.float32)
    return found
