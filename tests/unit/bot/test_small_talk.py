"""Greetings and questions about the bot get an answer of their own; questions about documents never do."""

from pathlib import Path

import pytest
import yaml

from bot.slack.small_talk import ASK_SOMETHING, SUGGESTED_PROMPTS, WELCOME, small_talk

MANIFEST = Path(__file__).parents[3] / "deploy" / "slack-manifest.yaml"


@pytest.mark.parametrize(
    "said",
    [
        "hello",
        "Hi!",
        "Hey there :wave:",
        "good morning 👋",
        "help",
        "HELP!!",
        "What can you do?",
        "Who are you?",
        "hello Ostiary",
        "Ostiary, help",
        "How does this work?",
    ],
)
def test_greetings_and_questions_about_the_bot_are_told_what_to_ask(said: str) -> None:
    assert small_talk(said) == ASK_SOMETHING


@pytest.mark.parametrize("said", ["thanks", "Thank you!", "ok, thanks :pray:", "Thanks, Ostiary."])
def test_thanks_are_answered(said: str) -> None:
    assert small_talk(said) == WELCOME


@pytest.mark.parametrize("said", ["", "  ", "?", "👍", ":+1:", "..."])
def test_a_message_without_words_is_no_question(said: str) -> None:
    assert small_talk(said) == ASK_SOMETHING


@pytest.mark.parametrize(
    "said",
    [
        "help me find the travel policy",
        "hello, how many days of leave do we have?",
        "What can you do about a lost badge?",
        "What is Ostiary?",
        "leave",
        "E-17",
        "42",
        "有給休暇は何日ですか",
        "thanks to whom is the invoice sent",
        *(message for _, message in SUGGESTED_PROMPTS),
    ],
)
def test_anything_else_is_a_question(said: str) -> None:
    assert small_talk(said) is None


def test_the_examples_are_the_prompts_that_slack_suggests() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    prompts = manifest["features"]["agent_view"]["suggested_prompts"]
    assert tuple((prompt["title"], prompt["message"]) for prompt in prompts) == SUGGESTED_PROMPTS
    assert all(message in ASK_SOMETHING for _, message in SUGGESTED_PROMPTS)
