"""Who is in a place, as Slack said it lately, or says it now."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient

from auth.rights import Audience
from bot.slack.places import Place, read_audience

RECENT_S = 30.0
REMEMBERED = 1000
READINGS = 3


@dataclass(frozen=True)
class _Heard:
    audience: Audience
    at: float


class Audiences:
    """Who hears what is said in a place. What Slack said is believed for `recent_s`, to prepare an answer by.

    Before it is sent Slack is asked again. Whoever joins or leaves makes what was known of a channel forgotten.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        bot_user_id: str,
        *,
        recent_s: float = RECENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._bot_user_id = bot_user_id
        self._recent_s = recent_s
        self._clock = clock
        self._known: dict[str, _Heard] = {}
        self._changes: Counter[str] = Counter()

    async def lately(self, place: Place, asker_slack_id: str) -> Audience:
        """As Slack said it not long ago."""
        known = self._known.get(place.channel_id)
        if known is None or self._clock() - known.at >= self._recent_s:
            return await self.now(place, asker_slack_id)
        if asker_slack_id in known.audience.slack_user_ids:
            return known.audience
        return replace(known.audience, slack_user_ids=known.audience.slack_user_ids | {asker_slack_id})

    async def now(self, place: Place, asker_slack_id: str) -> Audience:
        """As Slack says it now, the asker included. Where it changes again and again meanwhile: incomplete."""
        for _ in range(READINGS):
            asked_at, changes = self._clock(), self._changes[place.channel_id]
            self._known.pop(place.channel_id, None)
            audience = await read_audience(self._client, place, asker_slack_id, self._bot_user_id)
            if changes == self._changes[place.channel_id]:
                self._remember(place, audience, asked_at)
                return audience
        return replace(audience, complete=False)

    def _remember(self, place: Place, audience: Audience, asked_at: float) -> None:
        if audience.complete and not place.is_direct:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[place.channel_id] = _Heard(audience, asked_at)

    def changes(self, channel_id: str) -> int:
        """How often it was heard that something changed there: no news, no need to ask Slack again."""
        return self._changes[channel_id]

    def forget(self, channel_id: str) -> None:
        """Something changed there; an answer of Slack's that is on its way may be from before."""
        self._changes[channel_id] += 1
        self._known.pop(channel_id, None)
