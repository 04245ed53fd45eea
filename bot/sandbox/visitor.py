"""A visitor plays the people: the same moves for the page in the browser and for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bot.sandbox.finding import NewFile, VisitorError
from bot.sandbox.moves.clicking import Clicking
from bot.sandbox.moves.coming import Coming
from bot.sandbox.moves.grouping import Grouping
from bot.sandbox.moves.scanning import Scanning
from bot.sandbox.moves.sharing import Sharing
from bot.sandbox.moves.standing import Standing
from bot.sandbox.moves.talking import Talking
from bot.sandbox.seen import SeenMessage

T = TypeVar("T")
__all__ = ["NewFile", "Visitor", "VisitorError"]
PATIENCE_S = 60.0
_LOOK_AGAIN_SECONDS = 0.1


class Visitor(Talking, Clicking, Coming, Standing, Grouping, Sharing, Scanning):
    """People by handle or user id; channels by #name or id; `@bot` is the direct message with the bot."""

    async def wait_for(self, predicate: Callable[[], T], timeout: float = PATIENCE_S) -> T:  # noqa: ASYNC109
        """Evaluate at every change until the result is true, and return it. TimeoutError after `timeout` s."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            version = self._workspace.changes.version
            result = predicate()
            if result:
                return result
            left = deadline - loop.time()
            if left <= 0:
                raise TimeoutError(
                    f"Nothing true within {timeout:g} s; last was {result!r}.\n{self._lately()}"
                )
            # Not all that a test may wait for is visible: look again now and then without being rung.
            await self._workspace.changes.after(version, min(left, _LOOK_AGAIN_SECONDS))

    async def wait_for_reply(
        self,
        person: str,
        channel: str,
        thread_ts: str | None = None,
        *,
        containing: str = "",
        after: str = "",
        timeout: float = PATIENCE_S,  # noqa: ASYNC109
    ) -> SeenMessage:
        """The bot's first finished message that this person sees there and that holds the words.

        Without `thread_ts`, in their direct message with the bot, also in the threads: each is a session there.
        """

        def reply() -> SeenMessage | None:
            for message in self.conversation(person, channel, thread_ts):
                if (
                    message.by_bot
                    and not message.streaming
                    and message.ts > after
                    and containing in message.plain
                ):
                    return message
            return None

        found = await self.wait_for(reply, timeout)
        assert found is not None
        return found

    def _lately(self) -> str:
        said = [m for history in self._workspace.histories.values() for m in history.all()]
        said += [m for whispers in self._workspace.ephemerals.values() for m in whispers]
        lines = [
            f"{m.ts} {m.channel_id} {self._workspace.person_name(m.user_id)}"
            f"{' (to one reader)' if m.only_for else ''}: {m.text[:200]}"
            for m in sorted(said, key=lambda m: m.ts)[-8:]
        ]
        return "Lately said:\n" + "\n".join(lines) if lines else "Nobody has said anything."
