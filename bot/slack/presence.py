"""What whoever asked sees while their answer is made: a passing line, and a button that stops it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.background import in_background
from bot.slack.delivery import Outbox
from bot.slack.questions import Question

READING = "is reading the documents ..."
GONE_S = 5.0
_ORDINALS = ("next", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def waiting(place: int) -> str:
    """A line for somebody who waits, 1 being next: `is busy: you are third in line ...`"""
    if place > len(_ORDINALS):
        return f"is busy: you are number {place} in line ..."
    said = "next" if place == 1 else f"{_ORDINALS[place - 1]} in line"
    return f"is busy: you are {said} ..."


class Presence:
    """Only a courtesy: no answer waits for it, and Slack is told the latest alone, however fast it changes."""

    def __init__(self, outbox: Outbox, question: Question) -> None:
        self._outbox = outbox
        self._question = question
        self._wanted = READING
        self._shown = ""
        self._over = False
        self._news = asyncio.Event()
        self._told = asyncio.Event()
        self._news.set()

    def stands(self, place: int) -> None:
        """The place in the line before the model: 0 is being served."""
        self._want(waiting(place) if place else READING)

    async def hide(self) -> None:
        """Nothing more is shown: what is still to come may be for its asker alone, and others would see it."""
        self._want("")
        self._over = True
        try:
            async with asyncio.timeout(GONE_S):
                await self._told.wait()
        except TimeoutError:
            return

    def _want(self, line: str) -> None:
        if not self._over and line != self._wanted:
            self._wanted = line
            self._told.clear()
            self._news.set()

    async def keep_showing(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._show(self._wanted)
            if not self._news.is_set():
                self._told.set()

    async def _show(self, line: str) -> None:
        if line == self._shown:
            return
        asked, began = self._question, not self._shown or not line
        self._shown = line
        await self._outbox.show_status(asked.place, line)
        if began:
            await self._outbox.show_session(asked.place, asked.asker_slack_id, at_work=bool(line))


@asynccontextmanager
async def at_work(outbox: Outbox, question: Question) -> AsyncIterator[Presence]:
    """Shown while this is open. Slack takes it away itself only where an answer is posted in the same thread."""
    presence = Presence(outbox, question)
    async with in_background(presence.keep_showing()):
        try:
            yield presence
        finally:
            await presence.hide()
