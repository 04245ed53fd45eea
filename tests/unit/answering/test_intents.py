"""What a question plainly wants is recognised; in doubt it is answered in the ordinary way."""

from datetime import date

import pytest

from bot.answering import Answerer, AnsweringSettings
from bot.answering.comparing import differences
from bot.answering.intents import Comparison, Digest, Intent, Summary, recognise
from bot.answering.naming import meant
from bot.answering.summarising import summarise
from bot.answering.units import Unit
from retrieval.documents import Edition
from retrieval.passages import Passage
from tests.unit.answering.scripted import ScriptedChatModel, embed_by_words

TODAY = date(2026, 11, 22)  # a Sunday


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("Summarise the travel policy 2026", Summary("travel policy 2026")),
        ("Can you please give me a summary of the parental leave guide?", Summary("parental leave guide")),
        ("What's new?", Digest("")),
        ("Latest on cocoa", Digest("cocoa")),
        ("What changed since March?", Digest("", date(2026, 3, 1))),
        ("what's new on backups since March?", Digest("backups", date(2026, 3, 1))),
        ("What has changed on backups in the last two weeks?", Digest("backups", date(2026, 11, 8))),
        ("what's new this week?", Digest("", date(2026, 11, 16))),
        ("what changed in December?", Digest("", date(2025, 12, 1), date(2025, 12, 31))),
        ("any news on oil on 26 February 1987?", Digest("oil", date(1987, 2, 26), date(1987, 2, 26))),
        (
            "news about oil between 2 March 1987 and 5 March 1987",
            Digest("oil", date(1987, 3, 2), date(1987, 3, 5)),
        ),
        ("What was new on 26 February 1987?", Digest("", date(1987, 2, 26), date(1987, 2, 26))),
        ("What changed in the travel policy?", Comparison("travel policy")),
        (
            "Compare the backup policy 2025 with the backup policy 2026",
            Comparison("backup policy 2025", "backup policy 2026"),
        ),
        (
            "what changed between travel policy 2024 and travel policy 2026?",
            Comparison("travel policy 2024", "travel policy 2026"),
        ),
        ("What is the difference between Silver and Gold?", Comparison("Silver", "Gold")),
    ],
)
def test_what_is_plainly_wanted_is_recognised(question: str, intent: Intent) -> None:
    assert recognise(question, TODAY) == intent


@pytest.mark.parametrize(
    "question",
    [
        "How do I summarise my expenses?",
        "What is the latest version of Millrace?",
        "What is the newest price list?",
        "Who approves a change?",
        "What is the limit for a hotel night on a business trip?",
        "When was the last restore test?",
        "",
    ],
)
def test_other_questions_are_answered_as_ever(question: str) -> None:
    assert recognise(question, TODAY) is None


def edition(number: int, title: str) -> Edition:
    return Edition(number, number, title, f"test:{number}.md", None)


TRAVEL, EXPENSES = edition(1, "Travel policy 2026"), edition(2, "Expense guide")


def test_a_document_is_meant_by_the_words_of_its_title() -> None:
    assert meant("travel policy", [EXPENSES, TRAVEL]) == TRAVEL


@pytest.mark.parametrize("name", ["travel", "travel policy"])
def test_where_two_are_called_so_neither_is_meant(name: str) -> None:
    assert meant(name, [TRAVEL, edition(3, "Travel policy 2025")]) is None


def test_a_title_that_lacks_a_word_is_not_meant() -> None:
    assert meant("travel policy for contractors", [TRAVEL]) is None


def passage(number: int, text: str, heading: str = "") -> Passage:
    return Passage(number, 1, 1, "Policy", text, (heading,) if heading else ())


def test_a_summary_has_a_sentence_of_each_part_in_their_order() -> None:
    parts = [
        passage(
            n, f"The {word} of a trip is paid by the company. The {word} is limited. It says so here.", word
        )
        for n, word in enumerate(["hotel", "meal", "train", "taxi"])
    ]
    units = summarise(parts, embed_by_words, most=4)
    assert [unit.passage for unit in units] == [0, 1, 2, 3]


def test_a_summary_says_nothing_twice() -> None:
    again = "Employees receive 27 days of paid leave a year."
    units = summarise([passage(n, again, str(n)) for n in range(9)], embed_by_words, most=3)
    assert [unit.text for unit in units] == [again]


def test_what_changed_stands_beside_what_it_was() -> None:
    one = [passage(1, "A hotel night on a business trip costs 140 euros at most. Alcohol is not reimbursed.")]
    other = [
        passage(
            2,
            "A hotel night on a business trip costs 165 euros at most. Alcohol is not reimbursed. Fines are never paid by us.",
        )
    ]
    found = differences(one, other, embed_by_words)
    assert [(d.one and d.one.text, d.other and d.other.text) for d in found] == [
        (
            "A hotel night on a business trip costs 140 euros at most.",
            "A hotel night on a business trip costs 165 euros at most.",
        ),
        (None, "Fines are never paid by us."),
    ]


def test_what_is_the_same_differs_in_nothing() -> None:
    same = [passage(1, "A hotel night costs 140 euros. Alcohol is not reimbursed.")]
    assert differences(same, same, embed_by_words) == []


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ("A hotel night costs 140 euros at most.", "A hotel night costs 140 euros at most."),
        (
            "A hotel night costs 900 euros at most.",
            "A hotel night on a business trip costs 140 euros at most.",
        ),
    ],
)
async def test_a_summary_is_in_a_models_words_only_where_they_hold(draft: str, said: str) -> None:
    unit = Unit(0, "A hotel night on a business trip costs 140 euros at most.", "Policy")
    settings = AnsweringSettings(words_summaries=True, draft_over_words=0)
    answerer = Answerer(ScriptedChatModel(reply=draft), embed_by_words, settings=settings)
    assert [g.text for g in await answerer.worded("What does it say?", [unit])] == [said]
