from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import Chunk, chunk, embedding_text
from retrieval.parsing import Block, ParsedDocument
from retrieval.parsing.document import BlockKind
from retrieval.sentences import split_sentences


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def document(*blocks: Block, title: str = "Leave") -> ParsedDocument:
    return ParsedDocument(title, blocks, "text/markdown")


def chunks_of(*blocks: Block, max_tokens: int = 60) -> tuple[Chunk, ...]:
    return chunk(document(*blocks), count_words, max_tokens=max_tokens)


def sentences(number: int, words: int = 9, name: str = "word") -> str:
    return " ".join(" ".join(["S" + name, *[name] * (words - 2), f"{name}{at}."]) for at in range(number))


def test_a_chunk_never_mixes_two_sections_that_can_stand_alone() -> None:
    parts = chunks_of(Block(sentences(5), ("Parents",)), Block(sentences(5), ("Sick days",)))
    assert [part.heading_path for part in parts] == [("Parents",), ("Sick days",)]


def test_tiny_neighbours_share_a_chunk_under_their_common_heading() -> None:
    parts = chunks_of(
        Block("Yes.", ("Questions", "May I?")),
        Block("No.", ("Questions", "Must I?")),
        Block("Ring.", ("Help",)),
    )
    assert [(part.heading_path, part.text) for part in parts] == [
        (("Questions",), "# May I?\n\nYes.\n\n# Must I?\n\nNo."),
        (("Help",), "Ring."),
    ]
    assert split_sentences(parts[0].text) == ["Yes.", "No."]


def test_a_lone_tiny_section_keeps_its_whole_path() -> None:
    assert chunks_of(Block("Yes.", ("A", "B", "C")))[0].heading_path == ("A", "B", "C")


def test_a_new_page_begins_a_new_chunk() -> None:
    parts = chunks_of(Block(sentences(5), (), 1), Block(sentences(5), (), 2))
    assert [part.page for part in parts] == [1, 2]


def test_a_long_section_is_parted_between_sentences_into_equal_parts() -> None:
    parts = chunks_of(Block(sentences(8), ("Parents",)))
    assert [len(split_sentences(part.text)) for part in parts] == [4, 4]
    assert " ".join(part.text for part in parts) == sentences(8)


def test_a_sentence_longer_than_a_chunk_is_parted_between_words() -> None:
    text = " ".join(f"w{at}" for at in range(150))
    parts = chunks_of(Block(text))
    assert len(parts) > 2
    assert " ".join(part.text for part in parts).split() == text.split()


def test_a_word_without_end_is_parted_too() -> None:
    parts = chunks_of(Block("x" * 20_000))
    assert "".join("".join(part.text.split()) for part in parts) == "x" * 20_000
    assert max(len(part.text) for part in parts) < 1000


def test_a_parted_table_repeats_its_header() -> None:
    rows = [f"Role {at} | Band {at} | {'note ' * 6}".strip() for at in range(12)]
    parts = chunks_of(Block("\n".join(["Role | Band | Note", *rows]), kind="table"))
    assert len(parts) > 2
    assert all(part.text.startswith("Role | Band | Note\nRole ") for part in parts)
    assert [line for part in parts for line in part.text.split("\n")[1:]] == rows


def test_a_row_longer_than_a_chunk_still_names_its_columns() -> None:
    parts = chunks_of(Block(f"Role | Duty\nLead | {sentences(12)}", kind="table"))
    assert parts[0].text.startswith("Role: Lead | Duty: Sword")


def test_code_that_fits_stays_together_and_in_its_fence() -> None:
    parts = chunks_of(Block(sentences(5)), Block("a b c\n\n  d e f\n" * 5, kind="code"))
    assert "\n\n```\n" + "a b c\n\n  d e f\n" * 5 + "\n```" in parts[-1].text


def test_parted_code_is_fenced_in_every_part() -> None:
    code = "\n".join(f"step {at} with five words" for at in range(40))
    parts = chunks_of(Block(code, kind="code"))
    assert all(part.text.startswith("```\nstep") and part.text.endswith("\n```") for part in parts)
    assert "\n".join(part.text[4:-4] for part in parts) == code


def test_words_that_lead_to_a_list_go_with_it() -> None:
    items = "\n".join(f"- item {at} of this list with words" for at in range(5))
    parts = chunks_of(Block(sentences(5) + " You need this:"), Block(items, kind="list"))
    assert parts[1].text.startswith("You need this:\n\n- item 0")


def test_title_and_headings_leave_room_for_the_text() -> None:
    long_path = tuple(f"heading {'of many words ' * 20}{at}" for at in range(8))
    parts = chunk(document(Block(sentences(20), long_path), title="t " * 300), count_words, max_tokens=220)
    assert max(part.tokens for part in parts) <= 220
    assert parts[0].heading_path == long_path


def test_what_is_embedded_says_what_it_is_about() -> None:
    assert embedding_text("Leave", ("Parents", "Notice"), "Tell us.") == "Leave\nParents > Notice\nTell us."
    assert embedding_text("Leave", (), "Tell us.") == "Leave\nTell us."


def test_a_document_without_blocks_has_no_chunks() -> None:
    assert chunks_of() == ()


WORDS = st.lists(
    st.sampled_from(["pay", "leave", "e.g.", "Berlin.", "2.5", "x" * 300, "End!"]), min_size=1, max_size=90
)
LINES = st.lists(WORDS.map(" ".join), min_size=1, max_size=8)


def block_of(kind: BlockKind, lines: list[str], path: tuple[str, ...], page: int | None) -> Block:
    if kind == "table":
        lines = ["Role | Band", *(f"{line} | C" for line in lines)]
    if kind == "list":
        lines = [f"- {line}" for line in lines]
    return Block(("\n" if kind != "paragraph" else " ").join(lines), path, page, kind)


BLOCKS = st.builds(
    block_of,
    st.sampled_from(["paragraph", "list", "table", "code"]),
    LINES,
    st.lists(st.sampled_from(["A", "B"]), max_size=3).map(tuple),
    st.sampled_from([None, 1, 2]),
)


@given(st.lists(BLOCKS, max_size=6))
def test_no_word_is_lost_and_no_chunk_is_too_large(blocks: list[Block]) -> None:
    parts = chunks_of(*blocks)
    assert [part.ordinal for part in parts] == list(range(len(parts)))
    assert all(part.tokens <= 60 for part in parts)
    assert all(part.tokens >= count_words([part.text])[0] for part in parts)
    written = "".join("".join(part.text.split()) for part in parts)
    for word in {word for block in blocks for word in block.text.split()}:
        pieces = {word[at : at + 200] for at in range(0, len(word), 200)}
        assert all(piece in written for piece in pieces)


@pytest.mark.parametrize("limit", [30, 120])
def test_chunks_keep_the_order_of_the_document(limit: int) -> None:
    blocks = [Block(sentences(6, name=f"n{at}x"), (f"H{at}",)) for at in range(5)]
    text = " ".join(part.text for part in chunks_of(*blocks, max_tokens=limit))
    assert text.split() == [word for block in blocks for word in block.text.split()]
