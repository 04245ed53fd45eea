"""Bytes in, structured text out: one module a format."""

from retrieval.parsing.document import Block, ParsedDocument, UnreadableDocument
from retrieval.parsing.registry import parse

__all__ = ["Block", "ParsedDocument", "UnreadableDocument", "parse"]
