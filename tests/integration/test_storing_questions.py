"""Questions that come at the same moment are stored together: each once, and none for another's sake not at all."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.database import Database, DatabaseUrls
from bot.queue import JobQueue
from bot.slack import storing
from bot.slack.questions import IncomingQuestion
from bot.slack.replying import ANSWER_JOB
from bot.slack.storing import QuestionStore


def asked(number: int, words: str = "How many days?", event: str = "E") -> IncomingQuestion:
    return IncomingQuestion(f"{event}{number}", "C1", "channel", f"{number}.0", None, "UPIA", words)


@pytest.fixture
def store(database: Database, workspace_id: int, urls: DatabaseUrls) -> QuestionStore:
    async def nobody(question_id: int) -> None:
        """The queue is not worked on here."""

    queue = JobQueue(urls, workspace_id)
    queue.on(ANSWER_JOB, nobody, nobody)
    return QuestionStore(database, workspace_id, queue)


async def counts(database: Database, workspace_id: int) -> tuple[int, int]:
    """How many questions there are, and how many jobs of one each."""
    async with database.writing_in(workspace_id) as connection:
        questions = await connection.execute(text("SELECT count(*) FROM bot.question"))
        jobs = await connection.execute(
            text("SELECT count(DISTINCT args -> 'question_id') FROM procrastinate.procrastinate_jobs")
        )
        return questions.scalar_one(), jobs.scalar_one()


async def test_many_at_once_are_stored_in_few_transactions(
    store: QuestionStore, database: Database, workspace_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, claim_all = [], storing.claim_all

    async def counted(connection, questions):  # type: ignore[no-untyped-def]
        sizes.append(len(questions))
        return await claim_all(connection, questions)

    monkeypatch.setattr(storing, "claim_all", counted)
    await asyncio.gather(*(store.keep(asked(number)) for number in range(250)))
    assert sum(sizes) == 250
    assert len(sizes) <= 5
    assert await counts(database, workspace_id) == (250, 250)


async def test_what_is_told_of_twice_at_once_or_later_is_one_question_and_one_job(
    store: QuestionStore, database: Database, workspace_id: int
) -> None:
    both = [asked(1), asked(1, event="M"), asked(1)]
    await asyncio.gather(*(store.keep(question) for question in both))
    await store.keep(asked(1))
    assert await counts(database, workspace_id) == (1, 1)


async def test_one_that_cannot_be_stored_keeps_no_other_out(
    store: QuestionStore, database: Database, workspace_id: int
) -> None:
    questions = [asked(1), asked(2, "\x00"), asked(3), asked(4)]
    outcomes = await asyncio.gather(*(store.keep(each) for each in questions), return_exceptions=True)
    assert [outcome is None for outcome in outcomes] == [True, False, True, True]
    assert isinstance(outcomes[1], DBAPIError)
    assert await counts(database, workspace_id) == (3, 3)


async def test_where_the_job_cannot_be_recorded_the_question_is_not_stored_either(
    store: QuestionStore, database: Database, workspace_id: int, urls: DatabaseUrls
) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        admin.execute("REVOKE INSERT ON procrastinate.procrastinate_jobs FROM ostiary_app")
        outcomes = await asyncio.gather(
            *(store.keep(asked(number)) for number in range(3)), return_exceptions=True
        )
        admin.execute("GRANT INSERT ON procrastinate.procrastinate_jobs TO ostiary_app")
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert await counts(database, workspace_id) == (0, 0)
    await store.keep(asked(0))
    assert await counts(database, workspace_id) == (1, 1)


async def test_somebody_who_waits_no_longer_leaves_the_others_their_turn(
    store: QuestionStore, database: Database, workspace_id: int
) -> None:
    impatient = asyncio.create_task(store.keep(asked(1)))
    others = [asyncio.create_task(store.keep(asked(number))) for number in (2, 3)]
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(*others)
    assert impatient.cancelled()
    assert (await counts(database, workspace_id))[0] >= 2
