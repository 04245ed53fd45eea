"""What the bot shows: Block Kit built from plain values. Every text is escaped here, once, and only here."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from auth.roles import EVERYONE, GUEST
from bot.answering import Answer, CitedSentence
from bot.citing import source_details, source_name
from retrieval.passages import Passage

Block = dict[str, Any]
ANSWER_EVENT = "ostiary_answer"
SHARE_ANSWER, ASK_OWNER, LEND, DECLINE = "share_answer", "ask_owner", "lend_role", "decline_to_lend"
CHOOSE_READERS, CANCEL_INGESTION = "choose_readers", "cancel_ingestion"
READERS_VIEW = "ingest_readers"
SECTION_LIMIT, OPTION_LIMIT, TITLE_LIMIT = 3000, 100, 75
# Together, and with every character of a name escaped, they fit one block.
NAME_LIMIT, LINK_LIMIT = 400, 900
# Slack refuses a longer text where a message is changed, and a stream of more than twelve thousand characters.
TEXT_LIMIT, LONGEST_ANSWER, MOST_SENTENCES = 3000, 9000, 60
_BUILT_IN_ORDER = {EVERYONE: 0, GUEST: 1}


def escape(text: str) -> str:
    """Text for mrkdwn: with & < > escaped no mention, link or command in it can come alive."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def answer_blocks(answer: Answer, *, note: str | None = None) -> list[Block]:
    """An answer with its numbered sources; `note` stands above it."""
    blocks = [*said_blocks(answer.sentences, as_list=answer.as_list), *source_blocks(answer)]
    return [_context(escape(note)), *blocks] if note else blocks


def said_blocks(
    sentences: Sequence[CitedSentence], question_id: int | None = None, *, as_list: bool = False
) -> list[Block]:
    """Sentences with the numbers of their sources. `question_id` marks the first block as its beginning."""
    between, before = ("\n", "• ") if as_list else (" ", "")
    said = between.join(
        before + escape(sentence.text) + "".join(f" [{number}]" for number in sentence.passages)
        for sentence in sentences
    )
    first, *others = [_section(part) for part in _split(said)] or [_section("…")]
    return [first if question_id is None else {**first, "block_id": answer_mark(question_id)}, *others]


def answer_mark(question_id: int) -> str:
    """The id of the block that an answer begins with."""
    return f"answer-{question_id}"


def source_blocks(answer: Answer, *, linked: bool = True) -> list[Block]:
    """The numbered sources. Not `linked`: a stream or a changed message cannot tell Slack not to fetch a link."""
    sources = [
        _source(number, passage, linked=linked) for number, passage in enumerate(answer.cited, start=1)
    ]
    return [_context(part) for part in _packed(sources)]


def fitting(sentences: Sequence[CitedSentence]) -> list[CitedSentence]:
    """As many sentences, from the first, as one message holds; none is cut."""
    kept: list[CitedSentence] = []
    room = LONGEST_ANSWER
    for sentence in sentences[:MOST_SENTENCES]:
        room -= len(escape(sentence.text)) + len(" [10]") * len(sentence.passages)
        if room < 0 and kept:
            break
        kept.append(sentence)
    return kept


def note_block(text: str) -> Block:
    """A line in small letters."""
    return _context(escape(text))


def answer_text(answer: Answer) -> str:
    """The same for notifications and screen readers, escaped, without the sources."""
    said = escape(" ".join(sentence.text for sentence in answer.sentences))
    return said if len(said) <= TEXT_LIMIT else said[: _outside_entity(said, TEXT_LIMIT - 1)] + "…"


def share_block(question_id: int) -> Block:
    """Under what its asker was told alone: asks again for everybody in the place. It carries no answer."""
    return _buttons(_button(SHARE_ANSWER, "Answer here for everybody", question_id))


def refusal_blocks(text: str, question_id: int | None) -> list[Block]:
    """That nothing was found; with a button, alike for everybody, where some collection's owners may be asked."""
    if question_id is None:
        return plain_blocks(text)
    return [*plain_blocks(text), _buttons(_button(ASK_OWNER, "Ask somebody who may know", question_id))]


def loan_blocks(said: str, loan_id: int) -> list[Block]:
    """Asks the owner of a collection whether to lend a role; the buttons carry the request's id, and no right."""
    lend, decline = _button(LEND, "Lend it", loan_id), _button(DECLINE, "Decline", loan_id)
    return [*plain_blocks(said), _buttons({**lend, "style": "primary"}, decline)]


