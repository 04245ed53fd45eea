"""Questions that lean on earlier ones are set upright; those that stand alone are left as they are."""

import pytest

from bot.answering.follow_ups import leans, stand_alone
from bot.answering.rewriting import Rewriter, accepted
from bot.answering.turns import StandingAlone, Turn
from tests.unit.answering.scripted import ScriptedChatModel, embed_by_words

HOTEL = Turn("What is the limit for a hotel night on a business trip?", "The limit is 165 euros.")
PURCHASE = Turn(
    "Who approves a purchase above 25,000 euros?",
    "Cass Underhay, Chief Financial Officer, approves a purchase above 25,000 euros.",
    frozenset({3}),
    (9, 10),
)


@pytest.mark.parametrize(
    "question",
    [
        "What is the limit for a hotel night?",
        "How do employees book their travel?",
        "Is it allowed to bring guests?",
        "How long does it take to check a supplier?",
        "If employees lose a badge, do they pay?",
        "Who owns the VPN and how do I install it?",
        "Which documents are there that cover leave?",
        "What does the form that is used look like?",
        "How many people does Larkmere plan to hire this year?",
        "Are there any exceptions to the travel policy?",
        "And how do I report a lost laptop?",
        "What happened on 3 September?",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    assert not leans(question)
    assert stand_alone(question, [HOTEL, PURCHASE], embed_by_words) == StandingAlone(question)


@pytest.mark.parametrize(
    ("follow_up", "words"),
    [
        (
            "Does it include breakfast?",
            "Does the limit for a hotel night on a business trip include breakfast?",
        ),
        ("And for contractors?", "What is the limit for contractors on a business trip?"),
        ("Why?", "Why: the limit for a hotel night on a business trip?"),
        ("Who wrote that policy?", "Who wrote that policy (the limit for a hotel night on a business trip)?"),
        ("What about trains?", "What is the limit for a hotel night on a business trip, trains?"),
    ],
)
def test_what_a_question_leans_on_is_put_into_it(follow_up: str, words: str) -> None:
    assert stand_alone(follow_up, [HOTEL]).text == words


def test_a_date_is_added_to_what_was_asked_without_one() -> None:
    assert stand_alone("And since March?", [Turn("What's new on backups?")], embed_by_words).text == (
        "What's new on backups since March?"
    )


def test_a_chain_of_follow_ups_is_set_upright_link_by_link() -> None:
    turns = [PURCHASE, Turn("And above 150,000 euros?")]
    assert stand_alone("How many offers are needed for that?", turns).text.endswith(
        "a purchase above 150,000 euros?"
    )


def test_a_person_is_named_from_the_answer_and_the_answer_is_a_source_then() -> None:
    alone = stand_alone("What is her title?", [PURCHASE])
    assert alone == StandingAlone("What is Cass Underhay's title?", frozenset({3}), (9, 10))


def test_an_answer_that_gave_no_word_is_no_source() -> None:
    assert stand_alone("And above 150,000 euros?", [PURCHASE]) == StandingAlone(
        "Who approves a purchase above 150,000 euros?"
    )


def test_without_anything_before_it_a_follow_up_is_left_as_it_is() -> None:
    assert stand_alone("And for contractors?", []) == StandingAlone("And for contractors?")


@pytest.mark.parametrize(
    "said",
    [
        "What is Wendeline Harrow's title?",  # nobody said that name
        "What is the title of Cass Underhay, who earns 90,000 euros?",
        "Who approves a purchase above 25,000 euros?",  # the follow-up is lost
        "What is her title?",
        "",
        "What is her title above 25,000 euros?",  # it still leans
    ],
)
def test_what_a_model_adds_or_loses_is_not_accepted(said: str) -> None:
    assert accepted(said, "What is her title?", [PURCHASE]) is None


def test_what_a_model_takes_from_an_answer_has_its_sources() -> None:
    found = accepted("What is the title of Cass Underhay?", "What is her title?", [PURCHASE])
    assert found == StandingAlone("What is the title of Cass Underhay?", frozenset({3}), (9, 10))


async def test_a_model_that_keeps_to_what_was_said_is_believed() -> None:
    model = ScriptedChatModel(reply="What is the title of the Chief Financial Officer?")
    found = await Rewriter(embed_by_words, model).stand_alone("What is her title?", [PURCHASE])
    assert found.text == "What is the title of the Chief Financial Officer?"
    assert found.label_ids == {3}


async def test_words_alone_do_where_a_model_fails_or_says_something_else() -> None:
    for model in (ScriptedChatModel(fails=True), ScriptedChatModel(reply="The Prime Minister of Iceland?")):
        found = await Rewriter(embed_by_words, model).stand_alone("What is her title?", [PURCHASE])
        assert found.text == "What is Cass Underhay's title?"
