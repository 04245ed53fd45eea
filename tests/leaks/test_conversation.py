"""What was said before in a thread is remembered for those alone who may know it now."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from auth.clearance import Clearance
from auth.rights import nothing, rights_of
from bot.answering.turns import Turn
from bot.assistant import NOTHING_FOUND
from bot.slack import conversation
from bot.slack.conversation import ASKER, CHANNEL, Conversation
from bot.slack.places import DIRECT
from bot.slack.questions import IncomingQuestion, Question, find_question
from tests.door.world import TEAM, World
from tests.leaks.conftest import RED

Take = Callable[[], None]
GREEN = frozenset({(frozenset({"green"}), frozenset[str]())})
FOLLOW_UP = "Who approved it?"


async def clearance_of(world: World, user_id: str) -> Clearance:
    found = await rights_of(world.database, world.workspace_id, user_id)
    return found.clearance if found else nothing(world.workspace_id)


async def follow_up(world: World, user_id: str, channel_id: str, said: str = FOLLOW_UP) -> Question:
    """Asked in the thread of the last question there, and not answered yet."""
    async with world.database.writing_in(world.workspace_id) as connection:
        before = (
            await connection.execute(
                text("SELECT message_ts FROM bot.question WHERE channel_id = :c ORDER BY id LIMIT 1"),
                {"c": channel_id},
            )
        ).scalar()
    ts = world.slack.stamp()
    direct = channel_id.startswith("D-")
    kind = DIRECT if direct else "channel"
    thread = None if direct else before
    await world.desk.store(IncomingQuestion(f"E{ts}", channel_id, kind, ts, thread, user_id, said, TEAM))
    async with world.database.writing_in(world.workspace_id) as connection:
        newest = (await connection.execute(text("SELECT max(id) FROM bot.question"))).scalar_one()
        found = await find_question(connection, newest)
    assert found is not None
    return found


async def remembered(world: World, question: Question, part: str, clearance: Clearance) -> str:
    library = world.replier._assistant.library
    turns = await Conversation(world.database, world.workspace_id, library).before(question, part, clearance)
    assert [turn.question for turn in turns] == [f"What is the budget of project {number(world)}?"]
    return turns[0].answer


def secret(world: World) -> str:
    return next(iter(world.company.documents.values())).secrets[0]


def number(world: World) -> int:
    return int(secret(world).removeprefix("zqtext").removesuffix("x"))


async def ask(world: World, user_id: str, channel_id: str) -> None:
    await world.ask(user_id, channel_id, None, number(world))
    await world.work()


async def test_what_one_was_told_alone_is_remembered_for_that_one(world: World) -> None:
    await ask(world, "UANN", "CPRIV")
    question = await follow_up(world, "UANN", "CPRIV")
    assert secret(world) in await remembered(world, question, ASKER, await clearance_of(world, "UANN"))


async def test_what_one_was_told_alone_is_not_remembered_for_everybody(world: World) -> None:
    """Not even where everybody may read it by now: nobody else was there when it was said."""
    await ask(world, "UANN", "CPRIV")
    question = await follow_up(world, "UANN", "CPRIV")
    assert await remembered(world, question, CHANNEL, await clearance_of(world, "UANN")) == ""


async def test_what_one_was_told_alone_is_not_remembered_for_another(world: World) -> None:
    await ask(world, "UANN", "CPRIV")
    await world.grant("UBOB", "red", None)
    question = await follow_up(world, "UBOB", "CPRIV")
    assert await remembered(world, question, ASKER, await clearance_of(world, "UBOB")) == ""


async def test_an_answer_is_forgotten_with_the_right_to_it(
    world: World, guarded: bool, take_out_both_locks: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(world, "UANN", "D-UANN")
    await world.revoke("UANN", "red")
    if not guarded:
        take_out_both_locks()
        unfiltered = conversation._ANSWERS.text.replace("a.label_ids <@ CAST(:label_ids AS bigint[])", "true")
        monkeypatch.setattr(conversation, "_ANSWERS", text(unfiltered))
        monkeypatch.setattr(conversation, "insist_on", lambda *_: None)
    question = await follow_up(world, "UANN", "D-UANN")
    told = await remembered(world, question, ASKER, await clearance_of(world, "UANN"))
    assert (secret(world) in told) is not guarded


async def test_an_answer_is_forgotten_where_its_source_has_other_readers_now(world: World) -> None:
    await ask(world, "UANN", "D-UANN")
    question = await follow_up(world, "UANN", "D-UANN")
    assert secret(world) in await remembered(world, question, CHANNEL, await clearance_of(world, "UANN"))
    await world.relabel(next(iter(world.company.documents)), GREEN)
    assert await remembered(world, question, CHANNEL, await clearance_of(world, "UANN")) == ""
    await world.relabel(next(iter(world.company.documents)), RED)
    assert secret(world) in await remembered(world, question, CHANNEL, await clearance_of(world, "UANN"))


async def test_what_was_asked_elsewhere_is_not_remembered(world: World) -> None:
    await ask(world, "UANN", "D-UANN")
    await world.ask("UANN", "CPRIV", None, 0)
    question = await follow_up(world, "UANN", "CPRIV")
    library = world.replier._assistant.library
    found = await Conversation(world.database, world.workspace_id, library).before(
        question, ASKER, await clearance_of(world, "UANN")
    )
    assert [(turn.question, turn.answer) for turn in found] == [("What is the budget of project 0?", "")]


async def test_what_another_asked_of_the_bot_in_person_is_not_remembered(world: World) -> None:
    await ask(world, "UANN", "D-UANN")
    question = await follow_up(world, "UBOB", "D-UBOB")
    library = world.replier._assistant.library
    conversation = Conversation(world.database, world.workspace_id, library)
    assert await conversation.before(question, CHANNEL, await clearance_of(world, "UANN")) == ()


async def test_a_question_that_stands_alone_is_given_no_past(world: World) -> None:
    await ask(world, "UANN", "CPRIV")
    question = await follow_up(world, "UANN", "CPRIV", "Who approves a purchase?")
    library = world.replier._assistant.library
    conversation = Conversation(world.database, world.workspace_id, library)
    assert await conversation.before(question, ASKER, await clearance_of(world, "UANN")) == ()


async def test_a_follow_up_is_answered_by_what_was_asked_before(world: World) -> None:
    await ask(world, "UANN", "D-UANN")
    await follow_up(world, "UANN", "D-UANN")
    await world.queue.work_off()
    ((who, said),) = world.slack.told
    assert (who, secret(world) in said) == ("UANN", True)


async def test_a_follow_up_of_somebody_who_may_read_less_finds_nothing(world: World) -> None:
    await ask(world, "UANN", "CPRIV")
    await follow_up(world, "UBOB", "CPRIV")
    await world.queue.work_off()  # a leak raises LeakError
    assert [said for who, said in world.slack.told if who == "UBOB"] == [NOTHING_FOUND]


async def test_an_answer_to_a_follow_up_carries_what_gave_it_words(world: World) -> None:
    """Told to whoever may read its own sources, it would say what the earlier answer said."""
    label_id, other = 4711, await clearance_of(world, "UANN")
    before = Turn("Who leads the project?", "Nia Quill leads it.", frozenset({label_id}), (42,))
    clearance = Clearance(world.workspace_id, other.label_ids | {label_id}, other.policy_version)
    assistant = world.replier._assistant
    reply = await assistant.answer("What budget does she have?", clearance, [before])
    assert label_id in reply.label_ids
    assert 42 in reply.chunk_ids
    assert not await assistant.may_still_be_told(reply, other)
    alone = await assistant.answer_beyond(
        "What budget does she have?", clearance, other, [before], all_were_told=True
    )
    assert alone is not None
    assert label_id in alone.label_ids
