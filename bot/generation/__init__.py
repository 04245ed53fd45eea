"""How a language model is run: here for many askers at a time, or on a server elsewhere."""

from bot.generation.asking import asking
from bot.generation.chat_model import GeneratorChatModel
from bot.generation.generator import GenerationRefused, Generator, Request, Turn, as_many_as_fit, written
from bot.generation.likelihood import LikelihoodModel
from bot.generation.local import LocalGenerator

__all__ = [
    "GenerationRefused",
    "Generator",
    "GeneratorChatModel",
    "LikelihoodModel",
    "LocalGenerator",
    "Request",
    "Turn",
    "as_many_as_fit",
    "asking",
    "written",
]
