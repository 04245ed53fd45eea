"""A digest that is sent to a channel tells what everybody in it may read when it is sent, once, and else nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import ScheduleDigest, StopDigest
from bot.digests import SETTLED, CannotSchedule, Every, next_after
from bot.slack.digests import DigestSender, question_for
from bot.slack.team import Team
from tests.door.world import TEAM, World
from tests.leaks.conftest import FOR_ALL, RED


class Sender(DigestSender):
    """Whatever is set up is due at each look."""

    async def look(self) -> None:
        async with self._database.writing_in(self._team.workspace_id) as connection:
            await connection.execute(text("UPDATE bot.digest SET next_at = now()"))
        await super().look()


async def scheduled(world: World, topic: str = "", later: timedelta = SETTLED) -> DigestSender:
    """`later`: how long after what came in it is looked for."""
    administration = Administration(world.database, world.workspace_id)
    await administration.carry_out(ScheduleDigest("CPRIV", topic, Every.DAILY), COMMAND_LINE)
    team = Team(world.workspace_id, TEAM, "Drawn", "UBOT")
    sender = Sender(world.database, team, lambda: datetime.now(UTC) + later)
    sender.register(world.queue)  # type: ignore[arg-type]
    return sender


async def send(world: World, sender: DigestSender) -> list[str]:
    """What the channel is told by it now. A leak raises LeakError."""
    before = world.slack.delivered.total()
    await sender.look()
    await world.work()
    async with world.database.writing_in(world.workspace_id) as connection:
        states = (await connection.execute(text("SELECT DISTINCT state FROM bot.question"))).scalars().all()
    assert states == ["answered"]
    told = world.slack.delivered.total() - before
    return ["told"] * told


async def test_what_not_everybody_in_the_channel_may_read_is_not_told(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(RED, False)
    assert await send(world, sender) == []


async def test_what_everybody_may_read_is_told_once(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(FOR_ALL, False)
    await world.ingest(RED, False)
    assert await send(world, sender) == ["told"]
    assert world.slack.delivered["private channel"] == 1
    assert await send(world, sender) == []


async def test_it_goes_by_the_rights_of_the_moment_at_which_it_is_sent(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(RED, False)
    await world.grant("UBOB", "red", None)
    await sender.look()
    await world.revoke("UBOB", "red")  # while it waits
    await world.work()
    assert world.slack.delivered.total() == 0
    await world.ingest(RED, False)
    await world.grant("UBOB", "red", None)
    assert await send(world, sender) == ["told"]


async def test_somebody_who_joins_makes_it_less(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(FOR_ALL, False)
    await world.join("UGUS", "CPRIV")  # a guest: what is for everyone is not for them
    assert await send(world, sender) == []


async def test_what_was_there_before_is_not_new(world: World) -> None:
    await world.ingest(FOR_ALL, False)
    assert await send(world, await scheduled(world)) == []


async def test_what_came_in_just_before_is_left_to_the_next_one(world: World) -> None:
    """Somebody may be storing it still: what the moment of storing is, nobody else can see before it is done."""
    sender = await scheduled(world, later=timedelta(0))
    await world.ingest(FOR_ALL, False)
    assert await send(world, sender) == []
    sender._now = lambda: datetime.now(UTC) + SETTLED
    assert await send(world, sender) == ["told"]


async def test_a_digest_on_a_topic_leaves_out_the_rest(world: World) -> None:
    sender = await scheduled(world, "whales")
    await world.ingest(FOR_ALL, False)
    assert await send(world, sender) == []


async def test_what_did_not_get_out_is_told_by_the_next_one(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(FOR_ALL, False)
    await sender.look()
    world.queue.waiting.clear()  # and its job is lost with the machine
    await sender.look()
    await world.queue.work_off()
    assert world.slack.delivered.total() == 1


async def test_one_that_is_stopped_is_not_sent_any_more_not_even_if_it_waits(world: World) -> None:
    sender = await scheduled(world)
    await world.ingest(FOR_ALL, False)
    await sender.look()
    administration = Administration(world.database, world.workspace_id)
    (digest,) = await administration.digests()
    await administration.carry_out(StopDigest(digest.id), COMMAND_LINE)
    assert await send(world, sender) == []
    with pytest.raises(CannotSchedule, match=f"no digest {digest.id}"):
        await administration.carry_out(StopDigest(digest.id), COMMAND_LINE)


async def test_a_channel_has_one_digest_on_a_topic(world: World) -> None:
    await scheduled(world)
    with pytest.raises(CannotSchedule, match="already"):
        await scheduled(world)


@pytest.mark.parametrize(
    ("moment", "every", "due"),
    [
        ("2026-11-22T07:00", Every.DAILY, "2026-11-22T08:00"),
        ("2026-11-22T08:00", Every.DAILY, "2026-11-23T08:00"),
        ("2026-11-22T09:00", Every.WEEKLY, "2026-11-23T08:00"),  # a Sunday
        ("2026-11-23T07:59", Every.WEEKLY, "2026-11-23T08:00"),
        ("2026-11-23T08:00", Every.WEEKLY, "2026-11-30T08:00"),
    ],
)
def test_it_is_due_at_eight_in_the_morning(moment: str, every: Every, due: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert next_after(at, every) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("", "What is new?"),
        ("backups", "What is new on backups?"),
        ("backups since March", "What is new on backups since March?"),
        ("since yesterday", "What is new since yesterday?"),
        ("on trade in winter", "What is new on trade in winter?"),
    ],
)
def test_the_words_of_the_command_are_a_question(words: str, question: str) -> None:
    assert question_for(words.removeprefix("on ")) == question
