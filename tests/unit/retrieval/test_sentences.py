# ruff: noqa: RUF001 - the marks of other scripts are meant
import time

import pytest

from retrieval.sentences import split_sentences


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Okafor signs it, e.g. The Hague lease.",
        "Pay rises by 2.5 percent in v1.2.3 of the plan.",
        "Ask J. R. Smith at Acme Inc. Berlin office.",
        "See Fig. 3 and No. 5 on p. 12.",
        "The meeting is at 9 a.m. Berlin time.",
        "It costs approx. 400 EUR (incl. VAT).",
        "Use config.yaml or example.com today.",
        "1. Open the app",
        "He said “Stop!” and left.",
        "Wait... what happened",
    ],
)
def test_a_dot_that_ends_no_sentence_splits_nothing(text: str) -> None:
    assert split_sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 5. Then it ends.", ["It is 5.", "Then it ends."]),
        ("Is it paid? No. Ask first!", ["Is it paid?", "No.", "Ask first!"]),
        ("Founded in 2019. We grew.", ["Founded in 2019.", "We grew."]),
        ("Pens, paper, etc. The list is open.", ["Pens, paper, etc.", "The list is open."]),
        ("Closed at 5 p.m. You may ring.", ["Closed at 5 p.m.", "You may ring."]),
        ("He said “Stop.” She stopped.", ["He said “Stop.”", "She stopped."]),
        ("(It is so.) That is all.", ["(It is so.)", "That is all."]),
        ("これは本です。あれは？はい。", ["これは本です。", "あれは？", "はい。"]),
        ("Ist das so? Äpfel sind rot.", ["Ist das so?", "Äpfel sind rot."]),
    ],
)
def test_sentences_end_where_a_reader_hears_them_end(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


def test_lines_of_one_paragraph_are_joined_and_a_blank_line_parts_two() -> None:
    assert split_sentences("Leave is 30\ndays a year.\n\nNo full stop\n\nNext") == [
        "Leave is 30 days a year.",
        "No full stop",
        "Next",
    ]


def test_each_list_item_is_a_sentence_without_its_bullet() -> None:
    text = "You need:\n- A badge. Ask the desk.\n* A laptop\n  with a charger\n1. Sign here"
    assert split_sentences(text) == [
        "You need:",
        "A badge.",
        "Ask the desk.",
        "A laptop with a charger",
        "1. Sign here",
    ]


def test_a_table_row_is_one_sentence_that_names_its_columns() -> None:
    text = "Pay bands.\nGrade | Band | Note\nSenior engineer | C. 90 |\nLead |  | rare"
    assert split_sentences(text) == [
        "Pay bands.",
        "Grade: Senior engineer | Band: C. 90",
        "Grade: Lead | Note: rare",
    ]


def test_a_markdown_table_loses_its_rule_and_outer_bars() -> None:
    assert split_sentences("| A | B |\n|---|:-:|\n| 1 | 2 |") == ["A: 1 | B: 2"]


def test_an_empty_first_or_last_cell_shifts_no_column() -> None:
    assert split_sentences("A | B | C\n | x | \n| y |\nz | |") == ["B: x", "B: y", "A: z"]


def test_a_lone_line_with_a_bar_is_prose() -> None:
    assert split_sentences("Run a | b. Then stop.") == ["Run a | b.", "Then stop."]


def test_headings_are_not_sentences() -> None:
    assert split_sentences("# Leave\nIt is paid.\n## More") == ["It is paid."]


def test_a_code_block_is_one_sentence_with_its_lines_kept() -> None:
    assert split_sentences("Run:\n```sh\nmake demo. Now\n\n  ls | wc\n```\nDone.") == [
        "Run:",
        "make demo. Now\n\n  ls | wc",
        "Done.",
    ]


def test_an_unclosed_fence_ends_with_the_text() -> None:
    assert split_sentences("```\nx = 1\ny = 2") == ["x = 1\ny = 2"]


@pytest.mark.parametrize("text", ["", "  \n\n", "```\n```", "# Only a heading", "| |\n|-|"])
def test_text_without_words_has_no_sentences(text: str) -> None:
    assert split_sentences(text) == []


@pytest.mark.parametrize("mark", [".", "!'", "| ", "- ", "|--", "# ", "...\n", "``` ", "。", "a) "])
def test_a_run_of_marks_costs_linear_time(mark: str) -> None:
    started = time.process_time()
    split_sentences(mark * 50_000)
    assert time.process_time() - started < 2
