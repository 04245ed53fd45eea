"""Texts of several documents on their way to the encoder: together, in turns, and no longer than they are wanted."""

import asyncio
import threading

import pytest

from retrieval.encoding_line import EncodingLine


class Encoder:
    """Makes of each text its length; remembers what it was given at once, and can be held up."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.began, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()

    def encode(self, texts: list[str]) -> list[int]:
        self.given.append(texts)
        self.began.set()
        self.may_go_on.wait(10)
        if "bad" in texts:
            raise ValueError("bad")
        return [len(text) for text in texts]


def unheard(_done: int) -> None:
    pass


async def test_every_text_gets_what_was_made_of_it_whatever_the_order_of_encoding() -> None:
    encoder = Encoder()
    line = EncodingLine(encoder.encode, 2)
    done: list[int] = []
    assert await line.encode(["ccc", "a", "dddd", "bb"], done.append) == [3, 1, 4, 2]
    assert encoder.given == [["a", "bb"], ["ccc", "dddd"]]
    assert done == [0, 2, 4]


async def test_no_text_is_nothing_to_wait_for() -> None:
    assert await EncodingLine(Encoder().encode, 2).encode([], unheard) == []


async def test_small_documents_share_a_batch() -> None:
    encoder = Encoder()
    line = EncodingLine(encoder.encode, 8)
    made = await asyncio.gather(*(line.encode(["x" * size], unheard) for size in (1, 2, 3)))
    assert made == [[1], [2], [3]]
    assert encoder.given == [["x", "xx", "xxx"]]


async def test_a_large_document_does_not_keep_a_small_one_waiting() -> None:
    encoder = Encoder()
    line = EncodingLine(encoder.encode, 4)
    large = asyncio.create_task(line.encode(["large"] * 40, unheard))
    small = asyncio.create_task(line.encode(["small"], unheard))
    assert await small == [5]
    assert "small" in encoder.given[1]
    assert not large.done()
    assert await large == [5] * 40


async def test_what_fails_fails_for_those_whose_texts_it_were_and_the_rest_goes_on() -> None:
    encoder = Encoder()
    line = EncodingLine(encoder.encode, 2)
    bad, good = await asyncio.gather(
        line.encode(["bad", "worse", "worst"], unheard),
        line.encode(["good"] * 3, unheard),
        return_exceptions=True,
    )
    assert isinstance(bad, ValueError)
    assert good == [4, 4, 4]


async def test_a_cancelled_document_takes_its_texts_away() -> None:
    encoder = Encoder()
    encoder.may_go_on.clear()
    line = EncodingLine(encoder.encode, 1)
    given_up = asyncio.create_task(line.encode(["gone"] * 10, unheard))
    wanted = asyncio.create_task(line.encode(["wanted"] * 2, unheard))
    assert await asyncio.to_thread(encoder.began.wait, 10)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    encoder.may_go_on.set()
    assert await wanted == [6, 6]
    assert encoder.given == [["gone"], ["wanted"], ["wanted"]]


async def test_an_encoder_that_makes_too_little_fails_and_leaves_nobody_waiting() -> None:
    with pytest.raises(ValueError, match="zip"):
        await asyncio.wait_for(EncodingLine(lambda _texts: [1], 8).encode(["a", "bb"], unheard), 5)
