"""A question is claimed once, however often and by whatever events Slack brings it."""

from dataclasses import replace

import pytest

from auth.database import Database
from auth.directory import register_workspace
from bot.slack.questions import IncomingQuestion, claim

ASKED = IncomingQuestion("E1", "C1", "channel", "1.1", None, "U1", "How many days of leave?")


async def claimed(database: Database, workspace_id: int, question: IncomingQuestion) -> bool:
    async with database.writing_in(workspace_id) as connection:
        return await claim(connection, question) is not None


@pytest.mark.parametrize(
    "again",
    [
        ASKED,
        replace(ASKED, event_id="E2"),  # the other event of a mention
        replace(ASKED, message_ts="2.2"),  # the same event, whatever it says now
    ],
)
async def test_a_question_that_is_here_already_is_not_claimed_again(
    database: Database, workspace_id: int, again: IncomingQuestion
) -> None:
    assert await claimed(database, workspace_id, ASKED)
    assert not await claimed(database, workspace_id, again)


async def test_another_message_is_another_question(database: Database, workspace_id: int) -> None:
    assert await claimed(database, workspace_id, ASKED)
    assert await claimed(database, workspace_id, replace(ASKED, event_id="E2", message_ts="2.2"))
    assert await claimed(database, workspace_id, replace(ASKED, event_id="E3", channel_id="C2"))


async def test_workspaces_do_not_claim_each_others_questions(database: Database, workspace_id: int) -> None:
    async with database.registering() as connection:
        other = await register_workspace(connection, "T0OTHER", "Other")
    assert await claimed(database, workspace_id, ASKED)
    assert await claimed(database, other, ASKED)
