"""Who gets which part of an answer, and from which passages each part may be made."""

from collections.abc import Mapping, Sequence

import pytest

from auth.clearance import Clearance
from bot.answering import Answer, CitedSentence, Telling, told
from bot.assistant import LONGEST_QUESTION, Assistant, Parts
from retrieval.passages import Passage

PUBLIC, SECRET, TUNED_ON = 1, 2, 3
LEAVE = Passage(1, 1, PUBLIC, "Leave", "Employees receive 27 days of leave.")
BANDS = Passage(2, 2, SECRET, "Salary bands", "An engineer earns 78,000 euros.")
EVERYBODY = Clearance(1, frozenset({PUBLIC}), 1)
CLEARED = Clearance(1, frozenset({PUBLIC, SECRET}), 1)
NOBODY = Clearance(1, frozenset(), 1)


class Shelf:
    """A library of passages as they are, given out by clearance."""

    def __init__(self, *passages: Passage) -> None:
        self._passages = passages

    async def passages(self, question: str, clearance: Clearance) -> list[Passage]:
        return [passage for passage in self._passages if clearance.covers([passage.label_id])]


class Reader:
    """Cites what it is given if its title stands in the question; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, ...]] = []
        self.adapted: list[bool] = []

    async def begin(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Telling:
        return told(await self.answer(question, passages, use_adapter))

    async def answer(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Answer:
        self.given.append(tuple(passage.title for passage in passages))
        self.adapted.append(use_adapter)
        cited = tuple(passage for passage in passages if passage.title in question)
        said = tuple(CitedSentence(p.text, (at,), True) for at, p in enumerate(cited, start=1))
        return Answer(said, cited, bool(cited), "test", {}, 1.0)


def assistant(reader: Reader, *passages: Passage, adapter_label: int | None = None) -> Assistant:
    return Assistant(Shelf(*passages), reader, adapter_label)  # type: ignore[arg-type]


def heard(parts: Parts) -> tuple[list[str] | None, list[str] | None]:
    """The titles cited to everybody, and to the asker alone."""
    return tuple(  # type: ignore[return-value]
        [passage.title for passage in part.answer.cited] if part else None
        for part in (parts.everybody, parts.asker)
    )


async def test_where_all_may_read_it_all_hear_it() -> None:
    parts = await assistant(Reader(), LEAVE, BANDS).answer_in_place("Salary bands?", CLEARED, CLEARED)
    assert heard(parts) == (["Salary bands"], None)


async def test_what_only_the_asker_may_read_is_told_to_the_asker_alone() -> None:
    reader = Reader()
    parts = await assistant(reader, LEAVE, BANDS).answer_in_place("Salary bands?", CLEARED, EVERYBODY)
    assert heard(parts) == (None, ["Salary bands"])
    assert parts.asker is not None
    assert (parts.asker.clearance, parts.asker.label_ids) == (CLEARED, frozenset({PUBLIC, SECRET}))


async def test_what_goes_to_everybody_is_made_without_a_look_at_what_is_not_theirs() -> None:
    reader = Reader()
    parts = await assistant(reader, LEAVE, BANDS).answer_in_place(
        "Leave and Salary bands?", CLEARED, EVERYBODY
    )
    assert heard(parts) == (["Leave"], ["Leave", "Salary bands"])
    assert reader.given == [("Leave",), ("Leave", "Salary bands")]
    assert parts.everybody is not None
    assert (parts.everybody.clearance, parts.everybody.label_ids) == (EVERYBODY, frozenset({PUBLIC}))


async def test_what_the_asker_may_read_beyond_the_others_is_not_mentioned_where_it_says_no_more() -> None:
    parts = await assistant(Reader(), LEAVE, BANDS).answer_in_place("Leave?", CLEARED, EVERYBODY)
    assert heard(parts) == (["Leave"], None)


async def test_an_audience_that_may_read_more_than_the_asker_hears_only_what_the_asker_may_read() -> None:
    parts = await assistant(Reader(), LEAVE, BANDS).answer_in_place("Salary bands?", EVERYBODY, CLEARED)
    assert heard(parts) == (None, None)


@pytest.mark.parametrize("audience", [NOBODY, EVERYBODY, CLEARED])
async def test_who_may_read_nothing_is_told_nothing_wherever_they_ask(audience: Clearance) -> None:
    parts = await assistant(Reader(), BANDS).answer_in_place("Salary bands?", NOBODY, audience)
    assert heard(parts) == (None, None)


ADAPTED: Mapping[frozenset[int], bool] = {
    frozenset({PUBLIC}): False,
    frozenset({TUNED_ON}): True,
    frozenset({PUBLIC, TUNED_ON}): True,
}


@pytest.mark.parametrize(("held", "adapted"), ADAPTED.items())
async def test_an_adapter_serves_only_who_may_read_what_it_was_trained_on(
    held: frozenset[int], adapted: bool
) -> None:
    reader = Reader()
    await assistant(reader, LEAVE, adapter_label=TUNED_ON).answer("Leave?", Clearance(1, held, 1))
    assert reader.adapted == [adapted]


async def test_what_an_adapter_worded_carries_the_label_of_what_it_was_trained_on() -> None:
    held = Clearance(1, frozenset({PUBLIC, TUNED_ON}), 1)
    reply = await assistant(Reader(), LEAVE, adapter_label=TUNED_ON).answer("Leave?", held)
    assert reply.label_ids == {PUBLIC, TUNED_ON}
    plain = await assistant(Reader(), LEAVE, adapter_label=TUNED_ON).answer("Leave?", EVERYBODY)
    assert plain.label_ids == {PUBLIC}


async def test_of_a_question_without_end_only_the_beginning_is_read() -> None:
    shelf = Shelf(LEAVE, BANDS)
    heard: list[str] = []

    class Listener(Reader):
        async def answer(self, question: str, *rest: object, **options: bool) -> Answer:  # type: ignore[override]
            heard.append(question)
            return await super().answer(question, *rest, **options)  # type: ignore[arg-type]

    one = Assistant(shelf, Listener())  # type: ignore[arg-type]
    endless = "How many days of leave? " * 5000
    await one.answer(endless, EVERYBODY)
    await one.answer_in_place(endless, CLEARED, EVERYBODY)
    assert heard
    assert {len(question) for question in heard} == {LONGEST_QUESTION}


async def test_without_an_adapter_none_is_used() -> None:
    reader = Reader()
    await assistant(reader, LEAVE).answer("Leave?", CLEARED)
    assert reader.adapted == [False]


async def test_an_adapter_that_the_asker_alone_may_use_words_nothing_for_everybody() -> None:
    reader = Reader()
    asker = Clearance(1, frozenset({PUBLIC, SECRET, TUNED_ON}), 1)
    parts = await assistant(reader, LEAVE, BANDS, adapter_label=TUNED_ON).answer_in_place(
        "Leave and Salary bands?", asker, EVERYBODY
    )
    assert heard(parts) == (["Leave"], ["Leave", "Salary bands"])
    assert reader.adapted == [False, True]
