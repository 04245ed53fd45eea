"""What found nothing is shown to those alone who could read it where it was asked; and says nothing of the rest."""

import pytest
from sqlalchemy import text

from auth.rights import Audience
from bot.gaps import Gap, Gaps, Mark, NoGap
from bot.slack.feedback import find_shown, give_feedback
from bot.slack.places import DIRECT, Place
from bot.slack.questions import IncomingQuestion, claim
from bot.slack.replying import ANSWER_JOB
from bot.slack.small_talk import small_talk
from tests.door.memory import MemoryAudiences
from tests.door.world import TEAM, Words, World

PARKING = "Where do visitors park bicycles?"


@pytest.fixture
async def owner(world: World) -> Gaps:
    """The gaps of a company in which Ann and Bob hold red, which owns a collection."""
    await world.grant("UBOB", "red", None)
    audiences = MemoryAudiences(world.slack)

    async def who_is_in(channel_id: str) -> Audience:
        return await audiences.now(Place(channel_id, "channel", None), "UBOT")

    return Gaps(
        world.database, world.workspace_id, Words().encode, who_is_in, lambda said: small_talk(said) is None
    )


async def ask(world: World, user_id: str, channel_id: str, said: str = PARKING) -> None:
    ts = world.slack.stamp()
    kind = DIRECT if channel_id.startswith("D-") else "channel"
    question = IncomingQuestion(f"E{ts}", channel_id, kind, ts, None, user_id, said, TEAM)
    async with world.database.writing_in(world.workspace_id) as connection:
        question_id = await claim(connection, question)
        assert question_id is not None
        await world.queue.defer(connection, ANSWER_JOB, question_id=question_id)
    await world.queue.work_off()


async def shown(gaps: Gaps, user_id: str) -> list[tuple[str, int, int]]:
    """Words, how often it was asked, by how many, as one person is told."""
    return [(gap.text, len(gap.questions), gap.people) for gap in await gaps.open_to(user_id)]


async def the_gap(gaps: Gaps, user_id: str) -> Gap:
    (gap,) = await gaps.open_to(user_id)
    return gap


async def test_what_was_asked_where_an_owner_reads_is_shown_to_them(world: World, owner: Gaps) -> None:
    """Or the tests below would prove nothing."""
    await ask(world, "UANN", "CPRIV")
    assert await shown(owner, "UBOB") == [(PARKING, 1, 1)]


async def test_what_was_asked_in_person_is_shown_to_its_asker_alone(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "D-UANN")
    assert await shown(owner, "UBOB") == []
    assert await shown(owner, "UANN") == [(PARKING, 1, 1)]


async def test_what_was_asked_in_a_private_channel_is_shown_to_nobody_who_left_it(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "CPRIV")
    await world.leave("UBOB", "CPRIV")
    assert await shown(owner, "UBOB") == []
    await world.join("UBOB", "CPRIV")
    assert len(await shown(owner, "UBOB")) == 1


async def test_what_was_asked_where_strangers_may_listen_is_shown_to_its_asker_alone(
    world: World, owner: Gaps
) -> None:
    for user_id in ("UANN", "UBOB"):
        await world.join(user_id, "CSHARED")
    await ask(world, "UANN", "CSHARED")
    assert await shown(owner, "UBOB") == []


async def test_a_public_channel_is_open_to_every_member_and_to_guests_who_are_in_it(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "CPUB")
    await world.leave("UBOB", "CPUB")
    assert len(await shown(owner, "UBOB")) == 1
    await world.grant("UGUS", "red", None)
    assert await shown(owner, "UGUS") == []
    await world.join("UGUS", "CPUB")
    assert len(await shown(owner, "UGUS")) == 1


async def test_what_an_owner_does_not_see_changes_nothing_of_what_they_see(world: World, owner: Gaps) -> None:
    """Neither a count, nor the order, nor which question stands for the rest."""
    await ask(world, "UANN", "CPUB", "How is the coffee machine cleaned?")
    await ask(world, "UANN", "CPUB", PARKING)
    before = [gap.questions for gap in await owner.open_to("UBOB")]
    for user_id in ("UANN", "UCAT"):
        await ask(world, user_id, f"D-{user_id}", PARKING)
    await world.leave("UBOB", "CPRIV")
    await ask(world, "UANN", "CPRIV", PARKING)
    assert [gap.questions for gap in await owner.open_to("UBOB")] == before


async def test_what_its_asker_was_told_alone_is_a_gap_like_any_other(world: World, owner: Gaps) -> None:
    """Or whoever may not read the source could tell by the list that there is one."""
    await _only_ann_holds_red(world)
    secret = next(iter(world.company.documents.values())).secrets[0]
    number = secret.removeprefix("zqtext").removesuffix("x")
    await ask(world, "UANN", "CPRIV", f"What is the budget of project {number}?")
    assert any(secret in said for who, said in world.slack.told if who == "UANN")
    assert len(await shown(owner, "UBOB")) == 1


