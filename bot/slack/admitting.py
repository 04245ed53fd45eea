"""How all begins that administrators alone may do in Slack: who asks is asked for the role, now, or refused."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from auth.errors import OstiaryError
from bot.administering.administration import NotAllowed
from bot.slack.asking import DATABASE_AWAY

log = structlog.get_logger(__name__)

T = TypeVar("T")
IsAdmin = Callable[[str], Awaitable[bool]]
"""Whether a Slack user administers at this moment."""


class Door:
    """Lets administrators through, and says the same to everybody else, whatever they came for."""

    def __init__(self, is_admin: IsAdmin, refusal: str, away: str) -> None:
        self._is_admin = is_admin
        self._refusal = refusal
        self._away = away

    async def admit(self, slack_user_id: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` comes to, for an administrator. Raises NotAllowed, in the words of this door."""
        try:
            if await self._is_admin(slack_user_id):
                return await work()
        except NotAllowed:
            pass  # the role went between two looks
        raise NotAllowed(self._refusal)

    async def answer(self, slack_user_id: str, work: Callable[[], Awaitable[str | None]]) -> str | None:
        """The same where only what went wrong is said: None where all is well, else a sentence."""
        try:
            return await self.admit(slack_user_id, work)
        except OstiaryError as error:
            return str(error)
        except DATABASE_AWAY:
            log.exception("an administrator found the database away")
            return self._away
