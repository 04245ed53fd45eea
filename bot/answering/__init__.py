"""From passages to a grounded, cited answer."""

from bot.answering.answer import Answer, CitedSentence
from bot.answering.answerer import Answerer, AnsweringSettings
from bot.answering.telling import Telling, told

__all__ = ["Answer", "Answerer", "AnsweringSettings", "CitedSentence", "Telling", "told"]
