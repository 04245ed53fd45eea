"""People ask in the sandbox, and each place hears what all of it may read."""

from sqlalchemy import text

from bot.assistant import NOTHING_FOUND
from bot.directory_file import load_directory
from bot.slack.small_talk import ASK_SOMETHING
from tests.scenarios.conftest import Office, without_roles

BAND = "What does a senior engineer earn?"
LEAVE = "How many days of paid leave do employees receive?"
PATIENCE_S = 60


async def test_a_direct_message_is_answered_with_its_source(office: Office) -> None:
    await office.visitor.dm("pia", BAND)
    reply = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert "78,000 to 94,000" in reply.plain
    assert "Salary bands" in reply.plain


async def test_what_may_not_be_read_is_as_if_it_did_not_exist(office: Office) -> None:
    await office.visitor.dm("enzo", BAND)
    refused = await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=PATIENCE_S)
    await office.visitor.dm("gus", "What is the boiling point of mercury?")
    missing = await office.visitor.wait_for_reply("gus", "@ostiary", timeout=PATIENCE_S)
    assert refused.plain == missing.plain == NOTHING_FOUND


async def test_a_mention_is_answered_once_in_its_thread_for_everybody(office: Office) -> None:
    office.sandbox.deliver_twice = True
    office.sandbox.subscriptions.add("message.channels")  # as where the app hears all of a channel
    asked = await office.visitor.post("enzo", "#general", f"@ostiary {LEAVE}")
    reply = await office.visitor.wait_for_reply("pia", "#general", asked.ts, timeout=PATIENCE_S)
    assert "27 days" in reply.plain
    assert not reply.ephemeral
    async with office.database.writing_in(office.workspace_id) as connection:
        stored = (await connection.execute(text("SELECT count(*) FROM bot.question"))).scalar_one()
    answers = [m for m in office.visitor.visible_to("pia", "#general", asked.ts) if m.by_bot]
    assert (stored, len(answers)) == (1, 1)


async def test_what_not_all_may_read_goes_to_the_asker_alone(office: Office) -> None:
    asked = await office.visitor.post("pia", "#mixed", f"@ostiary {BAND}")
    reply = await office.visitor.wait_for_reply("pia", "#mixed", timeout=PATIENCE_S)
    assert reply.ephemeral
    assert "78,000" in reply.plain
    seen = [
        *office.visitor.visible_to("enzo", "#mixed"),
        *office.visitor.visible_to("enzo", "#mixed", asked.ts),
    ]
    assert not any(message.by_bot for message in seen)


async def test_a_private_channel_of_people_who_may_all_read_it_hears_the_answer(office: Office) -> None:
    asked = await office.visitor.post("pia", "#people", f"@ostiary {BAND}")
    reply = await office.visitor.wait_for_reply("pia", "#people", asked.ts, timeout=PATIENCE_S)
    assert "78,000" in reply.plain
    assert not reply.ephemeral


async def test_a_guest_in_a_channel_keeps_what_is_for_members_out_of_it(office: Office) -> None:
    asked = await office.visitor.post("pia", "#guests", f"@ostiary {LEAVE}")
    reply = await office.visitor.wait_for_reply("pia", "#guests", timeout=PATIENCE_S)
    assert reply.ephemeral
    assert not [m for m in office.visitor.visible_to("gus", "#guests", asked.ts) if m.by_bot]


async def test_a_revoked_role_hides_documents_from_the_next_question(office: Office) -> None:
    await load_directory(office.database, without_roles("pia"))
    await office.visitor.dm("pia", BAND)
    reply = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert reply.plain == NOTHING_FOUND


async def test_an_empty_mention_gets_a_private_hint(office: Office) -> None:
    await office.visitor.post("enzo", "#general", "@ostiary")
    reply = await office.visitor.wait_for_reply("enzo", "#general", timeout=PATIENCE_S)
    assert reply.ephemeral
    assert "Ask me a question" in reply.plain


async def test_a_greeting_is_answered_to_the_one_who_greets_and_alike_to_everybody(office: Office) -> None:
    await office.visitor.post("enzo", "#general", "@ostiary hello!")
    reply = await office.visitor.wait_for_reply("enzo", "#general", timeout=PATIENCE_S)
    assert reply.ephemeral
    await office.visitor.dm("gus", "What can you do?")
    guests = await office.visitor.wait_for_reply("gus", "@ostiary", timeout=PATIENCE_S)
    assert guests.plain == reply.plain == ASK_SOMETHING
