"""From passages to a grounded, cited answer."""

from bot.answering.answer import Answer, CitedSentence
from bot.answering.answerer import Answerer, AnsweringSettings

__all__ = ["Answer", "Answerer", "AnsweringSettings", "CitedSentence"]
