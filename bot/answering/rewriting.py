"""Follow-ups made to stand alone: by a model where it keeps to what was said, else by words."""

import asyncio
import logging
import re
from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from bot.answering.follow_ups import Embed, leans, stand_alone
from bot.answering.sanitize import clean
from bot.answering.turns import StandingAlone, Turn
from bot.answering.words import content_words, figures, limits

_log = logging.getLogger(__name__)

_RULES = "Rewrite the last question so that it stands alone. Use only words that were said. Do not answer it."
_EXAMPLES = (
    ("How long is the warranty for a pump?", "And for a valve?", "How long is the warranty for a valve?"),
    ("When does the library open?", "Who runs it?", "Who runs the library?"),
    ("Who may sign a contract?", "Why is that so?", "Why may they sign a contract?"),
)
_STOP = ["\n"]
_LONGEST_WORDS, _REMEMBERED = 40, 3
_LEADING = re.compile(r"^(?:question|rewritten(?: question)?|standalone(?: question)?)\s*:\s*", re.IGNORECASE)


class Rewriter:
    """Makes questions stand alone. `model` None: by words alone.

    The model is the plain one: what an adapter learned from documents must not come into a question.
    """

    def __init__(self, embed: Embed | None, model: BaseChatModel | None = None, seconds: float = 4.0) -> None:
        self._embed = embed
        self._model = model
        self._seconds = seconds

    async def stand_alone(self, question: str, turns: Sequence[Turn]) -> StandingAlone:
        """`question` as one that stands alone after `turns`, the oldest first; itself where it does already."""
        if not turns or not leans(question):
            return StandingAlone(question)
        by_words = await asyncio.to_thread(stand_alone, question, turns, self._embed)
        if self._model is None:
            return by_words
        return await self._proposed(question, turns[-_REMEMBERED:]) or by_words

    async def _proposed(self, question: str, turns: Sequence[Turn]) -> StandingAlone | None:
        """What the model makes of it, if that says nothing which was not said before."""
        assert self._model is not None
        try:
            async with asyncio.timeout(self._seconds):
                reply = await self._model.ainvoke(prompt(question, turns), stop=_STOP)
        except Exception as error:  # any provider raises its own kinds; words alone do without it
            _log.warning("The chat model did not rewrite a follow-up: %s", type(error).__name__)
            return None
        said = _LEADING.sub("", clean(str(reply.text)).strip(" \"'"))
        return accepted(said, question, turns)


def prompt(question: str, turns: Sequence[Turn]) -> list[BaseMessage]:
    """Examples as turns of a chat: small models follow those sooner than rules."""
    messages: list[BaseMessage] = [SystemMessage(_RULES)]
    for before, asked, alone in _EXAMPLES:
        messages += [HumanMessage(f"{before}\n{asked}"), AIMessage(alone)]
    before = "\n".join(part for turn in turns for part in (turn.question, turn.answer) if part)
    return [*messages, HumanMessage(f"{before}\n{question}")]


def accepted(said: str, question: str, turns: Sequence[Turn]) -> StandingAlone | None:
    """A rewriting that holds all that the question says, something of what was said before, and nothing else.

    Its sources are all the answers that were shown to the model where it has a word that no question has.
    """
    asked, proposed = set(content_words(question)), set(content_words(said))
    if not said or len(said.split()) > _LONGEST_WORDS or leans(said):
        return None
    heard = {word for turn in turns for word in content_words(turn.question)}
    told = {word for turn in turns for word in content_words(turn.answer)}
    if not asked <= proposed or not proposed <= asked | heard | told or not proposed - asked:
        return None
    if not figures(question) <= figures(said) or not limits(question) <= limits(said):
        return None
    alone = StandingAlone(said.rstrip(" .?") + "?")
    if proposed <= asked | heard:
        return alone
    for turn in turns:
        if turn.answer:
            alone = alone.with_sources(turn)
    return alone
