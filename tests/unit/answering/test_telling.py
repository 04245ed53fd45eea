"""Sentences come as soon as they are whole and checked, and the model stops when nobody listens any more."""

import asyncio

import pytest

from bot.answering import Answerer, AnsweringSettings
from bot.answering.draft import draft
from bot.answering.units import Unit
from retrieval.passages import Passage
from tests.unit.answering.scripted import StreamingChatModel, embed_by_words

HOLIDAY = "Everybody receives 27 days of paid holiday a year at the company."
NOTICE = "The manager approves paid holiday of more than ten days two weeks ahead."
QUESTION = (
    "How many days of paid holiday does everybody receive, and who approves holiday of more than ten days?"
)
HANDBOOK = Passage(chunk_id=1, document_id=1, label_id=1, title="Leave", text=f"{HOLIDAY} {NOTICE}")
UNITS = [Unit(0, HOLIDAY, "Leave"), Unit(0, NOTICE, "Leave")]


def answerer(model: StreamingChatModel, seconds: float = 5) -> Answerer:
    settings = AnsweringSettings(draft_over_words=0, draft_seconds=seconds, threshold=0)
    return Answerer(model, embed_by_words, settings=settings)


async def test_a_sentence_is_told_before_the_next_one_is_written() -> None:
    let = asyncio.Semaphore(2)
    model = StreamingChatModel(
        pieces=[HOLIDAY, " The manager approves paid", " holiday of more", NOTICE[36:]], let=let
    )
    telling = await answerer(model).begin(QUESTION, [HANDBOOK])
    sentences = aiter(telling)
    async with asyncio.timeout(5):
        first = await anext(sentences)
    assert (first.text, first.quoted) == (HOLIDAY, False)
    assert not model.ended
    let.release()
    let.release()
    assert [said.text async for said in sentences] == [NOTICE]


async def test_what_is_told_piece_by_piece_is_what_is_told_whole() -> None:
    text = f"{HOLIDAY} Nobody receives 99 days. {NOTICE}"
    whole = await answerer(StreamingChatModel(pieces=[text])).answer(QUESTION, [HANDBOOK])
    pieces = await answerer(StreamingChatModel(pieces=list(text))).answer(QUESTION, [HANDBOOK])
    assert pieces.sentences == whole.sentences
    assert not any("99" in sentence.text for sentence in whole.sentences)


async def test_the_model_stops_when_nobody_listens_any_more() -> None:
    model = StreamingChatModel(
        pieces=[HOLIDAY, " The manager approves paid", "never"], let=asyncio.Semaphore(2)
    )
    telling = await answerer(model).begin(QUESTION, [HANDBOOK])
    sentences = aiter(telling)
    await anext(sentences)
    await sentences.aclose()  # type: ignore[attr-defined]
    await telling.aclose()
    assert model.ended == [True]


async def test_a_model_that_comes_too_late_leaves_what_it_has_not_said_to_the_evidence() -> None:
    model = StreamingChatModel(
        pieces=[HOLIDAY, " The manager approves paid", "never"], let=asyncio.Semaphore(2)
    )
    answer = await answerer(model, seconds=0.2).answer(QUESTION, [HANDBOOK])
    assert [(s.text, s.quoted) for s in answer.sentences] == [(HOLIDAY, False), (NOTICE, True)]
    assert model.ended == [True]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_sentences_are_the_same_however_the_text_is_cut(size: int) -> None:
    text = (
        "It costs approx. 3.5 euros. Dr. Smith approves it, e.g. on 3 Jan. 2026. See No. 5!\nIs it so? Yes."
    )
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    said = [one async for one in draft("?", UNITS, StreamingChatModel(pieces=cut))]
    assert said == [
        "It costs approx. 3.5 euros.",
        "Dr. Smith approves it, e.g. on 3 Jan. 2026.",
        "See No. 5!",
        "Is it so?",
        "Yes.",
    ]
