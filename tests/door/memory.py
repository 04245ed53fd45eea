"""Slack in memory, with the interfaces that the bot uses: who is where, what was sent to whom, what work waits."""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from auth.rights import Audience
from bot.answering import Answer
from bot.slack.places import Place
from retrieval.passages import Passage
from tests.door.company import Company
from tests.parrot import Parrot

BOT = "UBOT"


class LeakError(AssertionError):
    """Somebody was told what they may not read; the message says who, what and by which way."""


class MemorySlack:
    """Conversations and deliveries: each is judged at the moment it is made."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.checked_at = time.time()
        self.delivered: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []
        """(who, what) of everything that was said to one person alone."""
        self.buttons: list[tuple[str, str, str, str]] = []
        """(who sees it, channel, action id, value)."""
        self._next_ts = 0

    def stamp(self) -> str:
        self._next_ts += 1
        return f"{1_700_000_000 + self._next_ts}.000000"

    def deliver(
        self, surface: str, listeners: Collection[str], channel: str, text: str, blocks: Sequence[Any]
    ) -> str:
        said = f"{text}\n{json.dumps(list(blocks), ensure_ascii=False)}"
        self.delivered[surface] += 1
        if leaked := self.company.closed_to(listeners, said, self.checked_at):
            raise LeakError(f"by {surface} in {channel}: (who, document) {leaked}")
        for block in blocks:
            for element in block.get("elements", ()) if block.get("type") == "actions" else ():
                self.buttons += [
                    (user, channel, element["action_id"], element["value"]) for user in listeners
                ]
        if len(listeners) == 1:
            self.told.append((next(iter(listeners)), text))
        return self.stamp()


class MemoryAudiences:
    """Stands in for `Audiences`: lately may be as old as it likes, now is the truth."""

    def __init__(self, slack: MemorySlack) -> None:
        self._slack = slack
        self._known: dict[str, Audience] = {}

    def changes(self, channel_id: str) -> int:
        """Nobody tells: nothing is streamed here."""
        return 0

    async def lately(self, place: Place, asker_slack_id: str) -> Audience:
        known = self._known.get(place.channel_id)
        return known or await self.now(place, asker_slack_id)

    async def now(self, place: Place, asker_slack_id: str) -> Audience:
        self._slack.checked_at = time.time()
        alone = frozenset({asker_slack_id})
        if place.is_direct:
            return Audience(alone)
        channel = self._slack.company.channels[place.channel_id]
        heard = Audience(
            (frozenset(channel.members) | alone) - {BOT},
            channel.kind == "public",
            complete=channel.kind != "shared",
        )
        self._known[place.channel_id] = heard
        return heard


class MemoryOutbox:
    """Stands in for `Outbox`."""

    client: Any = None

    def __init__(self, slack: MemorySlack) -> None:
        self._slack = slack

    async def post(
        self,
        place: Place,
        text: str,
        blocks: Sequence[Any],
        *,
        question_id: int | None = None,
        at_once: bool = False,
    ) -> str:
        if place.is_direct:
            owner = place.channel_id.removeprefix("D-")
            return self._slack.deliver("direct message", {owner}, place.channel_id, text, blocks)
        channel = place.channel_id
        kind = self._slack.company.channels[channel].kind
        where = f"{kind} channel, thread" if place.thread_ts else f"{kind} channel"
        return self._slack.deliver(where, self._slack.company.hears(channel), channel, text, blocks)

    async def tell_alone(
        self,
        place: Place,
        user_id: str,
        text: str,
        blocks: Sequence[Any],
        *,
        question_id: int | None = None,
        at_once: bool = False,
    ) -> str:
        surface = "direct message" if place.is_direct else "ephemeral"
        return self._slack.deliver(surface, {user_id}, place.channel_id, text, blocks)

    async def tell_in_person(self, user_id: str, text: str, blocks: Sequence[Any]) -> None:
        self._slack.deliver("in person", {user_id}, f"D-{user_id}", text, blocks)

    async def show_status(self, place: Place, status: str) -> None:
        """Says nothing of documents."""

    async def show_session(self, place: Place, asker_slack_id: str, *, at_work: bool) -> None:
        """Says nothing of documents either."""

    def may_stream(self, place: Place) -> bool:
        """What is posted whole is looked at once more, by the same eyes."""
        return False

    async def find_answer(self, *_: object) -> None:
        return None


class MemoryRoster:
    """Everybody is known already, or will never be."""

    async def know(self, slack_user_ids: Collection[str]) -> None:
        """Nothing to ask."""


class MemoryQueue:
    """Keeps work until it is asked for: rights may change while it waits."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, dict[str, int]]] = []
        self._work: dict[str, Callable[..., Awaitable[None]]] = {}

    def on(self, name: str, work: Callable[..., Awaitable[None]], given_up: object) -> None:
        self._work[name] = work

    def every_minute(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Nobody looks at the clock here: what is due is looked for when a test says so."""

    async def defer(self, connection: object, name: str, **arguments: int) -> None:
        self.waiting.append((name, arguments))

    async def defer_many(self, connection: object, name: str, arguments: Sequence[Mapping[str, int]]) -> None:
        self.waiting += [(name, dict(each)) for each in arguments]

    async def defer_once(self, connection: object, name: str, **arguments: int) -> None:
        if (name, arguments) not in self.waiting:
            self.waiting.append((name, arguments))

    async def work_off(self) -> None:
        while self.waiting:
            name, arguments = self.waiting.pop(0)
            await self._work[name](**arguments)


class InterruptedParrot(Parrot):
    """Repeats everything; and while it does, something else may happen."""

    def __init__(self) -> None:
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []

    async def answer(self, question: str, passages: Sequence[Passage], use_adapter: bool = False) -> Answer:
        answer = await super().answer(question, passages, use_adapter)
        while self.meanwhile:
            await self.meanwhile.pop()()
        return answer
