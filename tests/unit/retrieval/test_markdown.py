from datetime import date

import pytest

from retrieval.parsing import Block, ParsedDocument, parse


def read(text: str, name: str = "page.md") -> ParsedDocument:
    return parse(text.encode(), name)


def test_blocks_know_their_headings_and_the_title_is_not_repeated_in_them() -> None:
    document = read(
        "# Leave\n\nIntro.\n\n## Parents\n\nWeeks.\n\n### Notice\n\nTell us.\n\n## Sick days\n\nCall in.\n"
    )
    assert document.title == "Leave"
    assert document.media_type == "text/markdown"
    assert [(block.heading_path, block.text) for block in document.blocks] == [
        ((), "Intro."),
        (("Parents",), "Weeks."),
        (("Parents", "Notice"), "Tell us."),
        (("Sick days",), "Call in."),
    ]


def test_a_second_main_heading_is_part_of_the_path() -> None:
    document = read("# One\n\na\n\n# Two\n\nb\n")
    assert [block.heading_path for block in document.blocks] == [(), ("Two",)]


def test_front_matter_gives_title_date_and_author_and_is_dropped() -> None:
    document = read(
        "---\ntitle: Travel\ndate: 2026-02-01\nauthor: Odile\ntags: [a]\n---\n# Rules\n\nGo by train.\n"
    )
    assert (document.title, document.dated, document.author) == ("Travel", date(2026, 2, 1), "Odile")
    assert document.blocks == (Block("Go by train.", ("Rules",)),)


@pytest.mark.parametrize("fields", ["title: [unclosed", "&a [*a, *a]", "- a list", "title: 2001-99-99"])
def test_broken_front_matter_costs_no_text(fields: str) -> None:
    assert "Body text." in [block.text for block in read(f"---\n{fields}\n---\n\nBody text.\n").blocks]


def test_a_rule_on_top_is_no_front_matter() -> None:
    document = read("---\n\nProse first.\n\n---\n\nProse second.\n")
    assert [block.text for block in document.blocks] == ["Prose first.", "Prose second."]


def test_links_and_emphasis_leave_their_words() -> None:
    assert (
        read("See **the** [travel *policy*](https://x.example/a) now.").blocks[0].text
        == "See the travel policy now."
    )


def test_nested_lists_keep_their_order_marks_and_depth() -> None:
    block = read("# T\n\n3. Three\n   - inner\n     wrapped\n4. Four\n").blocks[0]
    assert (block.kind, block.text) == ("list", "3. Three\n  - inner wrapped\n4. Four")


def test_code_in_a_list_parts_it_and_keeps_its_lines() -> None:
    document = read("# T\n\n1. Run:\n\n   ```sh\n   a\n     b\n   ```\n\n2. Done\n")
    assert [(block.kind, block.text) for block in document.blocks] == [
        ("list", "1. Run:"),
        ("code", "a\n  b"),
        ("list", "2. Done"),
    ]


def test_a_table_has_its_header_first_and_a_line_a_row() -> None:
    block = read("# T\n\n| Grade | Band |\n|---|:-:|\n| **Senior** | C |\n| Lead | |\n").blocks[0]
    assert (block.kind, block.text) == ("table", "Grade | Band\nSenior | C\nLead | ")


def test_a_table_written_in_html_keeps_its_rows_across_blank_lines() -> None:
    text = "# T\n\n<table>\n<tr><th>Step</th><th>Who</th></tr>\n\n<tr><td>\n\nSign **it**\n\n</td><td>Cass</td></tr>\n</table>\n"
    assert [block for block in read(text).blocks if block.kind == "table"] == [
        Block("Step | Who\nSign it | Cass", kind="table")
    ]


def test_a_list_of_links_around_the_page_is_dropped_and_one_that_leads_away_is_kept() -> None:
    document = read("# T\n\n- [One](#one)\n- [Two](#two)\n\n## One\n\n- [Plan](plan.md)\n- [List](list.md)\n")
    assert [block.text for block in document.blocks] == ["- Plan\n- List"]


def test_comments_scripts_and_hidden_parts_are_not_read() -> None:
    text = "# T\n\nSeen.\n\n<!-- secret -->\n<script>bad()</script>\n\n<div hidden>unseen</div>\n\n<p style='display:none'>no</p>\n"
    assert [block.text for block in read(text).blocks] == ["Seen."]


@pytest.mark.parametrize("tag", ["script", "style", "textarea", "title", "iframe", "plaintext"])
def test_a_tag_that_is_never_closed_swallows_nothing(tag: str) -> None:
    words = " ".join(
        block.text for block in read(f"# T\n\nUse the <{tag}> tag.\n\n## More\n\nThe rest.\n").blocks
    )
    assert "tag." in words
    assert "The rest." in words


def test_a_document_of_headings_only_is_its_headings() -> None:
    assert [block.text for block in read("# Questions\n\n## May I? Yes\n\n## Must I? No\n").blocks] == [
        "Questions",
        "May I? Yes",
        "Must I? No",
    ]


def test_a_date_is_taken_from_the_first_lines_only_if_it_is_the_documents_own() -> None:
    assert read("# T\n\nVersion 4, dated 8 April 2025. Owner: Marta.\n").dated == date(2025, 4, 8)
    assert read("# T\n\nThe outage of 3 September 2026 is over. Valid from 1 May 2026.\n").dated is None


def test_without_any_heading_the_name_gives_the_title() -> None:
    assert read("Only prose here.", "notes/travel_policy-2026.md").title == "travel policy 2026"


def test_deep_nesting_ends_in_text() -> None:
    assert "deep" in read("> " * 40 + "deep").blocks[-1].text


def test_characters_that_nobody_sees_are_taken_out() -> None:
    block = read("# T\n\nPay\u200bment \u202edue\u202c\x00 so\u00adon \U000e0041\ufeffnow.").blocks[0]
    assert block.text == "Payment due soon now."