def _buttons(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def _button(action_id: str, text: str, value: int) -> Block:
    return {"type": "button", "action_id": action_id, "text": _plain(text), "value": str(value)}


def sections(*texts: str) -> list[Block]:
    """Each a block of its own. What is not the bot's own in them is escaped already."""
    return [_section(part) for text in texts for part in _split(text)]


def plain_blocks(text: str) -> list[Block]:
    return [_section(part) for part in _split(escape(text))]


def offer_blocks(title: str, request_id: int) -> list[Block]:
    """Asks an admin who may read a document that they sent."""
    button = {**_button(CHOOSE_READERS, "Choose who may read it", request_id), "style": "primary"}
    name = escape(title[:NAME_LIMIT])
    said = f"*{name}* is not in the knowledge base yet. Nobody can read it until you say who may."
    return [_section(said), _buttons(button)]


def readers_view(
    title: str, request_id: int, roles: Mapping[str, str], *, has_own_title: bool = False, offer_ts: str = ""
) -> dict[str, Any]:
    """The modal in which an admin names a document and its readers.

    It carries the request's id and, where a button opened it, the ts of the message with that button.
    """
    built_in_first = sorted(
        roles.items(), key=lambda role: _BUILT_IN_ORDER.get(role[0], len(_BUILT_IN_ORDER))
    )
    options = [_role_option(name, text) for name, text in built_in_first][:OPTION_LIMIT]
    return {
        "type": "modal",
        "callback_id": READERS_VIEW,
        "private_metadata": f"{request_id} {offer_ts}".strip(),
        "title": _plain("Add a document"),
        "submit": _plain("Add"),
        "close": _plain("Cancel"),
        "blocks": [
            _own_title(title) if has_own_title else _input("title", "Title", _title_field(title)),
            _input(
                "readers",
                "Who may read it?",
                {"type": "multi_static_select", "action_id": "readers", "options": options},
            ),
            _input(
                "rule",
                "Readers need",
                {
                    "type": "static_select",
                    "action_id": "rule",
                    "options": [
                        _option("Any one of these roles", "any"),
                        _option("All of these roles", "all"),
                    ],
                    "initial_option": _option("Any one of these roles", "any"),
                },
            ),
        ],
    }


def cancel_blocks(said: str, request_id: int) -> list[Block]:
    """How far a piece of work is, with a way to stop it."""
    return [*plain_blocks(said), _buttons(_button(CANCEL_INGESTION, "Cancel", request_id))]


def _own_title(name: str) -> Block:
    """A field for a title that a file or a page may well have itself."""
    hint = _plain(f"Left empty, {name[:NAME_LIMIT]} keeps the title that it has itself.")
    return {**_input("title", "Title", _title_field("")), "optional": True, "hint": hint}


def _title_field(title: str) -> Block:
    """Slack refuses a field that begins with nothing, or with more than it may hold."""
    field: Block = {"type": "plain_text_input", "action_id": "title"}
    return {**field, "initial_value": title[:NAME_LIMIT]} if title else field


def _source(number: int, passage: Passage, *, linked: bool = True) -> str:
    """`[1] Title › Heading, p. 3 · 1 March 2026`, linked only if its own source is a web address."""
    name = escape(source_name(passage)[:NAME_LIMIT])
    link = web_address(passage.url) if linked else None
    shown = f"<{link}|{name.replace('|', '¦')}>" if link else name
    return f"[{number}] {shown}{source_details(passage)}"


def web_address(url: str | None) -> str | None:
    """An address that a link may lead to; None for what is no web address, or too long."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    link = quote(url or "", safe=":/?&=#%~+,;@-._()")
    return link if parts.scheme in {"http", "https"} and parts.netloc and len(link) <= LINK_LIMIT else None


def _split(text: str) -> list[str]:
    """Parts that fit a section, cut between words; no entity such as &amp; is cut."""
    parts: list[str] = []
    while len(text) > SECTION_LIMIT:
        cut = max(text.rfind(mark, 0, SECTION_LIMIT) for mark in (" ", "\n"))
        cut = cut if cut > 0 else _outside_entity(text, SECTION_LIMIT)
        parts.append(text[:cut])
        text = text[cut:].lstrip()
    return [*parts, text] if text else parts


def _packed(lines: Sequence[str]) -> list[str]:
    """Lines joined as long as they fit a block; no line is cut, since a link may be in it."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + 1 + len(line) <= SECTION_LIMIT:
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def _outside_entity(text: str, cut: int) -> int:
    """A place to cut at or before `cut` that does not fall into an entity."""
    start = text.rfind("&", 0, cut)
    inside = start >= 0 and ";" not in text[start:cut]
    return start if inside and start > 0 else cut


def _role_option(name: str, description: str) -> Block:
    return _option(name, name, description)


def _option(text: str, value: str, description: str = "") -> Block:
    option: Block = {"text": _plain(_cut(text)), "value": value}
    return {**option, "description": _plain(_cut(description))} if description else option


def _cut(text: str) -> str:
    """What fits an option, cut between words where there are any."""
    if len(text) <= TITLE_LIMIT:
        return text
    kept, space, _ = text[:TITLE_LIMIT].rpartition(" ")
    return (kept.rstrip(" ,;:.") if space and kept.strip() else text[: TITLE_LIMIT - 1]) + "…"


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": _plain(label), "element": element}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
