"""Turns to tokens, in the model's own template; no text in them can pose as another speaker."""

from collections.abc import Sequence
from typing import Any

from bot.generation.generator import Turn


def prompt_tokens(tokenizer: Any, turns: Sequence[Turn]) -> list[int]:
    """Token ids of the conversation, ready for the assistant's turn."""
    markers = tokenizer.get_added_vocab()
    said = [{"role": turn.role, "content": without_markers(turn.text, markers)} for turn in turns]
    text = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    return list(tokenizer.encode(text, add_special_tokens=False))


def text_tokens(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a bare text."""
    clean = without_markers(text, tokenizer.get_added_vocab())
    return list(tokenizer.encode(clean, add_special_tokens=False))


def without_markers(text: str, markers: Sequence[str] | dict[str, int]) -> str:
    """`text` less the model's turn markers, so that a document cannot pose as another speaker."""
    found = True
    while found:  # each round shortens the text: taking one marker out may put another together
        found = False
        for marker in markers:
            if marker in text:
                text, found = text.replace(marker, ""), True
    return text
