"""What somebody is suggested to ask: questions from headings that they may read, each tried before it is shown."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing

from auth.clearance import Clearance
from bot.answering.sanitize import clean
from bot.assistant import Assistant
from retrieval.browsing import Subject, subjects_of

MOST_PROMPTS, TRIED, REMEMBERED = 3, 8, 200
TITLE, MESSAGE = 60, 200
Prompt = dict[str, str]


class Prompts:
    """Suggestions by what may be read: whoever may read the same is suggested the same.

    They are tried one after another: whoever has asked something has the machine before who only looks.
    """

    def __init__(self, assistant: Assistant, rng: random.Random | None = None) -> None:
        self._assistant = assistant
        self._rng = rng or random.SystemRandom()
        self._one_at_a_time = asyncio.Lock()
        self._known: OrderedDict[tuple[str, int, str], tuple[Prompt, ...]] = OrderedDict()

    async def suggest(self, clearance: Clearance, channel_id: str = "") -> Sequence[Prompt]:
        """Up to three (title, message) that get an answer; of what came from a channel, where that is viewed."""
        key = (clearance.fingerprint, clearance.policy_version, channel_id)
        async with self._one_at_a_time:
            if key not in self._known:
                self._known[key] = tuple(await self._found(clearance, channel_id))
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            return self._known[key]

    async def _found(self, clearance: Clearance, channel_id: str) -> list[Prompt]:
        database = self._assistant.library.database
        subjects = await subjects_of(database, clearance, 50, channel_id)
        if not subjects and channel_id:
            subjects = await subjects_of(database, clearance, 50)
        found: list[Prompt] = []
        for subject in self._rng.sample(subjects, min(TRIED, len(subjects))):
            prompt = prompt_about(subject)
            if len(found) < MOST_PROMPTS and await self._is_answered(prompt["message"], clearance):
                found.append(prompt)
        return found

    async def _is_answered(self, question: str, clearance: Clearance) -> bool:
        opening = await self._assistant.begin(question, clearance)
        async with aclosing(opening.telling):
            return opening.found


def prompt_about(subject: Subject) -> Prompt:
    """A question that a heading answers. Headings are anybody's writing."""
    title, heading = clean(subject.title), clean(subject.heading)
    alone = heading.casefold() == title.casefold()
    asked = f"What does {title} say?" if alone else f"What does {title} say about {heading}?"
    return {"title": (title if alone else heading)[:TITLE] or "A document", "message": asked[:MESSAGE]}
