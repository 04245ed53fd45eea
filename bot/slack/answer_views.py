"""What stands under an answer, and what its buttons open. Values are ids, authorised when they come back."""

from collections.abc import Mapping, Sequence

from bot.answering import Answer
from bot.citing import source_details, source_name
from bot.slack.admin.elements import actions, button, context, divider, field, plain, section, text_field
from bot.slack.views import Block, web_address
from retrieval.passages import Passage

FEEDBACK, REASON_VIEW, WORDS, REASON = "answer_feedback", "answer_reason", "feedback_words", "feedback_reason"
ASK_AGAIN, SHOW_PASSAGES, OPEN_SOURCE, SHOW_AROUND = (
    "ask_again", "show_passages", "open_source", "show_around",
)  # fmt: skip
GOOD, BAD = "good", "bad"
REASONS = {
    "not in sources": "It is not what the sources say",
    "wrong": "It is wrong",
    "outdated": "It is out of date",
    "other": "Something else",
}
MOST_LINKS, MOST_SHOWN, LABEL = 5, 20, 60
NOT_THERE = "This passage is not there any more."


def answer_controls(answer: Answer, question_id: int, answer_id: int) -> list[Block]:
    """A way to each source, what else one may want of an answer, and two thumbs."""
    links = [_way_to(number, passage) for number, passage in enumerate(answer.cited, start=1)]
    more = [
        button(SHOW_PASSAGES, "Show passages", answer_id),
        button(ASK_AGAIN, "Ask again", question_id),
    ]
    return [actions(*links[:MOST_LINKS], *more), _thumbs(answer_id)]


def _way_to(number: int, passage: Passage) -> Block:
    """A button that leads to a source, or opens what it says: Slack fetches nothing of where a button leads."""
    address, shown = web_address(passage.url), _cut(f"[{number}] {passage.title}")
    if address is None:
        return button(f"{SHOW_AROUND}_{number}", shown, passage.chunk_id)
    return {**button(f"{OPEN_SOURCE}_{number}", shown, number), "url": address}


def _thumbs(answer_id: int) -> Block:
    def side(verdict: str, text: str) -> Block:
        return {
            "text": plain(text),
            "value": f"{verdict}:{answer_id}",
            "accessibility_label": text,
        }

    buttons = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": side(GOOD, "Good answer"),
        "negative_button": side(BAD, "Bad answer"),
    }
    return {"type": "context_actions", "elements": [buttons]}


def reason_view(answer_id: int) -> Block:
    """Asks what was wrong with an answer. It carries the answer's id."""
    options = [{"text": plain(text), "value": reason} for reason, text in REASONS.items()]
    choice: Block = {"type": "radio_buttons", "action_id": REASON, "options": options}
    words = text_field(WORDS, placeholder="What did you expect?", most=1000)
    return {
        "type": "modal",
        "callback_id": REASON_VIEW,
        "private_metadata": str(answer_id),
        "title": plain("What was wrong?"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [
            field(REASON, "What was wrong with this answer?", choice),
            {**field(WORDS, "In your words", {**words, "multiline": True}), "optional": True},
        ],
    }


def passages_view(
    chunk_ids: Sequence[int], readable: Mapping[int, Passage], permalinks: Mapping[int, str]
) -> Block:
    """The passages that an answer cites, as far as whoever looks may read them now. What is denied is missing."""
    blocks: list[Block] = []
    for number, chunk_id in enumerate(chunk_ids[:MOST_SHOWN], start=1):
        passage = readable.get(chunk_id)
        if passage is None:
            blocks += [section(NOT_THERE, heading=f"[{number}]"), divider()]
            continue
        around = button(f"{SHOW_AROUND}_{number}", "In its surroundings", chunk_id)
        address = permalinks.get(chunk_id) or web_address(passage.url)
        opened = {**button(f"{OPEN_SOURCE}_{number}", "Open the source", number), "url": address}
        blocks += [
            section(passage.text, heading=f"[{number}] {source_name(passage)}{source_details(passage)}"),
            actions(around, opened if address else None),
            divider(),
        ]
    return _showing("Passages", blocks[:-1] or [section(NOT_THERE)])


def around_view(passages: Sequence[Passage], chunk_id: int, permalink: str | None = None) -> Block:
    """A passage between its neighbours; `permalink`: where the message stands that it is from."""
    blocks: list[Block] = []
    for passage in passages:
        if passage.chunk_id == chunk_id:
            address = permalink or web_address(passage.url)
            opened = {**button(OPEN_SOURCE, "Open the source", chunk_id), "url": address}
            heading = f"{source_name(passage)}{source_details(passage)}"
            blocks += [divider(), section(passage.text, heading=heading)]
            blocks += [*([actions(opened)] if address else []), divider()]
        else:
            blocks.append(context(passage.text))
    return _showing("In its surroundings", blocks or [section(NOT_THERE)])


def _showing(title: str, blocks: list[Block]) -> Block:
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": blocks}


def _cut(text: str) -> str:
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
