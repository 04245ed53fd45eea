"""Text of documents and models made harmless before a person reads it: words stay, whatever acts goes."""

import html
import re
import unicodedata

# Slack's own control sequences: <@U123>, <#C123|name>, <!channel>, <!subteam^S1|team>, <https://..|label>.
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^<>|]*)>")
_SLACK = re.compile(r"<[@#!][^<>]*>")
_SLACK_LINK = re.compile(r"<(?:https?|ftp|mailto|tel)[^<>|]*(?:\|([^<>]*))?>", re.IGNORECASE)
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_FOOT_LINK = re.compile(r"^\s*\[[^\[\]]+\]:\s+\S+.*$", re.MULTILINE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->|<![a-zA-Z][^<>]*>", re.DOTALL)
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,30}://|\bwww\.|\b(?:mailto|tel|data|javascript|file|slack):)\S+", re.IGNORECASE
)
_BROADCAST = re.compile(r"(?<!\w)@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_OPENING = re.compile(r"<(?=[@#!/a-zA-Z])")
# The marks by which chat templates tell speakers apart; in a document they are somebody's attempt to speak.
_TURN = re.compile(r"<\|[\w ]{0,40}\|>")
_FORGED = re.compile(_TURN.pattern + r".*?(?=<\|[\w ]{0,40}\|>|\n\s*\n|\Z)", re.DOTALL)
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]")
_SPACE = re.compile(r"\s+")
_LINE_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_ROUNDS = 5


def clean(text: str) -> str:
    """One line of plain words: no links, images, mentions, HTML, control or direction characters.

    Not escaped: `&`, `<` and `>` that are part of the words stay as they are, for the view to escape once.
    """
    text = _visible(html.unescape(_visible(text)))
    for _ in range(_ROUNDS):  # what is taken out may put another sequence together
        shorter = _without_sequences(text)
        if shorter == text:
            break
        text = shorter
    text = _OPENING.sub("< ", text)
    return _SPACE.sub(" ", _EMPTY_BRACKETS.sub("", text)).strip()


def without_forged_turns(text: str) -> str:
    """Without what follows a turn mark, up to the next one or the end of the paragraph: nobody quotes that."""
    return _FORGED.sub("", text) if "<|" in text else text


def _without_sequences(text: str) -> str:
    text = _TURN.sub(" ", text)
    text = _CHANNEL.sub(r"\1", text)
    text = _SLACK.sub("", text)
    text = _SLACK_LINK.sub(lambda found: found[1] or "", text)
    text = _IMAGE.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _FOOT_LINK.sub("", text)
    text = _TAG.sub(" ", text)
    text = _BROADCAST.sub("", text)
    return _URL.sub(_without_address, text)


def _without_address(found: re.Match[str]) -> str:
    """A word in place of the address; the stop or bracket that ends the sentence behind it stays."""
    tail = re.search(r"[.,;:!?)\]\"']+$", found[0])
    return "(link)" + (tail[0] if tail else "")


def _visible(text: str) -> str:
    """Without control (Cc), format (Cf: bidi, zero-width, tags), surrogate and private-use characters."""
    if text.isprintable():
        return text
    return "".join(
        "\n" if char in _LINE_BREAKS else " " if char == "\t" else char
        for char in text
        if char in _LINE_BREAKS or char == "\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}
    )
