"""What people say to a bot that is no question about a document: greetings, thanks, and "what can you do?".

Its answers are the same words for everybody, whatever they may read: nothing is looked up for them.
"""

import re

SUGGESTED_PROMPTS = (
    ("Days off", "How many days of paid leave do employees receive a year?"),
    ("A hotel on a business trip", "What is the limit for a hotel night on a business trip?"),
    ("Who approves a purchase?", "Who approves a purchase above 5,000 euros?"),
)
"""(title, message) of what the app's manifest suggests to ask."""

ASK_SOMETHING = (
    "I answer questions from the company's documents, and only from those that everybody who sees the answer may"
    " read. Ask me a question in your own words, for example:\n"
    + "\n".join(f"• {question}" for _, question in SUGGESTED_PROMPTS)
)
WELCOME = "You are welcome. Ask me whenever you want to know something from the company's documents."

# Whole messages, never parts of one: "help me find the travel policy" is a question.
_GREETINGS = {
    "hello", "hello there", "hi", "hi there", "hey", "hey there", "hallo", "good morning", "good afternoon",
    "good evening", "how are you", "test", "testing", "ping",
}  # fmt: skip
_ABOUT_THE_BOT = {
    "help", "help me", "can you help", "can you help me", "what can you do", "what can you do for me",
    "what do you do", "what can i ask", "what can i ask you", "what can you help with",
    "what can you help me with", "who are you", "what are you", "what is this", "how do you work",
    "how does this work", "how do i use this", "how do i use you",
}  # fmt: skip
_THANKS = {
    "thanks", "thanks a lot", "many thanks", "thank you", "thank you very much", "thank you so much", "thx",
    "cheers", "great thanks", "ok thanks", "perfect thanks", "danke",
}  # fmt: skip
_NAME = "ostiary"
_EMOJI = re.compile(r":[a-z0-9_+-]+:")
_NOT_A_WORD = re.compile(r"[^\w\s]")


def small_talk(text: str) -> str | None:
    """What to answer where a message is no question: None for every other. A message without words is none."""
    said = _words(text)
    if said in _THANKS:
        return WELCOME
    return ASK_SOMETHING if not said or said in _GREETINGS | _ABOUT_THE_BOT else None


def _words(text: str) -> str:
    """Its words in small letters, without marks, faces and the bot's own name at either end."""
    plain = _NOT_A_WORD.sub(" ", _EMOJI.sub(" ", text.lower().replace("'", "").replace("’", "")))
    words = plain.split()
    if words and words[-1] == _NAME:
        words.pop()
    elif words and words[0] == _NAME:
        words.pop(0)
    return " ".join(words)
