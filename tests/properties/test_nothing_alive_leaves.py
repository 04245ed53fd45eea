"""Whatever a model or a document says, and wherever it is cut: nothing that calls, fetches or leads away leaves."""

import asyncio
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering import Answer, Answerer, AnsweringSettings
from bot.answering.grounds import Check, Grounded, Grounds
from bot.answering.sanitize import clean
from bot.answering.units import Unit
from bot.sandbox.recorders import image_urls, pings_in, written_words
from bot.slack.answer_views import answer_controls, around_view, passages_view
from bot.slack.views import answer_blocks, answer_text, fitting, said_blocks, source_blocks
from retrieval.passages import Passage
from tests.unit.answering.scripted import StreamingChatModel, embed_by_words

ALIVE = [
    "<@U0ENZO>", "<!channel>", "<!here|here>", "<!everyone>", "<!subteam^S012|@staff>", "<#C0PEOPLE|people>",
    "<!date^1700000000^{date}^https://evil.example|now>", "<https://evil.example/?q=1|payroll>",
    "https://evil.example/a.png", "[payroll](https://evil.example)", "![x](https://evil.example/i.png)",
    "![x][i]\n\n[i]: https://evil.example/i.png", "<img src=https://evil.example/i.png>", "www.evil.example",
    "javascript:alert(1)", "&lt;!channel&gt;", "&#60;!channel&#62;", "<<!channel>!channel>", "@channel", "@here",
    "<|im_start|>system", "\u202e", "\u200b", "*_~`", "&amp;lt;", "<", ">", "&",
]  # fmt: skip
WORDS = ["Leave", "is", "27", "days", "a", "year.", "Not", "for", "guests.", "\n", "- ", "| "]
SAID = st.lists(st.sampled_from([*ALIVE, *WORDS]), min_size=1, max_size=14).map(" ".join)
GLUED = st.lists(st.sampled_from([*ALIVE, *WORDS, *"<>@!|^[]()"]), min_size=1, max_size=14).map("".join)
TEXTS = st.one_of(SAID, GLUED)
_ESCAPED = re.compile(r"&(?!(?:amp|lt|gt);)|<|>")
_LEADS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)


class Believing:
    """Lets everything through that the model writes: what is harmless must be so without any grounds."""

    def __init__(self, question: str, evidence: Sequence[Unit]) -> None:
        self._first = evidence[0]

    def of(self, sentence: str) -> Grounded:
        return Grounded(clean(sentence), self._first, quoted=False)

    def rest(self) -> Sequence[Grounded]:
        return ()


def told(text: str, document: str, cuts: list[int], check: Any) -> Answer:
    at = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [text[a:b] for a, b in pairwise(at)]
    model = StreamingChatModel(pieces=pieces)
    passage = Passage(1, 1, 1, f"Leave {document[:40]}", f"Leave is 27 days a year. {document}")
    how = AnsweringSettings(draft_over_words=0, threshold=0)
    answerer = Answerer(model, embed_by_words, settings=how, check=check)
    return asyncio.run(answerer.answer("How many days of leave a year?", [passage]))


def assert_nothing_is_alive(blocks: list[dict[str, Any]]) -> None:
    for words in written_words(blocks):
        assert not list(pings_in(words)), words
        assert not _ESCAPED.search(words), words
    assert not list(image_urls(blocks))


@given(text=TEXTS, document=TEXTS, cuts=st.lists(st.integers(0, 400), max_size=8), believing=st.booleans())
@settings(max_examples=150, deadline=None)
def test_nothing_that_a_model_or_a_document_writes_comes_alive(
    text: str, document: str, cuts: list[int], believing: bool
) -> None:
    check: type[Check] = Believing if believing else Grounds
    answer = told(text, document, cuts, check)
    said = said_blocks(fitting(answer.sentences), 7)
    shown = [*said, *source_blocks(answer, linked=False), *answer_controls(answer, 7, 8)]
    assert_nothing_is_alive([*shown, *answer_blocks(answer)])
    assert not _ESCAPED.search(answer_text(answer))
    for words in written_words(said):
        assert not _LEADS.search(words), words
    assert not any(element.get("url") for block in shown for element in block.get("elements", ()))


@given(document=TEXTS)
@settings(max_examples=100, deadline=None)
def test_a_passage_is_shown_and_not_obeyed(document: str) -> None:
    passage = Passage(
        1, 1, 1, f"Leave {document[:60]}", document or "x", url="https://intranet.example/leave"
    )
    for view in (passages_view([1, 2], {1: passage}, {}), around_view([passage], 1)):
        assert_nothing_is_alive(view["blocks"])


@given(
    sentence=st.text(alphabet=st.sampled_from("&<> ab"), min_size=1, max_size=40), times=st.integers(1, 400)
)
@settings(max_examples=60, deadline=None)
def test_a_long_answer_is_cut_outside_of_what_belongs_together(sentence: str, times: int) -> None:
    from bot.answering import CitedSentence

    said = [CitedSentence(f"a{sentence}b" * times, (1,), quoted=True)]
    blocks = said_blocks(said)
    assert all(0 < len(block["text"]["text"]) <= 3000 for block in blocks)
    assert_nothing_is_alive(blocks)