async def test_what_everybody_was_told_is_no_gap(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPRIV", f"What is the budget of project {await _number(world)}?")
    assert await shown(owner, "UBOB") == []


async def test_a_greeting_is_no_gap(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPRIV", "Hello")
    assert await shown(owner, "UBOB") == []


async def test_an_answer_that_everybody_was_told_and_somebody_found_bad_is_a_gap(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "CPRIV", f"What is the budget of project {await _number(world)}?")
    for verdict, thumbs in (("bad", [1]), ("good", [])):
        await judge(world, "UANN", verdict)
        assert [gap.disliked for gap in await owner.open_to("UBOB")] == thumbs


async def test_what_somebody_thinks_of_what_they_were_told_alone_is_not_told(
    world: World, owner: Gaps
) -> None:
    """Neither by a thumb, nor by a gap that is one for nothing but that."""
    await _only_ann_holds_red(world)
    await ask(world, "UANN", "CPRIV", f"What is the budget of project {await _number(world)}?")
    before = [(gap.questions, gap.disliked) for gap in await owner.open_to("UBOB")]
    assert [disliked for _, disliked in before] == [0]
    await judge(world, "UANN", "bad")
    assert [(gap.questions, gap.disliked) for gap in await owner.open_to("UBOB")] == before


@pytest.mark.parametrize("user_id", ["UCAT", "UGUS", "UOUT", "UNOBODY"])
async def test_whoever_owns_nothing_is_shown_nothing_and_marks_nothing(
    world: World, owner: Gaps, user_id: str
) -> None:
    await ask(world, "UANN", "CPUB")
    gap = await the_gap(owner, "UANN")
    with pytest.raises(NoGap, match="own"):
        await owner.open_to(user_id)
    with pytest.raises(NoGap, match="own"):
        await owner.mark(user_id, gap.id, Mark.DISMISSED)
    with pytest.raises(NoGap, match="own"):
        await owner.reopen(user_id, gap.id)


async def test_whoever_owns_a_document_is_an_owner_as_long_as_they_are_here(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "CPUB")
    owned = (
        "UPDATE retrieval.document SET owner_id = (SELECT id FROM auth.person WHERE slack_user_id = 'UCAT')"
    )
    async with world.database.writing_in(world.workspace_id) as connection:
        await connection.execute(text(owned))
    assert len(await shown(owner, "UCAT")) == 1
    await world.change_person("UCAT", "member", False)
    with pytest.raises(NoGap, match="own"):
        await owner.open_to("UCAT")


async def test_an_owner_is_one_no_more_with_the_role(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPUB")
    await world.revoke("UBOB", "red")
    with pytest.raises(NoGap, match="own"):
        await owner.open_to("UBOB")


async def test_a_number_grants_nothing_and_what_is_closed_looks_like_what_is_missing(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "D-UANN")
    gap = await the_gap(owner, "UANN")
    missing = f"There is no open gap {gap.id}. `/gaps` shows those that there are."
    with pytest.raises(NoGap) as closed:
        await owner.mark("UBOB", gap.id, Mark.ANSWERED)
    assert str(closed.value) == missing
    await owner.mark("UANN", gap.id, Mark.ANSWERED)
    with pytest.raises(NoGap) as marked:
        await owner.reopen("UBOB", gap.id)
    assert str(marked.value) == f"There is no gap {gap.id} that was marked."
    assert await shown(owner, "UANN") == []


async def test_a_mark_is_on_what_its_maker_sees_and_on_nothing_else(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPUB")
    await ask(world, "UANN", "D-UANN")
    gap = await the_gap(owner, "UBOB")
    await owner.mark("UBOB", gap.id, Mark.ANSWERED)
    assert await shown(owner, "UBOB") == []
    assert await shown(owner, "UANN") == [(PARKING, 1, 1)]
    assert await owner.reopen("UBOB", gap.id) == 1
    assert len(await shown(owner, "UBOB")) == 1


async def test_a_gap_that_is_asked_again_after_it_was_marked_is_there_again(
    world: World, owner: Gaps
) -> None:
    await ask(world, "UANN", "CPUB")
    await owner.mark("UBOB", (await the_gap(owner, "UBOB")).id, Mark.ANSWERED)
    await ask(world, "UBOB", "CPUB")
    assert await shown(owner, "UANN") == [(PARKING, 1, 1)]


async def test_questions_that_ask_the_same_are_one_gap(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPUB", PARKING)
    await ask(world, "UBOB", "CPUB", "Where do visitors park their bicycles?")
    await ask(world, "UANN", "CPUB", "How is the coffee machine cleaned?")
    assert [(asked, people) for _, asked, people in await shown(owner, "UBOB")] == [(2, 2), (1, 1)]


async def test_a_mark_goes_with_its_question(world: World, owner: Gaps) -> None:
    await ask(world, "UANN", "CPUB")
    await owner.mark("UBOB", (await the_gap(owner, "UBOB")).id, Mark.DISMISSED)
    async with world.database.writing_in(world.workspace_id) as connection:
        await connection.execute(text("DELETE FROM bot.question"))
        assert (await connection.execute(text("SELECT count(*) FROM bot.gap_mark"))).scalar_one() == 0


async def judge(world: World, user_id: str, verdict: str) -> None:
    """A thumb under the newest answer, by somebody who sees it."""
    async with world.database.writing_in(world.workspace_id) as connection:
        newest = (await connection.execute(text("SELECT max(id) FROM bot.answer"))).scalar_one()
    answer = await find_shown(world.database, world.workspace_id, newest, user_id)
    assert answer is not None
    async with world.database.writing_in(world.workspace_id) as connection:
        await give_feedback(connection, answer, user_id, verdict)


async def _only_ann_holds_red(world: World) -> None:
    """And Bob owns a collection all the same."""
    await world.revoke("UBOB", "red")
    await world.grant("UBOB", "green", None)
    await _own(world, "green")


async def _own(world: World, role: str) -> None:
    async with world.database.writing_in(world.workspace_id) as connection:
        await connection.execute(text("UPDATE retrieval.collection SET owner_role = :role"), {"role": role})


async def _number(world: World) -> str:
    secret = next(iter(world.company.documents.values())).secrets[0]
    return secret.removeprefix("zqtext").removesuffix("x")
