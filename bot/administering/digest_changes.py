"""Changes of the digests that are sent to channels: set up, stopped. They open nothing to anybody."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import record
from bot.administering.making import CannotChange, Made, OfReaders
from bot.digests import LONGEST_TOPIC, Every, add_digest, stop_digest

SCHEDULED, STOPPED = "digest.scheduled", "digest.stopped"


@dataclass(frozen=True)
class ScheduleDigest(OfReaders):
    """Tell a channel every day or week what is new on a topic, or, where it is empty, on everything.

    It is told what everybody may read who is in the channel when it is sent; nothing where nothing is new.
    """

    channel_id: str
    topic: str
    every: Every
    channel_name: str = ""
    """For the words alone."""

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        if len(self.topic) > LONGEST_TOPIC:
            raise CannotChange(f"A topic is {LONGEST_TOPIC} characters long at most.")
        if not self.channel_id.startswith(("C", "G")):
            raise CannotChange("A digest goes to a channel. Write it as Slack offers it: `#general`.")
        now = datetime.now(UTC)
        digest_id = await add_digest(connection, self.channel_id, self.topic, self.every, actor, now)
        details = {
            "digest": digest_id,
            "channel": self.channel_id,
            "topic": self.topic,
            "every": self.every.value,
        }
        await record(connection, SCHEDULED, details)
        return Made(
            notes=(f"It is digest {digest_id}. Invite me to the channel if I am not in it.",), for_good=True
        )

    def in_words(self) -> str:
        channel = f"#{self.channel_name}" if self.channel_name else self.channel_id
        return f"set up a {self.every.value} digest for {channel}" + (
            f" on {self.topic}" if self.topic else ""
        )


@dataclass(frozen=True)
class StopDigest(OfReaders):
    """Send a digest no more."""

    digest_id: int

    async def make(self, connection: AsyncConnection, actor: str) -> Made:
        stopped = await stop_digest(connection, self.digest_id)
        details = {"digest": stopped.id, "channel": stopped.channel_id, "topic": stopped.topic}
        await record(connection, STOPPED, details)
        return Made(for_good=True)

    def in_words(self) -> str:
        return f"stopped digest {self.digest_id}"
